/**
 * What a list of mutations makes of the rows of a database, one after the other: what a commit leaves, and what a
 * transaction sees of its own writes before. The definition, at the price of a copy of the database each time.
 */
import { type AtomicOperation, applyAtomic } from "../../../src/transaction/atomic.js";
import { TransactionError } from "../../../src/transaction/errors.js";
import { type KeyRange, rangeOfKey, without } from "./key-ranges.js";

export type Mutation = { readonly conflicts: boolean } & (
  | { readonly kind: "set"; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: "clear"; readonly range: KeyRange }
  | {
      readonly kind: "atomic";
      readonly key: string;
      readonly operation: AtomicOperation;
      readonly operand: Uint8Array;
    }
  | {
      readonly kind: "stampedKey";
      readonly key: Uint8Array;
      readonly offset: number;
      readonly value: Uint8Array;
      /** Where the key may come to lie. */
      readonly range: KeyRange;
    }
  | {
      readonly kind: "stampedValue";
      readonly key: string;
      readonly value: Uint8Array;
      readonly offset: number;
    }
);

export interface Row {
  readonly key: string;
  readonly value: Uint8Array;
}

/** The rows after all mutations, with this versionstamp. */
export function applied(rows: readonly Row[], mutations: readonly Mutation[], stamp: Uint8Array): Row[] {
  const values = new Map(rows.map(({ key, value }) => [key, value]));
  const put = (key: string, value: Uint8Array | undefined): void => {
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  };
  for (const mutation of mutations) {
    if (mutation.kind === "set") put(mutation.key, mutation.value);
    else if (mutation.kind === "clear") clear(values, mutation.range);
    else if (mutation.kind === "atomic") {
      const { key, operation, operand } = mutation;
      put(key, applyAtomic(operation, values.get(key), operand));
    } else if (mutation.kind === "stampedKey") {
      put(textOf(stamped(mutation.key, mutation.offset, stamp)), mutation.value);
    } else put(mutation.key, stamped(mutation.value, mutation.offset, stamp));
  }
  return sorted(values);
}

export interface OwnView {
  readonly rows: readonly Row[];
  /** Whose value depends on the versionstamp of the commit. */
  readonly unreadable: readonly KeyRange[];
  /** What is the same whatever the database holds, so that reading it conflicts with nobody. */
  readonly known: readonly KeyRange[];
}

/** What a transaction with these mutations reads. */
export function ownView(rows: readonly Row[], mutations: readonly Mutation[]): OwnView {
  let unreadable: KeyRange[] = [];
  const known: KeyRange[] = [];
  for (const mutation of mutations) {
    if (mutation.kind === "set") known.push(rangeOfKey(mutation.key));
    else if (mutation.kind === "clear") {
      known.push(mutation.range);
      unreadable = without(unreadable, mutation.range);
    } else if (mutation.kind === "stampedKey") unreadable.push(mutation.range);
    else if (mutation.kind === "stampedValue") {
      known.push(rangeOfKey(mutation.key));
      unreadable.push(rangeOfKey(mutation.key));
    }
  }
  const readable = mutations.filter(({ kind }) => kind !== "stampedKey");
  return { rows: applied(rows, readable, new Uint8Array(STAMP_BYTES)), unreadable, known };
}

export const STAMP_BYTES = 10;

export function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** `bytes` with the stamp in its place. */
export function stamped(bytes: Uint8Array, offset: number, stamp: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes);
  result.set(stamp, offset);
  return result;
}

function clear(values: Map<string, Uint8Array>, [begin, end]: KeyRange): void {
  for (const key of values.keys()) if (begin <= key && key < end) values.delete(key);
}

function sorted(values: ReadonlyMap<string, Uint8Array>): Row[] {
  const rows = [...values].map(([key, value]) => ({ key, value }));
  return rows.sort((a, b) => (a.key < b.key ? -1 : 1));
}

export function textRange([begin, end]: readonly [Uint8Array, Uint8Array]): KeyRange {
  return [textOf(begin), textOf(end)];
}

/** Where a mutation writes. Of a stamped key that is not known here: the commit adds it. */
export function writtenRange(mutation: Mutation): KeyRange[] {
  if (mutation.kind === "clear") return [mutation.range];
  return mutation.kind === "stampedKey" ? [] : [rangeOfKey(mutation.key)];
}

export function mutationBytes(mutation: Mutation): number {
  if (mutation.kind === "clear") return mutation.range[0].length + mutation.range[1].length;
  const { length } = mutation.kind === "atomic" ? mutation.operand : mutation.value;
  return 3 * mutation.key.length + length;
}

export function checkStampOffset(bytes: Uint8Array, offset: number): void {
  if (Number.isSafeInteger(offset) && offset >= 0 && offset + STAMP_BYTES <= bytes.length) return;
  throw new TransactionError("CLIENT_INVALID_OPERATION", "the versionstamp does not fit there.");
}
