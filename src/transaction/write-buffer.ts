/**
 * What a transaction has written and not committed, in the form in which its own reads see it and the commit takes it: for
 * each key either its value, its absence, or a chain of atomic operations on a value that is not known yet; and ranges
 * that are cleared. Operations are folded as they come, so a counter that is added to a thousand times is one entry.
 * Does not own: reading what lies below, conflicts, limits.
 */
import { assert } from "../platform/assert.js";
import { type AtomicOperation, applyAtomic } from "./atomic.js";
import { keyText, keyTextAfter } from "./key-text.js";
import { RangeSet } from "./range-set.js";
import { SortedKeys } from "./sorted-keys.js";

export type WriteStep =
  | { readonly operation: AtomicOperation; readonly operand: Uint8Array }
  /** Sets the operand, with the ten bytes at `offset` replaced by the commit's versionstamp. */
  | { readonly operation: "setStamped"; readonly operand: Uint8Array; readonly offset: number };

/** What is known of a written key. */
export type WrittenKey =
  /** `undefined` is absence. */
  | { readonly kind: "known"; readonly value: Uint8Array | undefined }
  /** To be applied in order to what is stored; a `setStamped` comes first, and makes it unreadable before the commit. */
  | { readonly kind: "pending"; readonly steps: readonly WriteStep[] };

/** A key that holds the version of the commit. */
export interface StampedKey {
  readonly key: Uint8Array;
  readonly offset: number;
  readonly value: Uint8Array;
}

const ABSENT: WrittenKey = { kind: "known", value: undefined };

export class WriteBuffer {
  readonly #keys = new Map<string, WrittenKey>();
  readonly #order = new SortedKeys();
  /** Every key ever in `#order`: after a clear its entry is gone, its place is not. */
  readonly #ordered = new Set<string>();
  readonly #cleared = new RangeSet();
  readonly #stampedKeys: StampedKey[] = [];
  /** Where keys with the commit's version may come to lie, so that it is not known what these ranges hold. */
  readonly #unreadable = new RangeSet();

  get isEmpty(): boolean {
    return this.#keys.size === 0 && this.#cleared.isEmpty && this.#stampedKeys.length === 0;
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.#put(keyText(key), { kind: "known", value: new Uint8Array(value) });
  }

  clear(key: Uint8Array): void {
    this.#put(keyText(key), ABSENT);
  }

  clearRange(begin: Uint8Array, end: Uint8Array): void {
    const from = keyText(begin);
    const to = keyText(end);
    if (from >= to) return;
    for (
      let at = this.#order.atOrAfter(from);
      at !== null && at < to;
      at = this.#order.atOrAfter(keyTextAfter(at))
    ) {
      this.#keys.delete(at);
    }
    this.#cleared.add(from, to);
  }

  atomic(key: Uint8Array, operation: AtomicOperation, operand: Uint8Array): void {
    const at = keyText(key);
    const before = this.#keys.get(at) ?? (this.#cleared.has(at) ? ABSENT : undefined);
    const copy = new Uint8Array(operand);
    if (before?.kind === "known") {
      this.#put(at, { kind: "known", value: applyAtomic(operation, before.value, copy) });
    } else {
      this.#put(at, { kind: "pending", steps: folded(before?.steps ?? [], operation, copy) });
    }
  }

  setStampedValue(key: Uint8Array, value: Uint8Array, offset: number): void {
    const step: WriteStep = { operation: "setStamped", operand: new Uint8Array(value), offset };
    this.#put(keyText(key), { kind: "pending", steps: [step] });
  }

  /** `unreadable` is where the key may come to lie: it is the same for every version that the commit can have. */
  setStampedKey(stamped: StampedKey, unreadableBegin: string, unreadableEnd: string): void {
    this.#stampedKeys.push(stamped);
    this.#unreadable.add(unreadableBegin, unreadableEnd);
  }

  /** What is known of a key without reading; undefined when it has not been touched. */
  lookUp(key: string): WrittenKey | undefined {
    return this.#keys.get(key) ?? (this.#cleared.has(key) ? ABSENT : undefined);
  }

  /** Whether some of [begin, end) cannot be read before the commit. */
  isUnreadable(begin: string, end: string): boolean {
    return this.#unreadable.touches(begin, end);
  }

  /** The next written key at or after `from`, that a clear of a range has not taken away. */
  nextKey(from: string): string | null {
    for (let at = this.#order.atOrAfter(from); at !== null; at = this.#order.atOrAfter(keyTextAfter(at))) {
      if (this.#keys.has(at)) return at;
    }
    return null;
  }

  previousKey(before: string): string | null {
    for (let at = this.#order.before(before); at !== null; at = this.#order.before(at)) {
      if (this.#keys.has(at)) return at;
    }
    return null;
  }

  /** Cleared ranges; keys written after a clear stand in `writes`. */
  get cleared(): RangeSet {
    return this.#cleared;
  }

  /** Where keys with the version of the commit may come to lie. */
  get unreadable(): RangeSet {
    return this.#unreadable;
  }

  /** Written keys in no order. */
  get writes(): ReadonlyMap<string, WrittenKey> {
    return this.#keys;
  }

  get stampedKeys(): readonly StampedKey[] {
    return this.#stampedKeys;
  }

  #put(key: string, written: WrittenKey): void {
    this.#keys.set(key, written);
    if (this.#ordered.has(key)) return;
    this.#ordered.add(key);
    this.#order.add(key);
  }
}

/** Operations of which two in a row on operands of one length are one. Appending is not: each append fits or does not. */
const ASSOCIATIVE: ReadonlySet<string> = new Set<AtomicOperation>([
  "add",
  "bitAnd",
  "bitOr",
  "bitXor",
  "max",
  "min",
  "byteMin",
  "byteMax",
]);

function folded(steps: readonly WriteStep[], operation: AtomicOperation, operand: Uint8Array): WriteStep[] {
  const last = steps[steps.length - 1];
  const isSame = last?.operation === operation && last.operand.length === operand.length;
  if (last === undefined || !isSame || !ASSOCIATIVE.has(operation)) return [...steps, { operation, operand }];
  const both = applyAtomic(operation, last.operand, operand);
  assert(both !== undefined, "none of these operations clears");
  return [...steps.slice(0, -1), { operation, operand: both }];
}
