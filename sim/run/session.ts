/**
 * What one simulated run knows: the machine, the store of the current life, the model, what is open and in flight, and
 * the oracles with memory. The parts that act on it are `life.ts` (recovery, the order of things), `executor.ts`
 * (operations), `checks.ts` (whole-store comparisons). Owns the translation of errors: which of them end the life,
 * which are legal, which are findings.
 */

import { parseFileName } from "../../src/engine/files.js";
import type { StoreOptions } from "../../src/engine/options.js";
import type { StoreIterator } from "../../src/engine/read/store-iterator.js";
import type { Snapshot } from "../../src/engine/snapshots.js";
import type { Store } from "../../src/engine/store.js";
import { assert } from "../../src/platform/assert.js";
import type { ErrorCode } from "../../src/platform/errors.js";
import { baseName, joinPath, parentPath } from "../../src/platform/path.js";
import { SimulatedCrash } from "../disk/errors.js";
import type { DirectoryNode } from "../disk/name-log.js";
import type { SimulationDisk, VFSOperation } from "../disk/simulation-disk.js";
import { Model, type PrefixSpan } from "../model/model.js";
import { ErrorHonesty, type ErrorVerdict } from "../oracles/error-honesty.js";
import { FailStop } from "../oracles/fail-stop.js";
import { OracleFailure, OracleLedger } from "../oracles/failure.js";
import { FileNumbers } from "../oracles/file-numbers.js";
import { IdempotentRecovery } from "../oracles/idempotent-recovery.js";
import { ManifestMonotonicity } from "../oracles/manifest-monotonicity.js";
import { MetricsWatch } from "../oracles/metrics.js";
import { CommitOrder } from "../oracles/serializability.js";
import type { Bounds, Operation } from "../workload/operation.js";
import type { SimulationOptions } from "../workload/options.js";
import type { Life, World } from "../world/world.js";
import { Backups } from "./backups.js";
import { emptyCounts } from "./counts.js";
import { InFlight } from "./in-flight.js";
import type { LevelClient } from "./level.js";
import { levelClientOf } from "./level-loader.js";
import { describePending } from "./pending.js";
import { Readers } from "./readers.js";
import type { CrashNote } from "./segments.js";
import type { ForeignFiles } from "./strays.js";
import { Transactor } from "./transactor.js";

/** Where the store lives on the simulated disk. */
export const STORE_DIRECTORY = "/store";

/** Ends a run early and legally: damage that a single node cannot repair was found, and said. */
export class DamageFound extends Error {
  constructor(what: string) {
    super(`damage was detected: ${what}`);
    this.name = "DamageFound";
  }
}

/** Something was just said to be durable: told to lints. */
export interface PromiseMade {
  readonly kind: "commit" | "flush" | "checkpoint" | "close";
  readonly what: string;
  /** For a checkpoint: where it is, and the state that it holds. */
  readonly checkpoint?: { readonly target: string; readonly span: PrefixSpan };
}

export interface PinnedSnapshot {
  readonly snapshot: Snapshot;
  readonly span: PrefixSpan;
}

export interface PinnedIterator {
  readonly iterator: StoreIterator;
  readonly version: number;
  readonly span: PrefixSpan;
  readonly bounds: Bounds;
  /** Where it stands: the key it gave last, or the place it was told to seek, which may itself come next. */
  position: { readonly key: string; readonly inclusive: boolean } | null;
  ended: boolean;
}

