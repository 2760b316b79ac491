/**
 * Short prefixes, never the same one twice, for many transactions at a time that hardly ever conflict: FoundationDB's
 * high-contention allocator, with its layout and sizes, so that clients of both kinds can allocate side by side.
 *
 * Candidates are drawn at random from a window of numbers. Under `counters` the newest window has the count of what was
 * drawn in it, kept by atomic additions that nobody reads with a conflict; a window that is half full is left for the next.
 * Under `recent` each number drawn has a key. Two transactions conflict when they draw the same number, and when one leaves
 * the window that the other draws from; on nothing else.
 *
 * One call at a time for each transaction; `directory-turns.ts` sees to it.
 */
import type { Random } from "../platform/platform.js";
import type { ReadTransaction, Transaction } from "../transaction/transaction.js";
import { damaged } from "./directory-errors.js";
import type { Subspace } from "./subspace.js";
import { pack } from "./tuple.js";

export class PrefixAllocator {
  readonly #counters: Subspace;
  readonly #recent: Subspace;
  readonly #random: Random;

  constructor(subspace: Subspace, random: Random) {
    this.#counters = subspace.subspace(0);
    this.#recent = subspace.subspace(1);
    this.#random = random;
  }

  /** A packed integer that no other committed transaction has been given, or ever will be. */
  async allocate(transaction: Transaction): Promise<Uint8Array> {
    const start = await this.#countIn(transaction, await this.#newestWindow(transaction.snapshot));
    return pack([await this.#draw(transaction, start)]);
  }

  /** Counts one more in the window, or in the first after it that is less than half full. Returns where that starts. */
  async #countIn(transaction: Transaction, newest: number): Promise<number> {
    for (let start = newest; ; start += windowSize(start)) {
      const counter = this.#counters.pack([start]);
      if (start > newest) this.#forgetBefore(transaction, start);
      transaction.atomic("add", counter, ONE);
      const count = littleEndian(await transaction.snapshot.get(counter));
      if (count * 2 < windowSize(start)) return start;
    }
  }

  /** A client of FoundationDB that draws from a window left behind need not fail for this: its number stays its own. */
  #forgetBefore(transaction: Transaction, start: number): void {
    transaction.clearRange(this.#counters.prefix, this.#counters.pack([start]));
    transaction.skipNextWriteConflict();
    transaction.clearRange(this.#recent.prefix, this.#recent.pack([start]));
  }

  /** A free number of the window; two draws on average at most. */
  async #draw(transaction: Transaction, start: number): Promise<number> {
    const size = windowSize(start);
    for (;;) {
      // Sizes are powers of two, so all numbers are equally likely.
      const candidate = start + (this.#random.nextUint32() % size);
      const key = this.#recent.pack([candidate]);
      const taken = await transaction.get(key);
      transaction.skipNextWriteConflict();
      transaction.set(key, NOTHING);
      if (taken !== undefined) continue;
      transaction.addWriteConflictKey(key);
      // A client of FoundationDB does without: there, a number's key that was written and then cleared with its window
      // has been written. A backend that only compares what is there at commit sees neither.
      transaction.addReadConflictRange(this.#counters.pack([start, null]), this.#counters.range().end);
      return candidate;
    }
  }

  async #newestWindow(snapshot: ReadTransaction): Promise<number> {
    const { begin, end } = this.#counters.range();
    const [newest] = await snapshot.getRangeAll(begin, end, { limit: 1, reverse: true });
    if (newest === undefined) return 0;
    const [start] = this.#counters.unpack(newest[0]);
    if (typeof start === "number") return start;
    throw damaged("a counter of the allocator is not named by a number", []);
  }
}

/** Small while numbers are short, so that they stay short; large later on, so that few draws meet. */
function windowSize(start: number): number {
  if (start < 255) return 64;
  return start < 65_535 ? 1024 : 8192;
}

const NOTHING = new Uint8Array(0);
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

function littleEndian(bytes: Uint8Array | undefined): number {
  let value = 0;
  for (let i = (bytes?.length ?? 0) - 1; i >= 0; i--) value = value * 256 + (bytes?.[i] as number);
  return value;
}
