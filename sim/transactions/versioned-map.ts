/**
 * Every state that transactions have committed, by version: a plain map from key to its values in the order of versions,
 * and what each commit conflicts with. The model that transactions are judged by; small and slow on purpose.
 * Keys and values are byte strings. Does not own: judging (`oracles/transactions.ts`), durability (`model/model.ts`).
 */
import { assert } from "../../src/platform/assert.js";

export type KeyRange = readonly [begin: string, end: string];

/** One commit, as far as later ones care. */
export interface CommittedWrites {
  readonly version: number;
  /** Its number in the model of the store. */
  readonly sequence: number;
  /** What it leaves under each key that it touched; undefined is absence. */
  readonly effects: ReadonlyMap<string, string | undefined>;
  readonly conflicts: readonly KeyRange[];
  /** Some of its writes conflict with nobody: who has read what they changed may commit all the same. */
  readonly isSilent: boolean;
  /** When it was taken, by the clock of the process. */
  readonly atMs: number;
}

/** A state that can be read. */
export interface StateView {
  get(key: string): string | undefined;
  /** Keys of [begin, end) that are there, ascending. */
  keys(begin: string, end: string): string[];
}

interface Entry {
  readonly version: number;
  readonly value: string | undefined;
}

export class VersionedMap {
  readonly #entries = new Map<string, Entry[]>();
  readonly #commits: CommittedWrites[] = [];

  get newestVersion(): number {
    return this.#commits.at(-1)?.version ?? 0;
  }

  get commits(): readonly CommittedWrites[] {
    return this.#commits;
  }

  add(commit: CommittedWrites): void {
    assert(commit.version > this.newestVersion, "versions of commits rise");
    this.#commits.push(commit);
    for (const [key, value] of commit.effects) {
      const entries = this.#entries.get(key);
      if (entries === undefined) this.#entries.set(key, [{ version: commit.version, value }]);
      else entries.push({ version: commit.version, value });
    }
  }

  /** Commits above this version have never been. */
  truncate(version: number): void {
    while (this.newestVersion > version) this.#commits.pop();
    for (const [key, entries] of this.#entries) {
      while ((entries.at(-1)?.version ?? 0) > version) entries.pop();
      if (entries.length === 0) this.#entries.delete(key);
    }
  }

  /** Whether any commit has touched this key. */
  knows(key: string): boolean {
    return this.#entries.has(key);
  }

  /** The state after every commit up to this version. */
  at(version: number): StateView {
    const get = (key: string): string | undefined =>
      this.#entries.get(key)?.findLast((entry) => entry.version <= version)?.value;
    return {
      get,
      keys: (begin, end) =>
        [...this.#entries.keys()].filter((key) => key >= begin && key < end && get(key) !== undefined).sort(),
    };
  }

  /** The first commit after `version` that conflicts with one of these reads. */
  conflictAfter(version: number, reads: readonly KeyRange[]): CommittedWrites | null {
    const touches = ([begin, end]: KeyRange): boolean =>
      reads.some((read) => read[0] < end && begin < read[1]);
    return this.#commits.find((commit) => commit.version > version && commit.conflicts.some(touches)) ?? null;
  }

  /** Whether a key had another value at some version in (after, upTo]. */
  hasChanged(key: string, value: string | undefined, after: number, upTo: number): boolean {
    return (this.#entries.get(key) ?? []).some(
      (entry) => entry.version > after && entry.version <= upTo && entry.value !== value,
    );
  }
}

/** The first key after `key`. */
export function afterKey(key: string): string {
  return `${key}\0`;
}
