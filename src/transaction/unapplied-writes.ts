/**
 * What commits have written that are in the log and cannot be read yet, because their sync is still under way: a later
 * commit that changes a value without having read it must build on these. Small: it holds the commits of one or two
 * syncs. Does not own: what is visible.
 */
import type { RangeSet } from "./range-set.js";

interface Unapplied {
  readonly version: number;
  readonly values: ReadonlyMap<string, Uint8Array | undefined>;
  readonly cleared: RangeSet;
}

export class UnappliedWrites {
  /** In the order of their versions. */
  readonly #commits: Unapplied[] = [];

  get count(): number {
    return this.#commits.length;
  }

  add(version: number, values: ReadonlyMap<string, Uint8Array | undefined>, cleared: RangeSet): void {
    this.#commits.push({ version, values, cleared });
  }

  /** Everything up to `version` can be read now. */
  applied(version: number): void {
    let count = 0;
    while ((this.#commits[count]?.version ?? Number.POSITIVE_INFINITY) <= version) count++;
    if (count > 0) this.#commits.splice(0, count);
  }

  /** The value of a key after all of them; null when none has touched it. */
  lookUp(at: string): { readonly value: Uint8Array | undefined } | null {
    if (this.#commits.length === 0) return null;
    for (let i = this.#commits.length - 1; i >= 0; i--) {
      const { values, cleared } = this.#commits[i] as Unapplied;
      if (values.has(at)) return { value: values.get(at) };
      if (cleared.has(at)) return { value: undefined };
    }
    return null;
  }
}
