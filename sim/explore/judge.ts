/**
 * Judges what a crash has left: recovers it on a machine of its own and asks the oracles. Three openings: the first must
 * hold what was promised; then the power fails with everything unsynced lost, and the second must find the same, take a
 * commit and close; the third must find that commit too. Nothing but the crash has gone wrong, so that every error is a
 * broken promise. Does not own: which states there are.
 */
import { Store } from "../../src/engine/store.js";
import type { SimulationDisk } from "../disk/simulation-disk.js";
import { StoreContent } from "../model/comparison.js";
import type { Model } from "../model/model.js";
import { ErrorHonesty } from "../oracles/error-honesty.js";
import { OracleFailure, OracleLedger } from "../oracles/failure.js";
import { checkNoOrphans } from "../oracles/file-lifetime.js";
import { IdempotentRecovery } from "../oracles/idempotent-recovery.js";
import { checkNoLeaks } from "../oracles/leaks.js";
import { stuckFailure } from "../oracles/liveness.js";
import {
  checkCommitVersion,
  checkRecoveredVersion,
  ManifestMonotonicity,
} from "../oracles/manifest-monotonicity.js";
import { judgeRecovery } from "../oracles/recovery.js";
import { checkDurableStore, checkLiveFiles } from "../oracles/referential-integrity.js";
import { checkDeletedKeys } from "../oracles/resurrection.js";
import { checkShape } from "../oracles/shape.js";
import { readAll } from "../run/checks.js";
import { STORE_DIRECTORY } from "../run/session.js";
import { keyBytes, valueBytes } from "../workload/bytes.js";
import { writerOfMutation } from "../workload/operation.js";
import type { SimulationOptions } from "../workload/options.js";
import type { Life, World } from "../world/world.js";
import type { CrashState, TakenCrash } from "./collector.js";
import { exploreWorld } from "./setting.js";

export interface JudgeSetting {
  readonly options: SimulationOptions;
  readonly mutants: readonly string[];
}

/** A broken promise, and the crashes that lead to it. */
export interface BrokenState {
  readonly failure: OracleFailure;
  readonly crashes: readonly TakenCrash[];
}

/** Looks at each instant of the first recovery, for crashes in it. */
export type RecoveryObserver = (world: World<SimulationDisk>, calls: number, points: number | null) => void;

const FRESH_KEY = "fresh";
const FRESH_BYTES = 20;
/** Beyond any operation that a workload has. */
const FRESH_OPERATION = 1_000;
const LAST_TURNS_MS = 1;
/** Null when every promise is kept. Adds its evaluations to `ledger`. The state stays as it is. */
export async function judgeState(
  state: CrashState,
  setting: JudgeSetting,
  ledger: OracleLedger,
  observer: RecoveryObserver | null = null,
): Promise<BrokenState | null> {
  const judge = new Judge(state, setting, ledger);
  try {
    await judge.run(observer);
    return null;
  } catch (error) {
    if (!(error instanceof OracleFailure)) throw error;
    return { failure: error, crashes: judge.crashes };
  }
}

class Judge {
  /** Grows by the crash between the two recoveries. */
  crashes: readonly TakenCrash[];
  readonly #state: CrashState;
  readonly #setting: JudgeSetting;
  readonly #ledger: OracleLedger;
  readonly #model: Model;
  readonly #honesty: ErrorHonesty;
  readonly #idempotence: IdempotentRecovery;
  readonly #monotonicity: ManifestMonotonicity;
  #powerLost: boolean;

  constructor(state: CrashState, setting: JudgeSetting, ledger: OracleLedger) {
    this.#state = state;
    this.#setting = setting;
    this.#ledger = ledger;
    this.#model = state.model.copy();
    this.crashes = state.crashes;
    this.#powerLost = state.powerLost;
    this.#honesty = new ErrorHonesty(ledger, () => ({ faults: {}, damage: 0, lossShows: false }));
    this.#idempotence = new IdempotentRecovery(ledger);
    this.#monotonicity = new ManifestMonotonicity(ledger);
  }

  async run(observer: RecoveryObserver | null): Promise<void> {
    const { options, mutants } = this.#setting;
    const first = exploreWorld(options, mutants, this.#state.disk);
    this.#checkDurable(first.disk, this.#state.created);
    let calls = 0;
    let points = 0;
    first.observer = () => {
      calls++;
      observer?.(first, calls, null);
    };
    if (observer !== null) first.pointObserver = () => observer(first, calls, ++points);
    await this.#live(first, async (life) => {
      await this.#recover(life, this.#state.created);
      await this.#checkCheckpoint(life);
    });
    observer?.(first, calls + 1, null);

