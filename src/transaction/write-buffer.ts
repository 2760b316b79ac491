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
  /** To be applied in order to what is stored; a `setStamped` comes first. */
  | { readonly kind: "pending"; readonly steps: readonly WriteStep[] };

/** A key that holds the version of the commit. */
export interface StampedKey {
  readonly key: Uint8Array;
  readonly offset: number;
  readonly value: Uint8Array;
  /** Clears that came later: a key that comes to lie in one of them is not written. */
  readonly clearedAfter: RangeSet;
}

const ABSENT: WrittenKey = { kind: "known", value: undefined };

export class WriteBuffer {
  #keys = new Map<string, WrittenKey>();
  #order = new SortedKeys();
  /** Keys in `#order` whose entry a clear of a range has taken away. */
  #orphans = new Set<string>();
  #cleared = new RangeSet();
  #bytes = 0;
  readonly #stampedKeys: StampedKey[] = [];
  /** Where keys with the commit's version may come to lie. */
  readonly #stampedRanges = new RangeSet();
  /** Keys and values that the commit's version decides, until they are cleared. As in FoundationDB, setting does not help. */
  #unreadable = new RangeSet();

  get isEmpty(): boolean {
    return this.#keys.size === 0 && this.#cleared.isEmpty && this.#stampedKeys.length === 0;
  }

  /** How many operations the commit will have at most, and how many bytes their keys and values, but for atomic operations. */
  get operations(): number {
    return this.#keys.size + this.#stampedKeys.length + this.#cleared.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.#bytes += key.length + value.length;
    this.#put(keyText(key), { kind: "known", value: Buffer.from(value) });
  }

  clear(key: Uint8Array): void {
    const at = keyText(key);
    this.#put(at, ABSENT);
    this.#clearStamped(at, keyTextAfter(at));
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
      if (this.#keys.delete(at)) this.#orphans.add(at);
    }
    this.#cleared.add(from, to);
    this.#clearStamped(from, to);
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
    const at = keyText(key);
    this.#put(at, { kind: "pending", steps: [step] });
    this.#unreadable.add(at, keyTextAfter(at));
  }

  /** [begin, end) is where the key may come to lie. */
  setStampedKey(key: Uint8Array, offset: number, value: Uint8Array, begin: string, end: string): void {
    this.#stampedKeys.push({
      key: new Uint8Array(key),
      offset,
      value: new Uint8Array(value),
      clearedAfter: new RangeSet(),
    });
    this.#stampedRanges.add(begin, end);
    this.#unreadable.add(begin, end);
  }

  /** The same as it is now, whatever is written here later. */
  copy(): WriteBuffer {
    const copy = new WriteBuffer();
    copy.#keys = new Map(this.#keys);
    copy.#order = this.#order.copy();
    copy.#orphans = new Set(this.#orphans);
    copy.#cleared = this.#cleared.copy();
    copy.#stampedKeys.push(...this.#stampedKeys);
    copy.#unreadable = this.#unreadable.copy();
    // It is not empty either: what lies where they may come to lie cannot be read.
    copy.#stampedKeys.push(...this.#stampedKeys);
    return copy;
  }

  /** What is known of a key without reading; undefined when it has not been touched. */
  lookUp(key: string): WrittenKey | undefined {
    return this.#keys.get(key) ?? (!this.#cleared.isEmpty && this.#cleared.has(key) ? ABSENT : undefined);
  }

  /** Whether what is there now does not depend on what is stored. */
  isIndependent(key: string): boolean {
    const written = this.lookUp(key);
    if (written === undefined) return false;
    return written.kind === "known" || written.steps[0]?.operation === "setStamped";
  }

  /** Whether some of [begin, end) cannot be read before the commit. */
  isUnreadable(begin: string, end: string): boolean {
    return !this.#unreadable.isEmpty && this.#unreadable.touches(begin, end);
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

  /** Written keys in ascending order. */
  forEachKey(visit: (key: string) => void): void {
    for (const key of this.#order.all()) if (this.#orphans.size === 0 || !this.#orphans.has(key)) visit(key);
  }

  /** Written keys in no order. */
  get writes(): ReadonlyMap<string, WrittenKey> {
    return this.#keys;
  }

  get stampedKeys(): readonly StampedKey[] {
    return this.#stampedKeys;
  }

  #clearStamped(begin: string, end: string): void {
    this.#unreadable.remove(begin, end);
    if (!this.#stampedRanges.touches(begin, end)) return;
    for (const { clearedAfter } of this.#stampedKeys) clearedAfter.add(begin, end);
  }

  #put(key: string, written: WrittenKey): void {
    const { size } = this.#keys;
    this.#keys.set(key, written);
    if (this.#keys.size > size && !this.#orphans.delete(key)) this.#order.add(key);
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
