/**
 * Watches that wait for the value of a key to change, on one machine: each commit asks the keys it wrote. A watch ends when
 * the value is another than the one it was started with, so a change that is undone at once may go unnoticed, as in
 * FoundationDB. Does not own the limit on their number.
 */
import { mutant } from "../platform/probes.js";
import { TransactionError } from "./errors.js";
import { keyText } from "./key-text.js";
import type { RangeSet } from "./range-set.js";
import { SortedKeys } from "./sorted-keys.js";
import type { StorageWatch } from "./storage.js";

interface Waiting {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** So many keys that nobody watches any more may be kept beside as many as are watched. */
const IDLE_KEYS_MAX = 64;

export class WatchList {
  readonly #waiting = new Map<string, Set<Waiting>>();
  /** Keys that are watched, and some that were. */
  #keys = new SortedKeys();
  #keysKnown = new Set<string>();
  #closed: Error | null = null;
  readonly #get: (key: Uint8Array) => Uint8Array | undefined;

  /** `get` reads the newest visible value. */
  constructor(get: (key: Uint8Array) => Uint8Array | undefined) {
    this.#get = get;
  }

  /** In order; not all of them are watched. */
  get keysKept(): number {
    return this.#keysKnown.size;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  add(key: Uint8Array, value: Uint8Array | undefined): StorageWatch {
    if (this.#closed !== null) return { changed: Promise.reject(this.#closed), cancel: () => {} };
    const at = keyText(key);
    let cancel = (): void => {};
    const changed = new Promise<void>((resolve, reject) => {
      const waiting: Waiting = { key, value, resolve, reject };
      const others = this.#waiting.get(at);
      if (others === undefined) this.#waiting.set(at, new Set([waiting]));
      else others.add(waiting);
      if (!this.#keysKnown.has(at)) {
        this.#keysKnown.add(at);
        this.#keys.add(at);
      }
      cancel = () => {
        this.#remove(at, waiting);
        reject(new TransactionError("OPERATION_CANCELLED", "the watch was cancelled."));
      };
    });
    // It may have changed between the commit that started the watch and now.
    if (!mutant("T12-watch-not-checked-when-it-begins")) this.#check(at);
    return { changed, cancel };
  }

  /** A commit that wrote these ranges is visible. */
  wrote(ranges: RangeSet): void {
    if (this.#waiting.size === 0) return;
    for (const [begin, end] of ranges) {
      for (
        let key = this.#keys.atOrAfter(begin);
        key !== null && key < end;
        key = this.#keys.atOrAfter(`${key}\0`)
      ) {
        this.#check(key);
      }
    }
  }

  /** Also for watches that come later. */
  close(error: Error): void {
    this.#closed = error;
    for (const all of this.#waiting.values()) for (const { reject } of all) reject(error);
    this.#waiting.clear();
  }

  #check(at: string): void {
    const all = this.#waiting.get(at);
    if (all === undefined) return;
    for (const waiting of all) {
      try {
        if (mutant("T24-watch-told-without-a-change")) waiting.resolve();
        else if (sameValue(this.#get(waiting.key), waiting.value)) continue;
        waiting.resolve();
      } catch (error) {
        // Nobody can say whether it has changed. It is the watch that fails, not the commit that asked for a look.
        waiting.reject(error as Error);
      }
      this.#remove(at, waiting);
    }
  }

  #remove(at: string, waiting: Waiting): void {
    const all = this.#waiting.get(at);
    all?.delete(waiting);
    if (all?.size !== 0) return;
    this.#waiting.delete(at);
    if (this.#waiting.size > 0 && this.#keysKnown.size <= IDLE_KEYS_MAX + 2 * this.#waiting.size) return;
    this.#keys = new SortedKeys();
    this.#keysKnown = new Set(this.#waiting.keys());
    for (const key of this.#keysKnown) this.#keys.add(key);
  }
}

function sameValue(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
