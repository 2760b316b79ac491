/**
 * Commits as single etcd transactions. The conditions are what the transaction has read, and what the commit itself needs
 * to know beforehand: the values that atomic operations build on, the version that a versionstamp holds. When only these
 * have changed, it tries again with the new ones; nobody else is told of it.
 *
 * Promises: one etcd transaction takes effect, or none; who gets `COMMIT_UNKNOWN_RESULT` could not be told for want of any
 * member to ask. Does not own: reading.
 */
import type { Clock, Random, Scheduler } from "../../platform/platform.js";
import { ConflictError, TransactionError } from "../../transaction/errors.js";
import type { CommitRequest, CommitResult } from "../../transaction/storage.js";
import { versionstampOf } from "../../transaction/versionstamp.js";
import type { EtcdKeyValue, EtcdOperation, EtcdTxn, EtcdTxnResult } from "./client.js";
import type { EtcdCluster } from "./cluster.js";
import { CommitAttempt } from "./commit-attempt.js";
import { unknownResult } from "./failure.js";
import { KeyLocks } from "./key-locks.js";
import { type Lane, Lanes, resultOf } from "./lanes.js";
import type { Layout } from "./layout.js";
import { Markers } from "./markers.js";
import { ReadConditions } from "./read-conditions.js";
import { TraceLease } from "./trace-lease.js";
import type { EtcdView } from "./view.js";
import { isStamped, pendingKeys } from "./write-operations.js";

export interface CommitLimits {
  /** etcd's --max-txn-ops: comparisons, and operations, of one transaction. */
  readonly maxOperations: number;
  /** etcd's --max-request-bytes. */
  readonly maxRequestBytes: number;
}

export interface CommitterParts {
  readonly cluster: EtcdCluster;
  readonly layout: Layout;
  readonly limits: CommitLimits;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** A name that no other client has. */
  readonly client: string;
}

/** How often a commit tries again by itself before it says that it conflicts. */
const TRIES_MAX = 64;
const PAUSE_MS_MAX = 32;
/** The lock of commits that need to know their version beforehand. No key has this name. */
const VERSION_LOCK = "";
/** Sorts behind those of keys, as locks must be taken. */
const MARKER_LOCK = "m";

export class Committer {
  readonly #parts: CommitterParts;
  readonly #locks = new KeyLocks();
  readonly #lanes: Lanes;
  readonly #lease: TraceLease;
  readonly #markers: Markers;
  /** The newest version that this client has heard of. */
  #version = 0;
  /** A commit that must guess its version and has guessed wrong goes alone; the others wait for this. */
  #alone: Turn | null = null;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
    this.#lanes = new Lanes(parts.layout, parts.client);
    this.#markers = new Markers(parts.layout, parts.cluster);
    this.#lease = new TraceLease(parts.cluster, parts.clock);
  }

  sawVersion(version: number): void {
    if (version > this.#version) this.#version = version;
  }

  /** `view`: what was read from, when something that was read may conflict. */
  async commit(request: CommitRequest, view: EtcdView | null): Promise<CommitResult> {
    const { cluster, layout, limits } = this.#parts;
    const conditions =
      view === null
        ? null
        : await ReadConditions.of(view, request.readConflicts, layout, limits.maxOperations);
    const pending = pendingKeys(request.writes);
    const stamped = isStamped(request.writes);
    const attempt = new CommitAttempt(request, conditions, view?.revision ?? 0, pending, stamped, layout);
    const release = await this.#locks.acquire([
      ...(stamped ? [VERSION_LOCK] : []),
      ...pending.map((key) => `k${key}`),
      ...(attempt.isMarked ? [MARKER_LOCK] : []),
    ]);
    const lane = this.#lanes.take();
    try {
      if (pending.length > 0) {
        const rows = await this.#basesOf(pending);
        attempt.knowBases(rows);
      }
      const version = await this.#untilDecided(attempt, lane);
      this.#lanes.giveBack(lane);
      this.sawVersion(version);
      return { version, versionstamp: versionstampOf(version) };
    } catch (error) {
      if (!isUndecided(error)) this.#lanes.giveBack(lane);
      if (!(error instanceof ConflictError)) throw error;
      const isAsked = request.options.reportConflictingRanges && conditions !== null;
      throw isAsked ? await reported(error, conditions, layout, cluster, limits) : new ConflictError();
    } finally {
      release();
    }
  }

  /** Takes what the client has left behind out of etcd. */
  async close(): Promise<void> {
    await this.#parts.cluster.send({ compare: [], success: [this.#lanes.removal()], failure: [] });
  }

  async #untilDecided(attempt: CommitAttempt, lane: Lane): Promise<number> {
    const { scheduler, random } = this.#parts;
    let turn: Turn | null = null;
    try {
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        if (turn === null) await this.#alone?.over;
        const lease = attempt.removes ? await this.#lease.current() : null;
        const txn = attempt.transaction(this.#version, lane, lease);
        checkLimits(txn, this.#parts.limits);
        const result = await this.#sendOnce(txn, lane);
        if (typeof result === "number") return result;
        if (result !== null) {
          const version = await attempt.learnFrom(result, lane, this.#markers);
          if (version === null) throw new ConflictError();
          this.sawVersion(version);
        }
        if (attempt.stamped && this.#alone === null) this.#alone = turn = new Turn();
        if (tries > 0) await pause(scheduler, random, Math.min(PAUSE_MS_MAX, 2 ** tries));
      }
      throw new ConflictError();
    } finally {
      if (turn !== null) {
        this.#alone = null;
        turn.end();
      }
    }
  }

  /** The version, if it took effect; the answer, if it was refused; null if it was lost and has not taken effect. */
  async #sendOnce(txn: EtcdTxn, lane: Lane): Promise<number | EtcdTxnResult | null> {
    const { cluster } = this.#parts;
    const patience = cluster.patience();
    for (;;) {
      const sent = await cluster.send(txn);
      if ("result" in sent) {
        if (!sent.result.succeeded) return sent.result;
        lane.puts++;
        return Number(sent.result.responses[0]?.response_put.prev_kv?.version ?? 0) + 1;
      }
      if (sent.failure.kind === "expired") {
        this.#lease.forget();
        return null;
      }
      if (sent.failure.kind !== "unknown") {
        await patience.afterFailure(sent.failure);
        continue;
      }
      try {
        const revision = await resultOf(lane, cluster);
        return revision === null ? null : await this.#versionAt(revision);
      } catch (error) {
        throw unknownResult(error);
      }
    }
  }

  async #versionAt(revision: number): Promise<number> {
    const { cluster, layout } = this.#parts;
    const { kvs } = await cluster.range({ key: layout.sequence, revision });
    return Number(kvs[0]?.version ?? 0);
  }

  async #basesOf(keys: readonly string[]): Promise<(EtcdKeyValue | undefined)[]> {
    const { cluster, layout, limits } = this.#parts;
    const rows: (EtcdKeyValue | undefined)[] = [];
    for (let from = 0; from < keys.length; from += limits.maxOperations) {
      const some = keys.slice(from, from + limits.maxOperations);
      const answers = await cluster.ranges(some.map((key) => ({ key: layout.data(key) })));
      rows.push(...answers.map(({ kvs }) => kvs[0]));
    }
    return rows;
  }
}

