/**
 * The operations of the workload `level`, each made through the interface of Level over the store of the life: puts, deletes, array
 * and chained batches over sublevels, clears with and without limit, reads in snapshots, iterators that stay open. The model is told
 * of physical keys, prefixes and all. Which of several ways a call takes is drawn from the operation itself, so a shrunk list
 * still means the same. Does not own: what is right (`oracles/level.ts`), other operations (`executor.ts`).
 */

import { crc32 } from "node:zlib";
import { KEY_BYTES_MAX } from "../../src/engine/format/operation.js";
import type { StillwaterSnapshot } from "../../src/level/snapshot.js";
import type { Commit } from "../model/commit.js";
import type { Row } from "../model/comparison.js";
import type { PrefixSpan } from "../model/model.js";
import { OracleFailure } from "../oracles/failure.js";
import { causeOfLevelError, checkAnswered, checkOneCommit, type StoreWrite } from "../oracles/level.js";
import { checkGet, checkScan, checkStep } from "../oracles/snapshot-stability.js";
import { keyBytes, keyText } from "../workload/bytes.js";
import type { Bounds, Mutation, Operation } from "../workload/operation.js";
import { acknowledge } from "./acknowledge.js";
import { type Entries, LevelDatabase, type ReadRange } from "./level-database.js";
import { SideDatabase } from "./level-side.js";
import { DamageFound, type Session } from "./session.js";

type Of<Kind extends Operation["kind"]> = Extract<Operation, { kind: Kind }>;

interface OpenSnapshot {
  readonly token: StillwaterSnapshot;
  readonly span: PrefixSpan;
}

interface OpenIterator {
  readonly iterator: Entries;
  readonly version: number;
  readonly span: PrefixSpan;
  readonly bounds: Bounds;
  position: { readonly key: string; readonly inclusive: boolean } | null;
}

/** A write as it is called, and what it does to the store. */
interface PlannedWrite {
  readonly mutations: readonly Mutation[];
  /** Looks keys up first, and commits nothing where that fails. */
  readonly reads?: boolean;
  readonly call: (database: LevelDatabase, options: { sync?: boolean }) => Promise<void>;
}

export class LevelClient {
  readonly #session: Session;
  readonly #side: SideDatabase;
  #database: LevelDatabase | null = null;
  readonly #snapshots = new Map<number, OpenSnapshot>();
  readonly #iterators = new Map<number, OpenIterator>();

  constructor(session: Session) {
    this.#session = session;
    this.#side = new SideDatabase(session);
  }

  get openSnapshots(): readonly number[] {
    return [...this.#snapshots.keys()];
  }

  get openIterators(): readonly number[] {
    return [...this.#iterators.keys()];
  }

  iteratorAt(id: number): string | null {
    return this.#iterators.get(id)?.position?.key ?? null;
  }

  /** A process begins: what the one before had open is gone. */
  newLife(): void {
    this.#database = null;
    this.#snapshots.clear();
    this.#iterators.clear();
  }

  /** Closes the database, and with it what is open. The store stays open. */
  async close(): Promise<void> {
    const database = this.#database;
    this.newLife();
    await database?.root.close();
  }

  /** True when the operation is one for Level, and is done. */
  async run(operation: Operation, number: number): Promise<boolean> {
    switch (operation.kind) {
      case "write":
        await this.#write(operation, number);
        return true;
      case "get":
      case "getMany":
      case "scan":
        await this.#read(operation);
        return true;
      case "openSnapshot":
        await this.#openSnapshot(operation.id);
        return true;
      case "closeSnapshot":
        await this.#snapshots.get(operation.id)?.token.close();
        this.#snapshots.delete(operation.id);
        return true;
      case "openIterator":
        await this.#openIterator(operation);
        return true;
      case "stepIterator":
        await this.#stepIterator(operation);
        return true;
      case "seekIterator":
        this.#seekIterator(operation);
        return true;
      case "closeIterator":
        await this.#closeIterator(operation.id);
        return true;
      case "verify":
        // Beside the store itself, which is verified after this.
        await this.#side.run();
        return false;
      default:
        return false;
    }
  }

  async #open(): Promise<LevelDatabase> {
    this.#database ??= await LevelDatabase.open(this.#session.store);
    return this.#database;
  }

  async #write(operation: Of<"write">, number: number): Promise<void> {
    const session = this.#session;
    const { model, counts, idempotence, options, storeOptions, inFlight, ledger, order } = session;
    const database = await this.#open();
    const planned = await this.#plan(operation, database);
    const usual = storeOptions.durability ?? "sync";
    // A store without durability has none to choose from.
    const chosen = usual === "none" ? undefined : operation.durability;
    const asked = chosen === undefined ? {} : { sync: chosen === "sync" };
    if (planned.mutations.some(hasTooLongKey)) return this.#writeTooLong(planned, database);
    idempotence.written();
    const { mutations } = planned;
    if (mutations.length === 0) return this.#writeNothing(planned, database);
    counts.commits++;
    const commit = model.submit(number, mutations, chosen ?? usual);
    const isEmpty = mutations.every(isNothing);
    const began = order.now;
    const { answer, writes } = database.observe(() => planned.call(database, asked));
    if (planned.reads === true && writes.length === 0) return this.#lookUpFailed(commit, answer);
    const write = checkOneCommit(ledger, commit.describe(), writes, asked.sync);
    inFlight.add(
      commit.describe(),
      answer,
      () => {
        const version = checkAnswered(ledger, commit.describe(), write, writes);
        if (isEmpty) {
          counts.acknowledged++;
          return model.refuse(commit);
        }
        order.committed(commit.describe(), began, version, undefined);
        acknowledge(session, commit, version);
      },
      (error) => this.#writeFailed(commit, error, writes),
    );
    await inFlight.waitBelow(options.committersMax - 1);
  }