    const answers = first.disk.crashItems().map(({ sequences }) => sequences.length);
    const lost = first.disk.crashedCopy(answers);
    this.crashes = [...this.#state.crashes, { how: "power-loss", at: { calls: calls + 1 }, answers }];
    this.#powerLost = true;
    const second = exploreWorld(options, mutants, lost);
    this.#checkDurable(second.disk, true);
    await this.#live(second, async (life) => {
      const store = await this.#recover(life, true);
      await this.#commitFresh(store);
      await this.#close(store, life, second.disk);
    });
    await this.#live(second, async (life) => {
      const store = await this.#recover(life, true);
      if (!store.inspect().backgroundBusy) {
        checkNoOrphans(this.#ledger, store.inspect(), life.platform.vfs.list(STORE_DIRECTORY));
      }
      await this.#close(store, life, second.disk);
    });
  }

  #checkDurable(disk: SimulationDisk, created: boolean): void {
    const manifest = checkDurableStore(this.#ledger, disk.snapshotDurable(), STORE_DIRECTORY, created);
    if (manifest !== null) this.#monotonicity.observeDurable(manifest);
  }

  /** Runs one life. Whatever ends it but its own end is a finding. */
  async #live<T>(world: World<SimulationDisk>, main: (life: Life) => Promise<T>): Promise<void> {
    this.#monotonicity.newLife();
    const end = await world.live(main);
    if (end.kind === "stuck") throw stuckFailure(end.reason, ["what a recovered store was asked for"]);
    if (end.kind === "failed") throw end.error;
  }

  /** Opens the store and compares what it holds with what it must hold. */
  async #recover(life: Life, created: boolean): Promise<Store> {
    const { options } = this.#setting;
    const ledger = this.#ledger;
    const model = this.#model;
    const store = await this.#honestly("open", () =>
      Store.open(STORE_DIRECTORY, { ...options.store, createIfMissing: !created }, life.platform),
    );
    const rows = await this.#honestly("a scan after recovery", () => readAll(store));
    const { shortest, longest } = judgeRecovery(ledger, model, rows, this.#powerLost);
    checkRecoveredVersion(ledger, model, shortest, store.version);
    model.resolve(longest, store.version);
    this.#powerLost = false;
    this.#idempotence.recovered(rows, store.version);
    await this.#honestly("reading deleted keys", () =>
      checkDeletedKeys(ledger, model, longest, (key) => store.getSync(key)),
    );
    const inspection = store.inspect();
    this.#monotonicity.observeEngine(inspection);
    checkShape(ledger, inspection.levels);
    checkLiveFiles(ledger, inspection, life.platform.vfs.list(STORE_DIRECTORY));
    return store;
  }

  /** A checkpoint that is there is whole, whenever the power failed: it opens, and holds a state that there was. */
  async #checkCheckpoint(life: Life): Promise<void> {
    const { checkpoint, model } = this.#state;
    if (checkpoint === null || life.platform.vfs.stat(checkpoint) === null) return;
    this.#ledger.count("O20");
    const { store: options } = this.#setting.options;
    const copy = await this.#honestly("opening a checkpoint", () =>
      Store.open(checkpoint, { ...options, createIfMissing: false }, life.platform),
    );
    const rows = await this.#honestly("reading a checkpoint", () => readAll(copy));
    if (new StoreContent(model, rows).longestPrefix(model.base) !== null) return;
    throw new OracleFailure(
      "O20",
      "a checkpoint that a crash left behind holds no state that there ever was",
    );
  }

  async #commitFresh(store: Store): Promise<void> {
    const model = this.#model;
    const writer = writerOfMutation(FRESH_OPERATION, 0);
    this.#idempotence.written();
    const commit = model.submit(
      FRESH_OPERATION,
      [["put", FRESH_KEY, writer, FRESH_BYTES]],
      this.#setting.options.store.durability ?? "sync",
    );
    const version = await this.#honestly("a fresh commit", () =>
      store.put(keyBytes(FRESH_KEY), valueBytes(writer, FRESH_BYTES)),
    );
    checkCommitVersion(this.#ledger, model, commit, version);
    model.acknowledge(commit, version, 0);
  }

  async #close(store: Store, life: Life, disk: SimulationDisk): Promise<void> {
    await this.#honestly("close", () => store.close());
    this.#model.durableUpTo(this.#model.acknowledgedUpTo());
    await new Promise<void>((resolve) => {
      life.scheduler.after(LAST_TURNS_MS, resolve);
    });
    checkNoLeaks(this.#ledger, disk.shutdown(), life.scheduler.timersPending, life.scheduler.tasksPending);
  }

  /** Without faults no error is honest. */
  async #honestly<T>(call: string, attempt: () => T | Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof OracleFailure) throw error;
      this.#honesty.judge(error, call);
      throw error;
    }
  }
}