/** A time in which one commit goes alone. */
class Turn {
  readonly over: Promise<void>;
  end: () => void = () => {};

  constructor() {
    this.over = new Promise((resolve) => {
      this.end = resolve;
    });
  }
}

/** Protocol buffers around an operation or a comparison beyond its bytes, generously. */
const OVERHEAD_BYTES = 32;

function checkLimits({ compare, success, failure }: EtcdTxn, limits: CommitLimits): void {
  const operations = Math.max(compare.length, success.length, failure.length);
  if (operations > limits.maxOperations) {
    throw tooLarge(
      `${compare.length} comparisons (one for each range and each key that was read) and ${success.length} operations`,
      `${limits.maxOperations} of each (its --max-txn-ops, the option maxOperations)`,
    );
  }
  let bytes = 0;
  for (const { key, range_end } of compare) bytes += key.length + (range_end?.length ?? 0) + OVERHEAD_BYTES;
  for (const { request_put: put, request_delete_range: deletion } of success) {
    bytes += OVERHEAD_BYTES + (put?.key.length ?? 0) + (put?.value.length ?? 0);
    bytes += (deletion?.key.length ?? 0) + (deletion?.range_end?.length ?? 0);
  }
  for (const { request_range: range } of failure) bytes += OVERHEAD_BYTES + (range?.key.length ?? 0);
  if (bytes > limits.maxRequestBytes) {
    throw tooLarge(
      `${bytes} bytes`,
      `${limits.maxRequestBytes} (its --max-request-bytes, the option maxRequestBytes)`,
    );
  }
}

function tooLarge(has: string, most: string): TransactionError {
  return new TransactionError(
    "TRANSACTION_TOO_LARGE",
    `as one transaction of etcd this has ${has}; it takes ${most}. Split it, or raise both.`,
  );
}

/** Which of the ranges that were read have changed, with those that a marker has shown. */
async function reported(
  { ranges }: ConflictError,
  conditions: ReadConditions,
  layout: Layout,
  cluster: EtcdCluster,
  limits: CommitLimits,
): Promise<ConflictError> {
  const changed = await Promise.all(
    conditions.byRange().map(async ({ range, compares }) => {
      const look: EtcdOperation = { request_range: { key: layout.sequence } };
      const compare = compares.slice(0, limits.maxOperations);
      if (ranges.some(([begin]) => begin === range[0])) return [range];
      return (await cluster.check({ compare, success: [look], failure: [look] })).succeeded ? [] : [range];
    }),
  );
  return new ConflictError(changed.flat());
}

function isUndecided(error: unknown): boolean {
  return error instanceof TransactionError && error.code === "COMMIT_UNKNOWN_RESULT";
}

function pause(scheduler: Scheduler, random: Random, mostMs: number): Promise<void> {
  return new Promise((resolve) => {
    scheduler.after((mostMs * random.nextUint32()) / 2 ** 32, resolve, true);
  });
}