  async #lookUpFailed(commit: Commit, answer: Promise<void>): Promise<void> {
    const what = `the look-up of ${commit.describe()}`;
    this.#session.model.refuse(commit);
    try {
      await answer;
    } catch (error) {
      return this.#readFailed(error, what);
    }
    throw new OracleFailure("O42", `${what} finds nothing of what is there`);
  }

  #writeFailed(commit: Commit, error: unknown, writes: readonly StoreWrite[]): void {
    const { model, failStop, ledger } = this.#session;
    if (writes.length !== 1)
      throw new OracleFailure("O42", `${commit.describe()} makes ${writes.length} commits, not one`);
    const cause = causeOfLevelError(ledger, error, commit.describe());
    const verdict = this.#session.judge(cause, commit.describe(), ["BUSY", "NO_SPACE"]);
    if (verdict === "refused") return model.refuse(commit);
    commit.outcome = "unknown";
    failStop.stop(`${commit.describe()} failed`, model.submitted);
  }

  /** An empty batch, or a limited clear that finds nothing: no commit, or an empty one. */
  async #writeNothing(planned: PlannedWrite, database: LevelDatabase): Promise<void> {
    try {
      await planned.call(database, {});
    } catch (error) {
      this.#readFailed(error, "a write of nothing");
    }
    this.#session.checkAlive();
  }

  /** Must be refused before anything is done: the model never hears of it. */
  async #writeTooLong(planned: PlannedWrite, database: LevelDatabase): Promise<void> {
    const { ledger } = this.#session;
    const what = "a write with a key that is too long";
    try {
      await planned.call(database, {});
    } catch (error) {
      this.#session.judge(causeOfLevelError(ledger, error, what), what, ["KEY_TOO_LARGE"]);
      return;
    }
    this.#session.checkAlive();
    throw new OracleFailure("O42", `${what} is accepted`);
  }

  /** Level deletes ranges by a call of their own, so a batch with one is that one alone. */
  async #plan(operation: Of<"write">, database: LevelDatabase): Promise<PlannedWrite> {
    const { mutations } = operation;
    const variant = variantOf(operation);
    const range = mutations.find((mutation) => mutation[0] === "deleteRange");
    if (range === undefined || range[0] !== "deleteRange") {
      const single = mutations.length === 1 && operation.call === "single";
      const chained = mutations.length > 0 && (variant & 1) === 1;
      return { mutations, call: (at, options) => at.write(mutations, single, chained, options) };
    }
    const bounds = { gte: range[1], lt: range[2] };
    if (hasTooLongKey(range) || range[2].length > KEY_BYTES_MAX) return { mutations: [], call: done };
    switch (variant % 8) {
      case 0:
      case 1:
        return this.#planLimitedClear({ bounds, limit: 1 + (variant % 5) }, (variant & 64) !== 0);
      case 2: {
        const whole = database.sublevelOf(range[1]);
        if (whole === null) break;
        const cleared: Mutation = ["deleteRange", whole.begin, whole.end];
        return { mutations: [cleared], call: (at, options) => at.clearSublevel(range[1], options) };
      }
      case 3:
        return this.#planClearOfSnapshot(bounds, variant);
      default:
    }
    return { mutations: [range], call: (at, options) => at.clear({ bounds }, options) };
  }

  /** The keys are looked up at the call, so the model must know exactly what there is then. */
  async #planLimitedClear(range: ReadRange, reverse: boolean): Promise<PlannedWrite> {
    await this.#session.inFlight.waitBelow(0);
    const { model, store } = this.#session;
    const whole = { ...range, bounds: { ...range.bounds, reverse } };
    const span = model.visibleAt(store.version);
    if (span.low !== span.high) return { mutations: [], call: done };
    const mutations = this.#deletesOf(whole, span);
    return { mutations, reads: true, call: (at, options) => at.clear(whole, options) };
  }

  async #planClearOfSnapshot(bounds: Bounds, variant: number): Promise<PlannedWrite> {
    await this.#session.inFlight.waitBelow(0);
    const open = [...this.#snapshots.values()];
    const pinned = open[variant % Math.max(1, open.length)];
    if (pinned === undefined) return this.#planLimitedClear({ bounds, limit: 3 }, false);
    if (pinned.span.low !== pinned.span.high) return { mutations: [], call: done };
    const range = { bounds, snapshot: pinned.token };
    const mutations = this.#deletesOf(range, pinned.span);
    return { mutations, reads: true, call: (at, options) => at.clear(range, options) };
  }

  /** What a clear deletes, key by key. */
  #deletesOf({ bounds, limit }: ReadRange, span: PrefixSpan): readonly Mutation[] {
    const keys = this.#session.model
      .liveKeysAt(span.low)
      .filter((key) => key >= (bounds.gte ?? "") && (bounds.lt === undefined || key < bounds.lt));
    if (bounds.reverse === true) keys.reverse();
    return keys.slice(0, limit ?? keys.length).map((key): Mutation => ["delete", key]);
  }

  async #read(operation: Of<"get" | "getMany" | "scan">): Promise<void> {
    const database = await this.#open();
    const pinned = operation.snapshot === undefined ? undefined : this.#snapshots.get(operation.snapshot);
    const span = this.#spanOf(pinned);
    const call = `${operation.kind} through Level${pinned === undefined ? "" : " in a snapshot"}`;
    const { ledger, model } = this.#session;
    try {
      if (operation.kind === "scan") {
        const rows = await this.#scan(operation, database, pinned?.token);
        const limit = operation.limit ?? Number.POSITIVE_INFINITY;
        this.#session.checkAlive();
        checkScan(ledger, model, span, operation, limit, rows, call, "O42");
        return;
      }
      const keys = operation.kind === "get" ? [operation.key] : operation.keys;
      const values =
        operation.kind === "getMany"
          ? await database.getMany(keys, pinned?.token)
          : [await this.#get(operation, database, pinned?.token)];
      this.#session.checkAlive();
      if (values.length !== keys.length)
        throw new OracleFailure("O42", `${call}: ${keys.length} keys, ${values.length} values`);
      keys.forEach((key, index) => checkGet(ledger, model, span, key, values[index], call, "O42"));
    } catch (error) {
      this.#readFailed(error, call);
    }
  }

  #get(
    operation: Of<"get">,
    database: LevelDatabase,
    token: StillwaterSnapshot | undefined,
  ): Promise<Uint8Array | undefined> | Uint8Array | undefined {
    if (operation.blocking === true) return database.getSync(operation.key, token);
    return database.get(operation.key, token, (variantOf(operation) & 1) === 1);
  }

  #scan(
    operation: Of<"scan">,
    database: LevelDatabase,
    snapshot: StillwaterSnapshot | undefined,
  ): Promise<Row[]> {
    const range: ReadRange = {
      bounds: operation,
      ...(operation.limit === undefined ? {} : { limit: operation.limit }),
      ...(snapshot === undefined ? {} : { snapshot }),
    };
    return database.rows(range, operation.awaited === true);
  }

  async #openSnapshot(id: number): Promise<void> {
    const { model, order } = this.#session;
    const database = await this.#open();
    const token = database.root.snapshot() as StillwaterSnapshot;
    const { version } = token.pinned;
    order.readAt("a snapshot", version);
    this.#snapshots.set(id, { token, span: model.visibleAt(version) });
  }

  async #openIterator(operation: Of<"openIterator">): Promise<void> {
    const database = await this.#open();
    const pinned = operation.snapshot === undefined ? undefined : this.#snapshots.get(operation.snapshot);
    const span = { ...this.#spanOf(pinned) };
    const version = pinned?.token.pinned.version ?? this.#session.store.version;
    const iterator = database.iterator({
      bounds: operation,
      ...(pinned === undefined ? {} : { snapshot: pinned.token }),
    });
    this.#iterators.set(operation.id, { iterator, version, span, bounds: operation, position: null });
  }

  async #stepIterator(operation: Of<"stepIterator">): Promise<void> {
    const open = this.#iterators.get(operation.id);
    if (open === undefined) return;
    const { ledger, model } = this.#session;
    tighten(open.span, model.visibleAt(open.version));
    let rows: Row[];
    try {
      const entries = await open.iterator.nextv(operation.count);
      rows = entries.map(([key, value]) => ({ key: keyText(key), value }));
    } catch (error) {
      if (isOfClosedSnapshot(error)) return this.#closeIterator(operation.id);
      this.#iterators.delete(operation.id);
      this.#readFailed(error, "an iterator of Level");
      await open.iterator.close();
      return;
    }
    this.#session.checkAlive();
    const ends = rows.length < operation.count;
    for (const row of ends ? [...rows, null] : rows) {
      checkStep(ledger, model, open.span, open.bounds, open.position, row, "an iterator of Level", "O42");
      if (row !== null) open.position = { key: row.key, inclusive: false };
    }
  }

  /** Also behind the end, which a seek takes back. */
  #seekIterator({ id, key }: Of<"seekIterator">): void {
    const open = this.#iterators.get(id);
    if (open === undefined) return;
    open.iterator.seek(Buffer.from(keyBytes(key)));
    open.position = { key, inclusive: true };
  }

  async #closeIterator(id: number): Promise<void> {
    await this.#iterators.get(id)?.iterator.close();
    this.#iterators.delete(id);
  }

  /** For a snapshot the same object each time, so that reads narrow it. */
  #spanOf(pinned: OpenSnapshot | undefined): PrefixSpan {
    const { model, order, store } = this.#session;
    if (pinned === undefined) {
      order.readAt("a read", store.version);
      return model.visibleAt(store.version);
    }
    tighten(pinned.span, model.visibleAt(pinned.token.pinned.version));
    return pinned.span;
  }

  #readFailed(error: unknown, call: string): void {
    const cause = causeOfLevelError(this.#session.ledger, error, call);
    if (this.#session.judge(cause, call) === "damage") throw new DamageFound(call);
  }
}

/** One of several ways to carry out an operation. */
function variantOf(operation: Operation): number {
  return crc32(JSON.stringify(operation));
}

function tighten(span: PrefixSpan, other: PrefixSpan): void {
  span.low = Math.max(span.low, other.low);
  span.high = Math.min(span.high, other.high);
  if (span.low > span.high) throw new OracleFailure("O42", "reads at one version agree with no single state");
}

function done(): Promise<void> {
  return Promise.resolve();
}

/** What was read in a snapshot ends with it. */
function isOfClosedSnapshot(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "LEVEL_SNAPSHOT_NOT_OPEN";
}

function hasTooLongKey(mutation: Mutation): boolean {
  return mutation[1].length > KEY_BYTES_MAX;
}

function isNothing(mutation: Mutation): boolean {
  return mutation[0] === "deleteRange" && mutation[1] >= mutation[2];
}
