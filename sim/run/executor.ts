/**
 * Carries out one operation of a workload on the store of the current life, beside the model, and hands every answer to
 * the oracles. Does not own: reads (`reader.ts`); opening, closing and crashing (`life.ts`): an operation that ends the
 * life says so.
 */
import { Batch } from "../../src/engine/batch.js";
import { KEY_BYTES_MAX } from "../../src/engine/format/operation.js";
import type { Store } from "../../src/engine/store.js";
import type { WriteOptions } from "../../src/engine/store-types.js";
import { assert } from "../../src/platform/assert.js";
import { hasCode } from "../../src/platform/errors.js";
import type { Commit } from "../model/commit.js";
import { OracleFailure } from "../oracles/failure.js";
import type { Operations } from "../oracles/metrics.js";
import { keyBytes, sharedValueBytes } from "../workload/bytes.js";
import type { Mutation, Operation } from "../workload/operation.js";
import { acknowledge, TRACE_ACKNOWLEDGED } from "./acknowledge.js";
import { checkWholeStore } from "./checks.js";
import { takeCheckpoint } from "./copies.js";
import { openSecond } from "./opening.js";
import { disturbCopying } from "./rare-moments.js";
import { Reader } from "./reader.js";
import { DamageFound, type Session } from "./session.js";

type Of<Kind extends Operation["kind"]> = Extract<Operation, { kind: Kind }>;

/** `reopen`: the life is to be closed in order and a new one begun. */
export type AfterOperation = "go-on" | "reopen";

export class Executor {
  readonly #session: Session;
  readonly #reader: Reader;
  /** Reused: the store copies a batch at the call, and a bug there would show. */
  readonly #batch = new Batch();

  constructor(session: Session) {
    this.#session = session;
    this.#reader = new Reader(session);
  }

