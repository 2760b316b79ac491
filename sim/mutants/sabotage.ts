/**
 * Automatic mutants: bugs that need no switch, made at the file system by leaving syncs out. For each place in the
 * program that syncs something (`sync-site.ts`) there are two: every sync from there is dropped; or it changes places
 * with the next one, whatever that is of. The program itself is unchanged, so they work for any program.
 * Written as ids like those of planted bugs: `drop:SITE`, `swap:SITE`.
 */
import type { SyncFate, SyncOperation, SyncSabotage } from "../disk/sync-sabotage.js";
import { callingSite, type SiteNaming } from "./sync-site.js";

export const SABOTAGES = ["drop", "swap"] as const;
export type SabotageKind = (typeof SABOTAGES)[number];

export interface AutomaticMutant {
  readonly kind: SabotageKind;
  readonly site: string;
}

/** Null for an id of another sort. */
export function parseAutomatic(id: string): AutomaticMutant | null {
  const [, kind, site] = /^(drop|swap):([\w-]+@[\w./-]+(?::[\w$()]+)?)$/.exec(id) ?? [];
  return kind === undefined || site === undefined ? null : { kind: kind as SabotageKind, site };
}

export function automaticIds(sites: readonly string[]): string[] {
  return sites.flatMap((site) => SABOTAGES.map((kind) => `${kind}:${site}`));
}

/** Counts the syncs of each site, and leaves some of them out. */
export class Sabotage implements SyncSabotage {
  /** Calls by site. */
  readonly calls = new Map<string, number>();
  /** How often each mutant has left a sync out. */
  readonly struck = new Map<string, number>();
  readonly #naming: SiteNaming;
  readonly #fates = new Map<string, { readonly id: string; readonly fate: SyncFate }>();

  /** Ids that name no automatic mutant are somebody else's. */
  constructor(naming: SiteNaming, ids: readonly string[]) {
    this.#naming = naming;
    for (const id of ids) {
      const mutant = parseAutomatic(id);
      if (mutant === null) continue;
      this.#fates.set(mutant.site, { id, fate: mutant.kind === "drop" ? "dropped" : "postponed" });
    }
  }

  get isArmed(): boolean {
    return this.#fates.size > 0;
  }

  fateOf(operation: SyncOperation, path: string): SyncFate {
    const site = callingSite(this.#naming, operation, path);
    this.calls.set(site, (this.calls.get(site) ?? 0) + 1);
    const found = this.#fates.get(site);
    if (found === undefined) return "done";
    this.struck.set(found.id, (this.struck.get(found.id) ?? 0) + 1);
    return found.fate;
  }
}
