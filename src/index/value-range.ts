/**
 * The rows whose key goes on after some packed values. Not all keys that begin with the same bytes: a text with a zero in it goes
 * on with 0xFF where the shorter text has ended.
 */
import type { KeyRange } from "../keyspace/subspace.js";

export function rowsAfterValues(prefix: Uint8Array): KeyRange {
  return { begin: followedBy(prefix, 0x00), end: followedBy(prefix, 0xff) };
}

function followedBy(prefix: Uint8Array, byte: number): Uint8Array {
  const key = new Uint8Array(prefix.length + 1);
  key.set(prefix);
  key[prefix.length] = byte;
  return key;
}
