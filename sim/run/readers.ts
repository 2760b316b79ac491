/**
 * Processes beside the writer's that only read (`openReadOnly`), on the same simulated machine: they see what the page cache
 * holds, live on when the writer is killed, and end when the power fails. One process at a time, with several readers.
 * Carries out their operations, at the same time as the writer's, and hands what they see to O40.
 * Does not own: when they run: their turns are turns of the writer's life, since there is one scheduler at a time.
 */
import { ReadOnlyStore } from "../../src/engine/readonly/read-only-store.js";
import type { Snapshot } from "../../src/engine/snapshots.js";
import { assert, fail } from "../../src/platform/assert.js";
import type { ErrorCode } from "../../src/platform/errors.js";
import type { Platform, Scheduler, Timer } from "../../src/platform/platform.js";
import { SimulatedCrash } from "../disk/errors.js";
import type { ProcessBeside } from "../disk/simulation-disk.js";
import type { Row } from "../model/comparison.js";
import { OracleFailure } from "../oracles/failure.js";
import { checkNewView, checkSameView } from "../oracles/read-only.js";
import { keyBytes, keyText } from "../workload/bytes.js";
import type { Operation } from "../workload/operation.js";
import type { Life } from "../world/world.js";
import { type Session, STORE_DIRECTORY } from "./session.js";

type ReaderOperation = Extract<Operation, { kind: "reader" }>;

interface PinnedView {
  readonly snapshot: Snapshot;
  readonly rows: readonly Row[] | null;
}

interface OpenReader {
  readonly store: ReadOnlyStore;
  /** What the view was found to hold; null where it could not be read. */
  rows: readonly Row[] | null;
  pinned: PinnedView | null;
}

export class Readers {
  readonly #session: Session;
  readonly #scheduler = new BesideScheduler();
  readonly #open = new Map<number, OpenReader>();
  /** Operations under way. */
  readonly #works = new Set<Promise<void>>();
  #process: ProcessBeside | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  get ids(): readonly number[] {
    return [...this.#open.keys()];
  }

  /** Tasks of readers among those of the writer's life. */
  get tasksPending(): number {
    return this.#scheduler.submitted;
  }

  /** Another process of the writer: the readers, if there are any, go on beside it. */
  beginLife(life: Life): void {
    this.#scheduler.resume(life);
  }

  /** The machine is down, and nothing of theirs goes on. */
  powerLost(): void {
    this.#process = null;
    this.#open.clear();
    this.#works.clear();
    this.#scheduler.clear();
  }

  async run(operation: ReaderOperation): Promise<void> {
    const work = this.#run(operation)
      .catch((error: unknown) => this.#session.found(error))
      .finally(() => this.#works.delete(work));
    this.#works.add(work);
    if (!operation.waits) return;
    const { life } = this.#session;
    await work;
    // The readers have gone on in another life of the writer; who waited for them in this one has not.
    if (life.crashed) throw new SimulatedCrash();
  }

  /** Closes all readers; nothing of theirs may be left open. */
  async end(): Promise<void> {
    while (this.#works.size > 0) await Promise.all(this.#works);
    const readers = [...this.#open.values()];
    this.#open.clear();
    for (const { store } of readers) await store.close();
    const leaks = this.#process?.end() ?? [];
    this.#process = null;
    if (leaks.length > 0) throw new OracleFailure("O18", `left open by readers: ${leaks.join("; ")}`);
  }

  async #run({ id, does }: ReaderOperation): Promise<void> {
    if (does === "open") return this.#openReader(id);
    const reader = this.#open.get(id);
    if (reader === undefined) return;
    if (does === "refresh") return this.#refresh(reader);
    if (does === "pin") this.#pin(reader);
    else if (does === "read") this.#read(reader);
    else {
      this.#open.delete(id);
      await reader.store.close();
    }
  }

  async #openReader(id: number): Promise<void> {
    const process = this.#processBeside();
    const durable = this.#session.model.floorAfterPowerLoss;
    let store: ReadOnlyStore;
    try {
      store = await ReadOnlyStore.open(STORE_DIRECTORY, MEMORY, this.#platform(process));
    } catch (error) {
      this.#judge(error, "openReadOnly", process);
      return;
    }
    if (!process.alive) return;
    const reader: OpenReader = { store, rows: null, pinned: null };
    this.#open.set(id, reader);
    this.#moved(reader, 0, durable);
  }

  async #refresh(reader: OpenReader): Promise<void> {
    const { store } = reader;
    const process = this.#processBeside();
    const durable = this.#session.model.floorAfterPowerLoss;
    const versionBefore = store.version;
    try {
      await store.refresh();
    } catch (error) {
      this.#judge(error, "refresh", process);
      return;
    }
    if (process.alive) this.#moved(reader, versionBefore, durable);
  }

  /** Compares what is read now with the model, whose commits have had their fates by now or have them still open. */
  #moved(reader: OpenReader, versionBefore: number, durable: number): void {
    const { model, ledger, disk } = this.#session;
    const { version } = reader.store;
    reader.rows = this.#rowsOf(reader.store, undefined);
    if (disk.lossShows || disk.damage.length > 0) return;
    // What is older than the last recovery, the model has forgotten.
    const span = version < model.resolvedVersion ? null : model.visibleAt(version);
    checkNewView(ledger, model, span, { version, versionBefore, durable, rows: reader.rows });
  }

  #pin(reader: OpenReader): void {
    if (reader.pinned === null) {
      reader.pinned = { snapshot: reader.store.snapshot(), rows: reader.rows };
      return;
    }
    const { snapshot, rows } = reader.pinned;
    this.#compare("a reader's snapshot", rows, this.#rowsOf(reader.store, snapshot));
    snapshot.close();
    reader.pinned = null;
  }

