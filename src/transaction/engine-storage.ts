/**
 * Transactions on our own engine. One thread, so the serial order is the order in which commits get their versions: at that
 * moment, with nothing in between, the reads of a transaction are checked against everything written since its read
 * version, its atomic operations become values, and the batch goes to the log.
 *
 * Promises: strict serializability of everything that goes through this object; a commit that is refused has done nothing.
 * Does not own: the store's own durability and visibility; transactions of other processes (the store is locked to one).
 */
import { Batch } from "../engine/batch.js";
import { hasCode } from "../platform/errors.js";
import type { Clock } from "../platform/platform.js";
import { buggify, mutant } from "../platform/probes.js";
import { applyAtomic } from "./atomic.js";
import { EngineViews, type TransactionalStore } from "./engine-views.js";
import { ConflictError, TransactionError } from "./errors.js";
import { keyBytes, keyText, keyTextAfter } from "./key-text.js";
import { TRANSACTION_LIFETIME_MS } from "./limits.js";
import type { RangeSet } from "./range-set.js";
import type {
  CommitRequest,
  CommitResult,
  ConflictingRanges,
  StorageView,
  StorageWatch,
  TransactionStorage,
} from "./storage.js";
import { type DecidedValues, UnappliedWrites } from "./unapplied-writes.js";
import { stampedBytes, versionstampOf } from "./versionstamp.js";
import { WatchList } from "./watch-list.js";
import type { WriteStep } from "./write-buffer.js";
import { WriteHistory } from "./write-history.js";

/** Commits between two steps that forget old history; each step looks at one chunk of it. */
const COMMITS_PER_SWEEP = 16;

/** Of more ranges only those are kept that an open view may still conflict with: some 150 bytes each. */
const HISTORY_RANGES = 65_536;

export class EngineStorage implements TransactionStorage {
  /** Taking a snapshot is two operations on a map in memory; sharing an older one would pin versions for nothing. */
  readonly hasFreeVersions = true;
  readonly isExclusive = true;
  readonly #store: TransactionalStore;
  readonly #clock: Clock;
  readonly #views: EngineViews;
  readonly #history: WriteHistory;
  readonly #unapplied = new UnappliedWrites();
  readonly #watches: WatchList;
  readonly #batch = new Batch();
  /** The commit that `#batch` holds. */
  #prepared: PendingCommit | null = null;
  /** Versions by the time at which they were the newest, for the horizon: one entry a sweep. */
  readonly #times: { readonly version: number; readonly atMs: number }[] = [];
  #commits = 0;

  constructor(store: TransactionalStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#views = new EngineViews(store, clock);
    this.#history = new WriteHistory(store.version);
    this.#watches = new WatchList((key) => store.getSync(key));
  }

  openView(version: number | null): StorageView {
    const snapshot = this.#store.snapshot();
    if (version !== null && version !== snapshot.version) {
      snapshot.close();
      throw version > this.#store.version
        ? new TransactionError(
            "FUTURE_VERSION",
            `the store is at version ${this.#store.version}, not yet at ${version}.`,
          )
        : new TransactionError("TRANSACTION_TOO_OLD", `version ${version} is not kept any more.`);
    }
    return this.#views.open(snapshot);
  }

  async commit(request: CommitRequest): Promise<CommitResult> {
    const commit = new PendingCommit(request);
    let version: number;
    try {
      version = await this.#store.writePrepared(
        {
          prepare: (next) => this.#prepare(commit, next),
          accepted: (given) => this.#accepted(commit, given),
        },
        request.options.durability,
        request.options.priority,
      );
    } catch (error) {
      // Given a version, it may be in the log; the next opening decides.
      if (commit.version !== 0 && hasCode(error, "FAILED_STOP")) {
        if (mutant("T15-unknown-result-told-as-conflict")) throw new ConflictError();
        throw new TransactionError(
          "COMMIT_UNKNOWN_RESULT",
          "the store stopped while it committed. Reopen it, and look whether the commit is there.",
          { cause: error },
        );
      }
      throw error;
    }
    this.#unapplied.applied(this.#store.version);
    if (!this.#watches.isEmpty) this.#watches.wrote(commit.written());
    return { version, versionstamp: versionstampOf(version) };
  }

  watch(key: Uint8Array, value: Uint8Array | undefined): StorageWatch {
    return this.#watches.add(key, value);
  }

  /** To be called when the store closes. */
  close(): void {
    this.#watches.close(new TransactionError("OPERATION_CANCELLED", "the database is closed."));
  }

