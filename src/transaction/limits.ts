/**
 * The limits of FoundationDB's model, kept on every backend, so that what runs here runs on a cluster (FR-13). Owns the
 * numbers and the checks at the door; each throws a `TransactionError` that says what was too large and the limit.
 */
import { compareKeys } from "../engine/format/bytes.js";
import { TransactionError } from "./errors.js";

export const KEY_BYTES_MAX = 10_000;
export const VALUE_BYTES_MAX = 100_000;
/** Keys, values and conflict ranges of one transaction together. */
export const TRANSACTION_BYTES_MAX = 10_000_000;
/** The window of versions in which a transaction may read and commit. */
export const TRANSACTION_LIFETIME_MS = 5_000;
export const WATCHES_MAX = 10_000;

/** The end of what users may write: from here on keys are the system's. */
export const USER_KEYS_END = Uint8Array.of(0xff);

/** The end of the key space for who may touch the system's keys. */
export const ALL_KEYS_END = Uint8Array.of(0xff, 0xff);

/** A key that is to be there. `keysEnd`: the first key that this caller may not touch. */
export function checkKey(key: Uint8Array, keysEnd: Uint8Array): void {
  checkReadKey(key, keysEnd);
  if (key.length <= KEY_BYTES_MAX) return;
  throw new TransactionError(
    "KEY_TOO_LARGE",
    `a key of ${key.length} bytes is larger than ${KEY_BYTES_MAX}.`,
  );
}

/** A key that is looked for or cleared: one that is too large is not there, which is no error. */
export function checkReadKey(key: Uint8Array, keysEnd: Uint8Array): void {
  checkBytes(key, "a key");
  if (compareKeys(key, keysEnd) >= 0) throw outside(key);
}

/** A bound of a range, which may be the end of the user's keys. */
export function checkRangeEnd(key: Uint8Array, keysEnd: Uint8Array): void {
  checkBytes(key, "the end of a range");
  if (compareKeys(key, keysEnd) > 0) throw outside(key);
}

/** The same keys with bounds no longer than needed to tell keys apart; null for no keys. */
export function checkRange(
  begin: Uint8Array,
  end: Uint8Array,
  keysEnd: Uint8Array,
): readonly [begin: Uint8Array, end: Uint8Array] | null {
  checkRangeEnd(begin, keysEnd);
  checkRangeEnd(end, keysEnd);
  if (compareKeys(begin, end) > 0) {
    throw new TransactionError("INVERTED_RANGE", "the end of the range lies before its begin. Swap them.");
  }
  const from = begin.subarray(0, KEY_BYTES_MAX + 1);
  const to = end.subarray(0, KEY_BYTES_MAX + 1);
  return compareKeys(from, to) < 0 ? [from, to] : null;
}

export function checkValue(value: Uint8Array): void {
  checkBytes(value, "a value");
  if (value.length <= VALUE_BYTES_MAX) return;
  throw new TransactionError(
    "VALUE_TOO_LARGE",
    `a value of ${value.length} bytes is larger than ${VALUE_BYTES_MAX}. Split it over several keys.`,
  );
}

function checkBytes(bytes: unknown, what: string): void {
  if (bytes instanceof Uint8Array) return;
  throw new TypeError(`${what} must be a Uint8Array.`);
}

function outside(key: Uint8Array): TransactionError {
  const start = Buffer.from(key.subarray(0, 16)).toString("hex");
  return new TransactionError(
    "KEY_OUTSIDE_LEGAL_RANGE",
    `the key 0x${start}… lies in the system's part of the key space, from 0xFF on.`,
  );
}