  #read(reader: OpenReader): void {
    const { store, rows, pinned } = reader;
    this.#compare("a reader's view", rows, this.#rowsOf(store, undefined));
    if (pinned !== null)
      this.#compare("a reader's snapshot", pinned.rows, this.#rowsOf(store, pinned.snapshot));
    if (rows !== null) this.#readKeys(store, rows);
  }

  /** Point reads say what the scan said. */
  #readKeys(store: ReadOnlyStore, rows: readonly Row[]): void {
    const there = new Map(rows.map(({ key, value }) => [key, value]));
    const found: Row[] = [];
    try {
      for (const { key } of this.#session.model.histories) {
        const value = store.getSync(keyBytes(key));
        if (value !== undefined) found.push({ key, value });
      }
    } catch (error) {
      this.#judge(error, "a reader's get", this.#processBeside());
      return;
    }
    const known = found.filter(({ key }) => there.has(key));
    this.#compare(
      "a reader's get",
      rows.filter(({ key }) => this.#session.model.history(key) !== undefined),
      known.length === found.length ? known : found,
    );
  }

  #compare(what: string, before: readonly Row[] | null, now: readonly Row[] | null): void {
    const { ledger, disk } = this.#session;
    if (before === null || now === null || disk.lossShows || disk.damage.length > 0) return;
    checkSameView(ledger, what, before, now);
  }

  /** Null when a fault has kept them from being read. */
  #rowsOf(store: ReadOnlyStore, snapshot: Snapshot | undefined): readonly Row[] | null {
    const rows: Row[] = [];
    try {
      for (const [key, value] of store.scan(snapshot === undefined ? {} : { snapshot }))
        rows.push({ key: keyText(key), value });
      return rows;
    } catch (error) {
      this.#judge(error, "a reader's scan", this.#processBeside());
      return null;
    }
  }

  /** What a reader may be told; throws findings. */
  #judge(error: unknown, call: string, process: ProcessBeside): void {
    if (!process.alive) return;
    const { honesty, created, disk, hasStore } = this.#session;
    const legal: ErrorCode[] = ["CLOSED"];
    // Before there is a store, and while one is being made.
    if (!created || !hasStore) legal.push("NOT_A_STORE", "NOT_FOUND");
    // After a failed sync the page cache may lose what could be read from it.
    if (disk.counters.faults["S22 sync error"] > 0) legal.push("STORE_REPLACED");
    if (disk.lossShows) legal.push("STORE_REPLACED", "CORRUPTION");
    honesty.judge(error, call, legal);
  }

  #processBeside(): ProcessBeside {
    this.#process ??= this.#session.disk.mountBeside();
    return this.#process;
  }

  #platform({ vfs }: ProcessBeside): Platform {
    const { clock, random, events } = this.#session.life.platform;
    return { vfs, clock, random, scheduler: this.#scheduler, workers: null, events };
  }
}

/** Little, so that much is read again. */
const MEMORY = { blockCacheBytes: 16_384, tableCacheBytes: 4096 };

/** Turns of the readers, taken among those of whichever life of the writer there is. */
class BesideScheduler implements Scheduler {
  /** Turns asked of the life that runs, and not taken yet. */
  submitted = 0;
  #life: Life | null = null;
  #tasks: (() => void)[] = [];

  defer(task: () => void): void {
    this.#tasks.push(task);
    if (this.#life !== null && !this.#life.crashed) this.#submit(this.#life);
  }

  after(): Timer {
    return fail("a reader sets no timers");
  }

  resume(life: Life): void {
    this.#life = life;
    this.submitted = 0;
    for (let left = this.#tasks.length; left > 0; left--) this.#submit(life);
  }

  clear(): void {
    this.#tasks = [];
  }

  #submit(life: Life): void {
    this.submitted++;
    life.scheduler.defer(() => {
      assert(life === this.#life, "a life's turns end with it");
      this.submitted--;
      this.#tasks.shift()?.();
    });
  }
}
