/**
 * Locks by name within this process, first come, first served: commits that would only make each other try again wait for
 * each other instead. Never needed to be right; etcd's comparisons are.
 */

export class KeyLocks {
  /** The end of the queue of each name. */
  readonly #tails = new Map<string, Promise<void>>();

  /** Waits for all of `names`, which must be sorted so that no two wait for each other. Resolves with their release. */
  async acquire(names: readonly string[]): Promise<() => void> {
    const releases: (() => void)[] = [];
    for (const name of names) {
      const before = this.#tails.get(name);
      let release = (): void => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      this.#tails.set(name, held);
      releases.push(() => {
        if (this.#tails.get(name) === held) this.#tails.delete(name);
        release();
      });
      await before;
    }
    return () => {
      for (const release of releases) release();
    };
  }
}
