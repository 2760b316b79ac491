/** Calls about indexes whose names are known at run time only, and what they may be told, which of them are damaged. Does not own: when they are made (`records.ts`). */
import type { IndexBuildOptions } from "../../src/collection/index-manager.js";
import type { ScrubOptions } from "../../src/index/scrub/scrub-options.js";
import type { ScrubTotals } from "../../src/index/scrub/scrub-progress.js";
import type { ErrorCode } from "../../src/platform/errors.js";
import { ITEM_INDEXES } from "../records/expected-rows.js";

/** `IndexManager` for names that are known at run time only. */
export interface NamedIndexes {
  get(collection: string, index: string): Promise<{ readonly state: string }>;
  enable(collection: string, index: string): Promise<void>;
  disable(collection: string, index: string): Promise<void>;
  build(
    collection: string,
    indexes: string | readonly string[],
    options: IndexBuildOptions,
  ): Promise<unknown>;
  rebuild(collection: string, index: string, options: IndexBuildOptions): Promise<unknown>;
  buildShadow(collection: string, index: string, options: IndexBuildOptions): Promise<unknown>;
  swapShadow(collection: string, index: string): Promise<void>;
  dropShadow(collection: string, index: string): Promise<void>;
  scrub(collection: string, index: string, options: ScrubOptions): Promise<ScrubTotals>;
}

/** Indexes in which rows were changed by hand and that no scrub has repaired since. */
export class IndexDamage {
  readonly names = new Set<string>();
  times = 0;
  /** In this life. One whose answer did not come may be there all the same, and counts for the rest of it. */
  underWay = 0;
  /** Counts lives, ended ones apart from begun ones. */
  life = 0;
  /** Those that a scrub has repaired, and what had been committed by then. */
  readonly #repaired = new Map<string, number>();

  repaired(name: string, version: number): void {
    this.names.delete(name);
    this.#repaired.set(name, version);
  }

  /** Commits above this version have never been: repairs among them neither. */
  lost(version: number): void {
    this.life++;
    for (const [name, at] of this.#repaired) {
      if (at > version) this.names.add(name);
    }
  }

  add(name: string): void {
    this.names.add(name);
    this.times++;
  }
}

/** What calls about indexes may be told beside what any transaction may be. */
export const MANAGE_ERRORS: readonly ErrorCode[] = [
  "ILLEGAL_INDEX_STATE",
  "INDEX_BUILD_VIOLATIONS",
  "INDEX_BUILD_MISMATCH",
  "INDEX_SOURCE_UNSUITABLE",
  "INDEX_NOT_READABLE",
  "WRONG_INDEX_KIND",
  "LEASE_HELD",
  // Of their batches, which have a limit of their own; think times know none.
  "TRANSACTION_TIMED_OUT",
];

/** Any number names one of them, so that a case may be edited freely. */
export function indexOf(number: number): string {
  const names = Object.keys(ITEM_INDEXES);
  return names[number % names.length] as string; // within the list
}
