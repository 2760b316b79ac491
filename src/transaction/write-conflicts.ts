/**
 * What a transaction's commit counts as written: every key and range of its writes, and what was added by hand. As a rule
 * that is worked out once, at commit. Only a transaction with a write that is to conflict with nobody keeps a list as it
 * goes, since its writes alone no longer tell.
 */
import { addWrites } from "./conflict-ranges.js";
import { RangeSet } from "./range-set.js";
import type { WriteBuffer } from "./write-buffer.js";

export class WriteConflicts {
  readonly #writes: WriteBuffer;
  readonly #added = new RangeSet();
  /** Whether `#added` has the writes in it as well. */
  #isListing = false;
  #skipsNext = false;
  #skipsThis = false;

  constructor(writes: WriteBuffer) {
    this.#writes = writes;
  }

  /** Whether `wrote` is to be told of writes. */
  get isListing(): boolean {
    return this.#isListing;
  }

  add(begin: string, end: string): void {
    this.#added.add(begin, end);
  }

  /** The next write counts as none. Earlier and later ones of the same keys do count. */
  skipNext(): void {
    if (!this.#isListing) addWrites(this.#added, this.#writes);
    this.#isListing = true;
    this.#skipsNext = true;
  }

  /** To be called before each write, also one that is then refused. */
  beforeWrite(): void {
    this.#skipsThis = this.#skipsNext;
    this.#skipsNext = false;
  }

  wrote(begin: string, end: string): void {
    if (!this.#skipsThis) this.#added.add(begin, end);
  }

  /** For the commit. */
  all(): RangeSet {
    if (!this.#isListing) addWrites(this.#added, this.#writes);
    return this.#added;
  }
}