  async run(operation: Operation, number: number): Promise<AfterOperation> {
    if ((await this.#session.level?.run(operation, number)) === true) return "go-on";
    switch (operation.kind) {
      case "write":
        await this.#write(operation, number);
        break;
      case "get":
        await this.#reader.get(operation);
        break;
      case "getMany":
        await this.#reader.getMany(operation);
        break;
      case "openSecond":
        await openSecond(this.#session, operation.waitsMs);
        break;
      case "scan":
        await this.#reader.scan(operation);
        break;
      case "openSnapshot":
        this.#reader.openSnapshot(operation.id);
        break;
      case "closeSnapshot":
        this.#reader.closeSnapshot(operation.id);
        break;
      case "openIterator":
        this.#reader.openIterator(operation);
        break;
      case "stepIterator":
        this.#reader.stepIterator(operation);
        break;
      case "seekIterator":
        this.#reader.seekIterator(operation);
        break;
      case "closeIterator":
        this.#reader.closeIterator(operation.id);
        break;
      case "flush":
        await this.#flush(operation);
        break;
      case "compact":
        await this.#compact(operation);
        break;
      case "checkpoint":
        disturbCopying(this.#session);
        await takeCheckpoint(this.#session, number, operation.restores);
        break;
      case "backup":
        await this.#session.backups.run(operation);
        break;
      case "verify":
        await this.#verify();
        break;
      case "checkAll":
        await checkWholeStore(this.#session);
        break;
      case "settle":
        await this.#session.inFlight.waitBelow(0);
        await this.#session.transactor.watches.checkWaiting();
        break;
      case "pause":
        await this.#session.pause(operation.ms);
        break;
      case "limitSpace":
        this.#limitSpace(operation.freeBytes);
        break;
      case "dropCaches":
        this.#session.disk.dropCaches();
        break;
      case "reader":
        await this.#session.readers.run(operation);
        break;
      case "transact":
      case "records":
        await this.#session.transactor.run(operation, number);
        break;
      case "crash":
        this.#session.world.crashes.arm({ how: operation.how, at: operation.at });
        break;
      case "reopen":
        if (operation.settles) await this.#session.inFlight.waitBelow(0);
        return "reopen";
    }
    return "go-on";
  }

  async #write(operation: Of<"write">, number: number): Promise<void> {
    const { store, model, counts, idempotence, options, storeOptions, inFlight } = this.#session;
    idempotence.written();
    const usual = storeOptions.durability ?? "sync";
    // A store without durability has none to choose from.
    const chosen = usual === "none" ? undefined : operation.durability;
    const durability = chosen ?? usual;
    const required =
      operation.requireAhead === undefined ? undefined : store.version + operation.requireAhead;
    const writeOptions: WriteOptions = {
      ...(chosen === undefined ? {} : { durability: chosen }),
      ...(required === undefined ? {} : { requireVersionAtLeast: required }),
    };
    if (operation.mutations.some(hasTooLongKey)) return this.#writeTooLong(operation, writeOptions);
    counts.commits++;
    const commit = model.submit(number, operation.mutations, durability);
    const isEmpty = operation.mutations.every(isNothing);
    const { order } = this.#session;
    const began = order.now;
    const versionBefore = store.version;
    const onAnswer = (version: number): void => {
      if (required !== undefined) order.required(commit.describe(), versionBefore, required, false);
      if (!isEmpty) order.committed(commit.describe(), began, version, required);
      this.#acknowledged(commit, version, isEmpty);
    };
    const onError = (error: unknown): void => {
      if (required !== undefined && hasCode(error, "VERSION_TOO_LOW"))
        order.required(commit.describe(), versionBefore, required, true);
      this.#failed(commit, error);
    };
    if (operation.call === "blocking") {
      let version: number;
      try {
        version = store.writeSync(this.#batchOf(operation.mutations), writeOptions);
      } catch (error) {
        onError(error);
        return;
      }
      this.#session.checkAlive();
      onAnswer(version);
      return;
    }
    let call: Promise<number>;
    try {
      call = this.#submit(store, operation, writeOptions);
    } catch (error) {
      onError(error);
      return;
    }
    inFlight.add(commit.describe(), call, onAnswer, onError);
    await inFlight.waitBelow(options.committersMax - 1);
  }

  /** Must be refused before anything is done: the model never hears of it. */
  async #writeTooLong(operation: Of<"write">, options: WriteOptions): Promise<void> {
    const { store } = this.#session;
    try {
      if (operation.call === "blocking") store.writeSync(this.#batchOf(operation.mutations), options);
      else await this.#submit(store, operation, options);
    } catch (error) {
      this.#session.judge(error, "a commit with a key that is too long", ["KEY_TOO_LARGE"]);
      return;
    }
    this.#session.checkAlive();
    throw new OracleFailure("O16", "a commit with a key that is too long is accepted");
  }

  #submit(store: Store, operation: Of<"write">, options: WriteOptions): Promise<number> {
    if (operation.call === "batch") return store.write(this.#batchOf(operation.mutations), options);
    const [mutation] = operation.mutations;
    assert(mutation !== undefined && operation.mutations.length === 1, "a single write has one mutation");
    if (mutation[0] === "put") {
      return store.put(keyBytes(mutation[1]), sharedValueBytes(mutation[2], mutation[3]), options);
    }
    if (mutation[0] === "delete") return store.delete(keyBytes(mutation[1]), options);
    return store.deleteRange(keyBytes(mutation[1]), keyBytes(mutation[2]), options);
  }

  #batchOf(mutations: readonly Mutation[]): Batch {
    const batch = this.#batch;
    batch.clear();
    for (const mutation of mutations) {
      if (mutation[0] === "put") batch.put(keyBytes(mutation[1]), sharedValueBytes(mutation[2], mutation[3]));
      else if (mutation[0] === "delete") batch.delete(keyBytes(mutation[1]));
      else batch.deleteRange(keyBytes(mutation[1]), keyBytes(mutation[2]));
    }
    return batch;
  }

  #acknowledged(commit: Commit, version: number, isEmpty: boolean): void {
    if (!isEmpty) {
      this.#session.metricsWatch.acknowledged(operationsOf(commit.mutations));
      return acknowledge(this.#session, commit, version);
    }
    // Nothing to store, so the engine need not give it a version of its own.
    const { model, counts, world } = this.#session;
    counts.acknowledged++;
    world.trace.event(TRACE_ACKNOWLEDGED, commit.sequence, version, 0);
    model.refuse(commit);
  }

  #failed(commit: Commit, error: unknown): void {
    const { model, failStop, world } = this.#session;
    const verdict = this.#session.judge(error, commit.describe(), ["BUSY", "VERSION_TOO_LOW", "NO_SPACE"]);
    world.trace.event(TRACE_FAILED, commit.sequence, verdict.length, 0);
    if (verdict === "refused") return model.refuse(commit);
    commit.outcome = "unknown";
    failStop.stop(`${commit.describe()} failed`, model.submitted);
  }

  async #flush(operation: Of<"flush">): Promise<void> {
    const { store, model, inFlight } = this.#session;
    const upTo = model.acknowledgedUpTo();
    await this.#maintain("flush", store.flush(), () => {
      model.durableUpTo(upTo);
      this.#session.onPromise?.({ kind: "flush", what: `a flush of commits up to ${upTo}` });
    });
    if (operation.waits) await inFlight.waitBelow(0);
  }

  async #compact(operation: Of<"compact">): Promise<void> {
    const { store, inFlight } = this.#session;
    await this.#maintain("compact", store.compact(), () => {});
    if (operation.waits) await inFlight.waitBelow(0);
  }