export class Session {
  readonly world: World<SimulationDisk>;
  readonly options: SimulationOptions;
  readonly model = new Model();
  readonly ledger = new OracleLedger();
  readonly counts = emptyCounts();
  /** Every operation so far, literally. */
  readonly operations: Operation[] = [];
  readonly crashes: CrashNote[] = [];
  readonly inFlight = new InFlight(
    () => this.ended(),
    (error) => this.found(error),
    () => this.world.clock.nowMs(),
  );
  readonly snapshots = new Map<number, PinnedSnapshot>();
  readonly iterators = new Map<number, PinnedIterator>();
  readonly monotonicity: ManifestMonotonicity;
  readonly idempotence: IdempotentRecovery;
  readonly fileNumbers = new FileNumbers();
  readonly failStop: FailStop;
  /** A checkpoint that has been asked for and not answered, and the newest commit that it must hold. */
  checkpointUnderWay: { readonly target: string; readonly acknowledged: number } | null = null;
  readonly order = new CommitOrder(this.ledger);
  readonly metricsWatch = new MetricsWatch(this.ledger);
  readonly honesty: ErrorHonesty;
  readonly transactor: Transactor;
  readonly readers = new Readers(this);
  readonly backups: Backups;
  /** In the workload `level`, whose calls go through that interface; null in others. */
  readonly level: LevelClient | null;
  /** Whether a store was ever open, so that there must be one from then on. */
  created = false;
  spaceLimited = false;
  /** Whether the disk injects faults now, outside of the few calls that are made without. */
  faultsAreOn = true;
  /** Whether the store is being closed, so that calls under way may be told so. */
  closing = false;
  /** Files of others in the store's directory (S40), by path; and those of which only a crash knows whether they are. */
  readonly foreignFiles: ForeignFiles = new Map();
  readonly perhapsForeign = new Set<string>();
  /** Hears of every VFS call while it is set. */
  callListener: ((operation: VFSOperation, path: string) => void) | null = null;
  /** Hears of everything that is acknowledged as durable, after the model has. */
  onPromise: ((promise: PromiseMade) => void) | null = null;
  #life: Life | null = null;
  #store: Store | null = null;
  #doing = "starting";

  constructor(world: World<SimulationDisk>, options: SimulationOptions) {
    this.world = world;
    this.options = options;
    world.describePending = () => describePending(this);
    this.monotonicity = new ManifestMonotonicity(this.ledger);
    this.idempotence = new IdempotentRecovery(this.ledger);
    this.failStop = new FailStop(this.ledger);
    this.transactor = new Transactor(this);
    this.backups = new Backups(this);
    this.level = levelClientOf(this);
    const { recorder } = world;
    if (recorder !== null) {
      this.inFlight.listener = {
        began: (number, what) => recorder.begins("calls in flight", number, what),
        answered: (number, outcome) => recorder.ends("calls in flight", number, outcome),
      };
    }
    this.disk.onSyncFailed = (path) => {
      const { kind } = parseFileName(baseName(path));
      if (parentPath(path) === STORE_DIRECTORY && (kind === "wal" || kind === "manifest"))
        this.failStop.syncFailed(path, world.steps);
    };
    const { faults } = this.disk.counters;
    this.honesty = new ErrorHonesty(this.ledger, () => ({
      faults,
      damage: this.disk.damage.length,
      lossShows: this.disk.lossShows,
    }));
    this.disk.onStuck = (endsIn) => {
      if (!this.ended()) world.crashNow(endsIn, "a watchdog's word: calls of the disk are stuck");
    };
  }

  /** Path of the checkpoint or restored store that is being made now. */
  copyBeingMade: string | null = null;
  /** What the main task is doing, for the report of a stuck run and for recordings. */
  get doing(): string {
    return this.#doing;
  }

  set doing(doing: string) {
    this.#doing = doing;
    const { recorder } = this.world;
    if (recorder === null) return;
    // One task at a time: what it did before is done.
    recorder.ends("operations", 0, "");
    const operation = doing.startsWith("operation") ? ` ${JSON.stringify(this.operations.at(-1))}` : "";
    recorder.begins("operations", 0, doing + operation);
  }

  get disk(): SimulationDisk {
    return this.world.disk;
  }

