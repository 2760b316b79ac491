/**
 * What commits have written that are in the log and cannot be read yet, because their sync is still under way: a later
 * commit that changes a value without having read it must build on these. Small: it holds the commits of one or two
 * syncs. Does not own: what is visible.
 */
import { assert } from "../platform/assert.js";
import type { WriteBuffer } from "./write-buffer.js";

/** What is left under keys whose writes do not say so themselves: atomic operations and versionstamps. */
export type DecidedValues = Map<string, Uint8Array | undefined>;

interface Unapplied {
  readonly version: number;
  readonly writes: WriteBuffer;
  readonly decided: ReadonlyMap<string, Uint8Array | undefined>;
}

export class UnappliedWrites {
  /** In the order of their versions. */
  readonly #commits: Unapplied[] = [];

  get count(): number {
    return this.#commits.length;
  }

  add(version: number, writes: WriteBuffer, decided: DecidedValues): void {
    this.#commits.push({ version, writes, decided });
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
      const { writes, decided } = this.#commits[i] as Unapplied;
      if (decided.has(at)) return { value: decided.get(at) };
      const written = writes.lookUp(at);
      if (written === undefined) continue;
      assert(written.kind === "known", "what had to be decided has been");
      return { value: written.value };
    }
    return null;
  }
}
