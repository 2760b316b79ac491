/**
 * The writes of a transaction: checked at the call, counted against the limit of its size, and kept until the commit. Conflict
 * ranges that are given by hand come through here too. Does not own: what is done with them (`write-buffer.ts`,
 * `write-conflicts.ts`), and which calls are legal when (`buffered-transaction.ts`).
 */
import { ATOMIC_OPERATIONS, type AtomicOperation } from "./atomic.js";
import type { Attempt } from "./attempt.js";
import { addRead } from "./conflict-ranges.js";
import { TransactionError } from "./errors.js";
import { keyText, keyTextAfter } from "./key-text.js";
import { checkKey, checkRange, checkReadKey, checkValue, KEY_BYTES_MAX } from "./limits.js";
import { stampedBytes, versionstampOf } from "./versionstamp.js";

/** What writes need to know of their transaction. */
export interface WritingTransaction {
  /** The attempt that a write belongs to. Throws when the transaction cannot be used. */
  useForWrite(): Attempt;
  use(): Attempt;
  /** Counts what is about to be written. Throws `TRANSACTION_TOO_LARGE`. */
  grow(bytes: number): void;
  /** The first key that may not be written. */
  readonly keysEnd: Uint8Array;
  readonly readsItsWrites: boolean;
}

/** Counted for each conflict range beside its bytes, and for each mutation, about as FoundationDB's client does. */
export const RANGE_OVERHEAD_BYTES = 24;
const MUTATION_OVERHEAD_BYTES = 28;
const VERSIONSTAMP_BYTES = 10;
const LAST_STAMP = new Uint8Array(VERSIONSTAMP_BYTES).fill(0xff);

export class Writes {
  readonly #transaction: WritingTransaction;

  constructor(transaction: WritingTransaction) {
    this.#transaction = transaction;
  }

  set(key: Uint8Array, value: Uint8Array): void {
    const attempt = this.#transaction.useForWrite();
    checkKey(key, this.#transaction.keysEnd);
    checkValue(value);
    this.#transaction.grow(MUTATION_OVERHEAD_BYTES + key.length + value.length + pointBytes(key));
    attempt.writes.set(key, value);
    wrote(attempt, key);
  }

  clear(key: Uint8Array): void {
    const attempt = this.#transaction.useForWrite();
    checkReadKey(key, this.#transaction.keysEnd);
    if (key.length > KEY_BYTES_MAX) return;
    this.#transaction.grow(MUTATION_OVERHEAD_BYTES + key.length + pointBytes(key));
    attempt.writes.clear(key);
    wrote(attempt, key);
  }

  clearRange(begin: Uint8Array, end: Uint8Array): void {
    const attempt = this.#transaction.useForWrite();
    const range = checkRange(begin, end, this.#transaction.keysEnd);
    if (range === null) return;
    const [from, to] = range;
    this.#transaction.grow(MUTATION_OVERHEAD_BYTES + 2 * (from.length + to.length) + RANGE_OVERHEAD_BYTES);
    attempt.writes.clearRange(from, to);
    if (attempt.writeConflicts.isListing) attempt.writeConflicts.wrote(keyText(from), keyText(to));
  }

  atomic(operation: AtomicOperation, key: Uint8Array, operand: Uint8Array): void {
    const attempt = this.#transaction.useForWrite();
    if (!Object.hasOwn(ATOMIC_OPERATIONS, operation)) {
      throw new TransactionError(
        "INVALID_MUTATION_TYPE",
        `there is no atomic operation "${String(operation)}". Known: ${Object.keys(ATOMIC_OPERATIONS).join(", ")}.`,
      );
    }
    checkKey(key, this.#transaction.keysEnd);
    checkValue(operand);
    this.#transaction.grow(MUTATION_OVERHEAD_BYTES + key.length + operand.length + pointBytes(key));
    attempt.writes.atomic(key, operation, operand);
    wrote(attempt, key);
  }

  setVersionstampedKey(key: Uint8Array, offset: number, value: Uint8Array): void {
    const attempt = this.#transaction.useForWrite();
    checkKey(key, this.#transaction.keysEnd);
    checkValue(value);
    checkStampOffset(key, offset);
    this.#transaction.grow(MUTATION_OVERHEAD_BYTES + key.length + value.length + pointBytes(key));
    // It comes to lie above everything that this transaction can have read.
    const { readVersion } = attempt;
    const first = stampedBytes(key, offset, versionstampOf(readVersion === null ? 0 : readVersion + 1));
    const last = stampedBytes(key, offset, LAST_STAMP);
    attempt.writes.setStampedKey(key, offset, value, keyText(first), keyTextAfter(keyText(last)));
  }

  setVersionstampedValue(key: Uint8Array, value: Uint8Array, offset: number): void {
    const attempt = this.#transaction.useForWrite();
    checkKey(key, this.#transaction.keysEnd);
    checkValue(value);
    checkStampOffset(value, offset);
    this.#transaction.grow(MUTATION_OVERHEAD_BYTES + key.length + value.length + pointBytes(key));
    attempt.writes.setStampedValue(key, value, offset);
    wrote(attempt, key);
  }

  addReadConflictRange(begin: Uint8Array, end: Uint8Array): void {
    const attempt = this.#transaction.use();
    const range = checkRange(begin, end, this.#transaction.keysEnd);
    if (range === null) return;
    this.#transaction.grow(begin.length + end.length + RANGE_OVERHEAD_BYTES);
    const seen = this.#transaction.readsItsWrites ? attempt.writes : null;
    addRead(attempt.readConflicts, seen, keyText(range[0]), keyText(range[1]));
  }

  addWriteConflictRange(begin: Uint8Array, end: Uint8Array): void {
    const attempt = this.#transaction.use();
    const range = checkRange(begin, end, this.#transaction.keysEnd);
    if (range === null) return;
    this.#transaction.grow(begin.length + end.length + RANGE_OVERHEAD_BYTES);
    attempt.writeConflicts.add(keyText(range[0]), keyText(range[1]));
  }
}

function wrote(attempt: Attempt, key: Uint8Array): void {
  if (!attempt.writeConflicts.isListing) return;
  const at = keyText(key);
  attempt.writeConflicts.wrote(at, keyTextAfter(at));
}

/** The write conflict of one key. */
function pointBytes(key: Uint8Array): number {
  return 2 * key.length + 1 + RANGE_OVERHEAD_BYTES;
}

function checkStampOffset(bytes: Uint8Array, offset: number): void {
  if (Number.isSafeInteger(offset) && offset >= 0 && offset + VERSIONSTAMP_BYTES <= bytes.length) return;
  throw new TransactionError(
    "CLIENT_INVALID_OPERATION",
    `the ten bytes of a versionstamp do not fit at offset ${offset} of ${bytes.length} bytes.`,
  );
}