  async #maintain(what: string, call: Promise<unknown>, onDone: () => void): Promise<void> {
    const { inFlight, failStop } = this.#session;
    const hadStopped = failStop.stopped;
    const onAnswer = (): void => {
      failStop.maintained(what, hadStopped);
      onDone();
    };
    inFlight.add(what, call, onAnswer, (error) => {
      const verdict = this.#session.judge(error, what, this.#session.closing ? ["CLOSED"] : []);
      if (verdict === "damage") throw new DamageFound(what);
    });
    await inFlight.waitBelow(MAINTENANCE_IN_FLIGHT_MAX);
  }

  async #verify(): Promise<void> {
    const { store, disk } = this.#session;
    try {
      const { problems } = await store.verify();
      this.#session.checkAlive();
      // A store that has stopped no longer knows which of its last writes are on the disk.
      if (problems.length === 0 || store.inspect().failedStop) return;
      if (disk.damage.length > 0) throw new DamageFound("verify");
      // What cannot be read does not verify either.
      if (!disk.hasFailedReads) {
        throw new OracleFailure("O23", `verify finds damage that nobody did: ${problems.join("; ")}`);
      }
    } catch (error) {
      this.#readFailed(error, "verify");
    }
  }

  #limitSpace(freeBytes: number | null): void {
    const { disk, options } = this.#session;
    this.#session.spaceLimited = freeBytes !== null;
    disk.setCapacity(freeBytes === null ? options.disk.capacityBytes : disk.usedBytes + freeBytes);
  }

  #readFailed(error: unknown, call: string): void {
    if (this.#session.judge(error, call) === "damage") throw new DamageFound(call);
  }
}

/** Flushes and compactions that may run beside the workload. */
const MAINTENANCE_IN_FLIGHT_MAX = 12;

const TRACE_FAILED = 1002;

/** What a batch holds in the end: a range delete drops what the batch wrote before it. */
function operationsOf(mutations: Commit["mutations"]): Operations {
  const operations = { puts: 0, deletes: 0, rangeDeletes: 0 };
  mutations.forEach((mutation, at) => {
    const [kind, key] = mutation;
    if (kind === "deleteRange") {
      if (!isNothing(mutation)) operations.rangeDeletes++;
      return;
    }
    const isDropped = mutations
      .slice(at + 1)
      .some((later) => later[0] === "deleteRange" && later[1] <= key && key < later[2]);
    if (isDropped) return;
    if (kind === "delete") operations.deletes++;
    else operations.puts++;
  });
  return operations;
}

function isNothing(mutation: Mutation): boolean {
  return mutation[0] === "deleteRange" && mutation[1] >= mutation[2];
}

function hasTooLongKey(mutation: Mutation): boolean {
  return mutation[1].length > KEY_BYTES_MAX;
}
