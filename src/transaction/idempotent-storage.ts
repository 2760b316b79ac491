/**
 * Commits that are remembered under a key their caller has chosen (`idempotencyKey`), so that committing again applies
 * nothing and answers with the version of the first time: how a result that is not known becomes known, after a restart
 * too. A layer over any storage: the record is one more write of the same commit, looked up by one more read of it, and
 * conflicts are what makes two commits with one key exclude each other.
 *
 *     \xff/idempotency/epoch           → number of the current epoch, 8 bytes
 *     \xff/idempotency/key/EPOCH KEY   → versionstamp of the commit
 *
 * Records live by epochs, of which the current one and the one before count. A process that has watched one epoch for as
 * long as the window begins the next with its next such commit, which clears all before the previous one with one clear of a
 * range. Time is what passes while somebody has the database open, by monotonic clocks: a record is kept for at least the
 * window, whatever the wall clock does, and a database that was closed for a year has forgotten nothing.
 * Does not own: when to try again (`runner.ts`), what two bodies with one key have in common (the caller).
 */
import type { Clock } from "../platform/platform.js";
import { mutant, sometimes } from "../platform/probes.js";
import { keyText, keyTextAfter } from "./key-text.js";
import type {
  Answer,
  CommitRequest,
  CommitResult,
  StorageView,
  StorageWatch,
  TransactionStorage,
} from "./storage.js";
import type { ReadTransaction, Transaction } from "./transaction.js";
import { VERSIONSTAMP_BYTES, versionOfStamp } from "./versionstamp.js";

/** Retries of a client come within seconds; those of a queue or a person within minutes. */
export const IDEMPOTENCY_WINDOW_MS = 600_000;

const PREFIX = Buffer.from("\xff/idempotency/", "latin1");
const EPOCH_KEY = join(PREFIX, Buffer.from("epoch"));
const RECORDS = join(PREFIX, Buffer.from("key/"));
const EPOCH_BYTES = 8;

export class IdempotentStorage implements TransactionStorage {
  readonly #storage: TransactionStorage;
  readonly #clock: Clock;
  readonly #windowMs: number;
  /** The newest epoch that this process has seen, and since when. */
  #epoch = -1;
  #sinceMs = 0;

  constructor(storage: TransactionStorage, clock: Clock, windowMs: number) {
    this.#storage = storage;
    this.#clock = clock;
    this.#windowMs = windowMs;
  }

  openView(version: number | null): Answer<StorageView> {
    return this.#storage.openView(version);
  }

  commit(request: CommitRequest): Promise<CommitResult> {
    const key = request.options.idempotencyKey;
    return key === undefined ? this.#storage.commit(request) : this.#commitOnce(request, key);
  }

  watch(key: Uint8Array, value: Uint8Array | undefined, version: number): StorageWatch {
    return this.#storage.watch(key, value, version);
  }

  /** What is looked up is read from the view of the transaction, as if it had read it itself. */
  async #commitOnce(request: CommitRequest, key: Uint8Array): Promise<CommitResult> {
    if (request.view !== null) return this.#commitOver(request, key, request.view);
    const view = await this.#storage.openView(request.readVersion);
    try {
      return await this.#commitOver({ ...request, view, readVersion: view.version }, key, view);
    } finally {
      view.close();
    }
  }

  async #commitOver(request: CommitRequest, key: Uint8Array, view: StorageView): Promise<CommitResult> {
    const epoch = epochOf(await view.get(EPOCH_KEY));
    const isOver = this.#isOver(epoch);
    const previous = mutant("T26-only-the-current-epoch-looked-up") ? epoch : epoch - 1;
    const stamp = (await view.get(recordKey(epoch, key))) ?? (await view.get(recordKey(previous, key)));
    if (stamp !== undefined) {
      sometimes("idempotency.committed-before");
      return { version: versionOfStamp(stamp), versionstamp: stamp };
    }
    const { readConflicts, writeConflicts, writes } = request;
    const looked = [EPOCH_KEY, recordKey(epoch, key), recordKey(epoch - 1, key)];
    for (const read of mutant("T27-look-up-conflicts-with-nobody") ? [] : looked) {
      readConflicts.add(keyText(read), keyTextAfter(keyText(read)));
    }
    const next = isOver ? epoch + 1 : epoch;
    if (next > epoch) {
      sometimes("idempotency.next-epoch");
      const forgotten = join(RECORDS, epochBytes(next - 1));
      writes.set(EPOCH_KEY, epochBytes(next));
      writes.clearRange(RECORDS, forgotten);
      writeConflicts.add(keyText(EPOCH_KEY), keyTextAfter(keyText(EPOCH_KEY)));
      writeConflicts.add(keyText(RECORDS), keyText(forgotten));
    }
    if (mutant("T25-idempotency-key-not-recorded")) return this.#storage.commit(request);
    const record = recordKey(next, key);
    writes.setStampedValue(record, new Uint8Array(VERSIONSTAMP_BYTES), 0);
    writeConflicts.add(keyText(record), keyTextAfter(keyText(record)));
    return this.#storage.commit(request);
  }

  /** Whether this process has seen the epoch last for the window. */
  #isOver(epoch: number): boolean {
    const nowMs = this.#clock.nowMs();
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#sinceMs = nowMs;
    }
    return nowMs - this.#sinceMs >= this.#windowMs;
  }
}

/** The version of the commit with this key, if it is remembered. Needs `accessSystemKeys`. Two or three point reads. */
export async function readCommittedVersion(
  transaction: ReadTransaction,
  key: Uint8Array,
): Promise<number | undefined> {
  const epoch = epochOf(await transaction.get(EPOCH_KEY));
  const stamp =
    (await transaction.get(recordKey(epoch, key))) ?? (await transaction.get(recordKey(epoch - 1, key)));
  return stamp === undefined ? undefined : versionOfStamp(stamp);
}

/**
 * As `readCommittedVersion`; if there is none and this transaction commits, then no commit with the key that was sent
 * before will ever succeed, because it has read what this writes.
 */
export async function fenceCommit(transaction: Transaction, key: Uint8Array): Promise<number | undefined> {
  const version = await readCommittedVersion(transaction, key);
  if (version === undefined) {
    transaction.addWriteConflictKey(recordKey(epochOf(await transaction.get(EPOCH_KEY)), key));
  }
  return version;
}

function recordKey(epoch: number, key: Uint8Array): Uint8Array {
  return join(RECORDS, epochBytes(epoch), key);
}

function epochOf(bytes: Uint8Array | undefined): number {
  return bytes === undefined ? FIRST_EPOCH : Number(Buffer.from(bytes).readBigUInt64BE());
}

/** Not 0, so that there is one before. */
const FIRST_EPOCH = 1;

function epochBytes(epoch: number): Uint8Array {
  const bytes = Buffer.alloc(EPOCH_BYTES);
  bytes.writeBigUInt64BE(BigInt(epoch));
  return bytes;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