  /** Throws what the commit fails with. */
  #prepare(commit: PendingCommit, version: number): Batch {
    const { request } = commit;
    this.#unapplied.applied(this.#store.version);
    this.#checkConflicts(request);
    const batch = this.#batch;
    // Put off for want of room, and nothing has been committed since: it would come out the same.
    if (this.#prepared === commit && commit.preparedFor === version) return batch;
    this.#prepared = null;
    batch.clear();
    commit.decided.clear();
    const { writes } = request;
    batch.expect(writes.operations, writes.bytes);
    for (const [begin, end] of writes.cleared) batch.deleteRange(keyBytes(begin), keyBytes(end));
    const stamp = versionstampOf(mutant("T11-versionstamp-of-the-last-commit") ? version - 1 : version);
    for (const [key, written] of writes.writes) {
      const bytes = keyBytes(key);
      if (written.kind === "known") put(batch, bytes, written.value);
      else {
        const value = this.#decide(key, bytes, written.steps, stamp);
        put(batch, bytes, value);
        commit.decided.set(key, value);
      }
    }
    commit.stampedKeys.length = 0;
    for (const { key, value, offset, clearedAfter } of writes.stampedKeys) {
      const stamped = stampedBytes(key, offset, stamp);
      const at = keyText(stamped);
      commit.stampedKeys.push(at);
      if (clearedAfter.has(at)) continue;
      batch.put(stamped, value);
      commit.decided.set(at, value);
    }
    if (batch.count === 0) batch.nothing();
    commit.preparedFor = version;
    this.#prepared = commit;
    return batch;
  }

  #checkConflicts(request: CommitRequest): void {
    const { readVersion, readConflicts, options } = request;
    if (readVersion === null || readConflicts.isEmpty || mutant("T1-reads-not-checked")) return;
    const history = this.#history;
    if (readVersion < history.horizon) {
      if (mutant("T4-too-old-not-refused")) return;
      throw new TransactionError(
        "TRANSACTION_TOO_OLD",
        `the transaction read version ${readVersion}, too long ago to tell what has been written since. Try again.`,
      );
    }
    const conflicting: [string, string][] = [];
    const checked = mutant("T7-only-writes-checked") ? request.writeConflicts : readConflicts;
    const since = mutant("T6-read-version-off-by-one") ? readVersion + 1 : readVersion;
    checked.forEach((begin, end) => {
      if (mutant("T3-only-points-checked") && end !== keyTextAfter(begin)) return;
      if (history.newest(begin, end, since) <= since) return;
      if (!options.reportConflictingRanges) throw new ConflictError();
      conflicting.push([begin, end]);
    });
    if (conflicting.length > 0) throw new ConflictError(conflicting as ConflictingRanges);
  }

  /** What the commit leaves under a key that it changes without having read it. */
  #decide(
    key: string,
    bytes: Uint8Array,
    steps: readonly WriteStep[],
    stamp: Uint8Array,
  ): Uint8Array | undefined {
    const unapplied = mutant("T10-atomic-on-what-is-visible") ? null : this.#unapplied.lookUp(key);
    let value = (unapplied ?? { value: this.#store.getSync(bytes) }).value;
    for (const step of steps) {
      value =
        step.operation === "setStamped"
          ? stampedBytes(step.operand, step.offset, stamp)
          : applyAtomic(step.operation, value, step.operand);
    }
    return value;
  }

  #accepted(commit: PendingCommit, version: number): void {
    commit.version = version;
    this.#prepared = null;
    const { writeConflicts, writes } = commit.request;
    if (!mutant("T2-writes-not-remembered")) this.#history.wroteAll(writeConflicts, version);
    for (const key of mutant("T22-stamped-keys-not-remembered") ? [] : commit.stampedKeys)
      this.#history.wrote(key, keyTextAfter(key), version);
    this.#unapplied.add(version, writes, commit.decided);
    this.#views.expire();
    if (++this.#commits % COMMITS_PER_SWEEP === 0 || buggify("transaction.eager-sweep"))
      this.#forget(version);
  }

  #forget(version: number): void {
    const nowMs = this.#clock.nowMs();
    this.#times.push({ version, atMs: nowMs });
    let old = 0;
    while (nowMs - (this.#times[old]?.atMs ?? nowMs) > TRANSACTION_LIFETIME_MS) old++;
    if (old > 0) {
      this.#history.forget((this.#times[old - 1] as { version: number }).version);
      this.#times.splice(0, old);
    }
    // A load writes more in five seconds than is good to keep, and below what is read now hardly anybody asks.
    if (this.#history.size > HISTORY_RANGES || buggify("transaction.short-history"))
      this.#history.forget(Math.min(version, this.#views.oldestVersion ?? version));
    this.#history.sweep();
  }
}

class PendingCommit {
  readonly request: CommitRequest;
  /** What the version, or what was stored, decides; filled by each preparation. */
  readonly decided: DecidedValues = new Map();
  /** Keys with the version of the commit in them. */
  readonly stampedKeys: string[] = [];
  /** The version that it was last prepared for. */
  preparedFor = 0;
  /** 0 until it is accepted. */
  version = 0;

  constructor(request: CommitRequest) {
    this.request = request;
  }

  /** All keys that it may have changed. */
  written(): RangeSet {
    const { writes } = this.request;
    const written = writes.cleared.copy();
    writes.forEachKey((key) => written.add(key, keyTextAfter(key)));
    for (const key of this.stampedKeys) written.add(key, keyTextAfter(key));
    return written;
  }
}

function put(batch: Batch, key: Uint8Array, value: Uint8Array | undefined): void {
  if (value === undefined) batch.delete(key);
  else batch.put(key, value);
}