  get life(): Life {
    assert(this.#life !== null, "a process lives");
    return this.#life;
  }

  get store(): Store {
    assert(this.#store !== null, "the store is open");
    return this.#store;
  }

  get hasStore(): boolean {
    return this.#store !== null;
  }

  beginLife(life: Life): void {
    this.#life = life;
    this.#store = null;
    this.closing = false;
    this.callListener = null;
    this.snapshots.clear();
    this.iterators.clear();
    this.level?.newLife();
    this.inFlight.clear();
    this.failStop.newLife();
    this.monotonicity.newLife();
    this.fileNumbers.newLife();
    this.readers.beginLife(life);
  }

  opened(store: Store): void {
    this.#store = store;
    this.order.newLife(store.version);
    this.metricsWatch.opened(store);
    this.created = true;
    // What failed in earlier attempts to open is behind this store.
    this.failStop.newLife();
  }

  closed(): void {
    this.#store = null;
  }

  /** Throws when the process has ended, or when something has been found that could not be thrown. */
  checkAlive(): void {
    if (this.life.crashed) throw new SimulatedCrash();
    if (this.world.finding !== null) throw this.world.finding.error;
  }

  /** Keeps a finding that cannot be thrown where it was made; the first one ends the run. */
  found(error: unknown): void {
    this.world.finding ??= { error };
    const what = error instanceof OracleFailure ? `${error.oracle}: ${error.detail}` : String(error);
    this.world.recorder?.happens("finding", what);
  }

  /** True when the process is gone, so that an answer reaches nobody. */
  ended(): boolean {
    return this.#life === null || this.#life.crashed;
  }

  /** Judges an error of the store; never returns for one that ends the life or is a finding. */
  judge(error: unknown, call: string, legal: readonly ErrorCode[] = []): ErrorVerdict {
    if (this.life.crashed || error instanceof SimulatedCrash) throw new SimulatedCrash();
    if (error instanceof OracleFailure || error instanceof DamageFound) throw error;
    const verdict = this.honesty.judge(error, call, legal);
    if (verdict === "stopped") this.failStop.stop(`${call} said FAILED_STOP`, this.model.submitted);
    return verdict;
  }

  /**
   * Runs something that transient faults may fail, again and again, in the end with faults off. Throws `DamageFound`
   * when damage makes it fail.
   */
  async retrying<T>(call: string, attempt: () => T | Promise<T>): Promise<T> {
    const { disk } = this;
    for (let left = RETRIES_MAX; ; left--) {
      this.checkAlive();
      if (left === 0) disk.faultsOff();
      try {
        const value = await attempt();
        this.checkAlive();
        return value;
      } catch (error) {
        const verdict = this.judge(error, call);
        if (verdict === "damage" || (left === 0 && disk.damage.length > 0)) throw new DamageFound(call);
        if (left === 0)
          throw new OracleFailure("O16", `${call} fails though no fault is left: ${error}`, error);
      } finally {
        if (left === 0 && this.faultsAreOn) disk.faultsOn();
      }
    }
  }

  /** What the store of this life is opened with (T7): later lives go round the later options. */
  get storeOptions(): StoreOptions {
    const { store, reopenings } = this.options;
    const change = reopenings[(this.world.lives + reopenings.length - 2) % Math.max(1, reopenings.length)];
    return this.world.lives < 2 || change === undefined ? store : { ...store, ...change };
  }

  /** As processes see it, looked at without a call; null when it is not there. */
  get storeDirectory(): DirectoryNode | null {
    const node = this.disk.root.entries.get(baseName(STORE_DIRECTORY));
    return node?.kind === "directory" ? node : null;
  }

  /** Names in the directory of the store, as the living process sees them; without those of others. */
  listStore(): string[] {
    const names = this.life.platform.vfs.list(STORE_DIRECTORY);
    if (this.foreignFiles.size + this.perhapsForeign.size === 0) return names;
    return names.filter((name) => {
      const path = this.pathOf(name);
      return !this.foreignFiles.has(path) && !this.perhapsForeign.has(path);
    });
  }

  pathOf(name: string): string {
    return joinPath(STORE_DIRECTORY, name);
  }

  /** Lets virtual time pass. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.life.scheduler.afterExactly(ms, resolve);
    });
  }
}

/** Attempts with faults on. A scan of many tables may well fail each time. */
const RETRIES_MAX = 3;
