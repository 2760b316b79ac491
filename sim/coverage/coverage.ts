/**
 * O26. What an ensemble has reached of everything that there is to reach: crash points, coverage marks, buggify sites,
 * kinds of faults, oracles, VFS calls, and places of mutants. Verifies: each of them at least once, unless it is declared
 * rare, with a reason, where it stands (probes) or here (the rest).
 * Does not verify: that what was reached was reached in an interesting combination. Pure; the command prints.
 */
import { FAULT_KINDS } from "../disk/counters.js";
import { VFS_OPERATIONS } from "../disk/disk-state.js";
import { ORACLE_IDS } from "../oracles/failure.js";
import type { RunCounts } from "../run/counts.js";
import type { ProbeSite, ProbeSites } from "./sites.js";

export const COVERAGE_KINDS = [
  "crash point",
  "mark",
  "buggify site",
  "fault",
  "oracle",
  "VFS call",
  "mutant",
] as const;

export type CoverageKind = (typeof COVERAGE_KINDS)[number];

/** One thing that runs can reach, and how often they have. */
export interface CoverageRow {
  readonly kind: CoverageKind;
  readonly id: string;
  readonly reached: number;
  /** Of a crash point: how often the machine went down there. Null for the rest. */
  readonly crashed: number | null;
  readonly rare: string | null;
  readonly places: readonly string[];
}

/** What ordinary runs need not reach, by kind and name, with the reason. */
const RARE: Readonly<Partial<Record<CoverageKind, Readonly<Record<string, string>>>>> = {
  fault: {
    "S9 rename without data": "the store syncs a file before it renames it",
    "S10 split rename":
      "it takes a crash between a rename and the sync of its directory, and then one chance in thirty",
    "S11 undone truncate": "the store makes no file shorter once it holds something",
    "S22 reported late":
      "few seeds have such a disk, and a sync in two hundred fails there at most: one or two in a thousand seeds",
    "S22 not reported":
      "few seeds have such a disk, and a sync in two hundred fails there at most: one or two in a thousand seeds",
    "S34 reordered completion": "the store has one asynchronous call in flight for each file",
    "S42 stale size":
      "the store asks sizes only of files that nobody writes: about one seed in a thousand has another",
    "B5 eviction": "it takes a failed sync, and then a read of the very pages",
  },
  "VFS call": {
    readLater: "the store reads synchronously; the call is for programs under test",
  },
};

/** `mutantsWatched`: whether the runs counted places of mutants, which ordinary runs do not. */
export function coverageRows(counts: RunCounts, sites: ProbeSites, mutantsWatched: boolean): CoverageRow[] {
  const probes = (
    kind: CoverageKind,
    of: readonly ProbeSite[],
    hits: Readonly<Record<string, number>>,
  ): CoverageRow[] =>
    of.map(({ id, places, rare }) => ({
      kind,
      id,
      reached: hits[id] ?? 0,
      crashed: kind === "crash point" ? (counts.crashPointCrashes[id] ?? 0) : null,
      rare,
      places,
    }));
  const named = (
    kind: CoverageKind,
    names: readonly string[],
    hits: Readonly<Record<string, number>>,
  ): CoverageRow[] =>
    names.map((id) => ({
      kind,
      id,
      reached: hits[id] ?? 0,
      crashed: null,
      rare: RARE[kind]?.[id] ?? null,
      places: [],
    }));
  return [
    ...probes("crash point", sites.crashPoints, counts.crashPointHits),
    ...probes("mark", sites.marks, counts.marks),
    ...probes("buggify site", sites.buggify, counts.buggifySites),
    ...named("fault", FAULT_KINDS, counts.faults),
    ...named("oracle", ORACLE_IDS, counts.oracles),
    ...named("VFS call", VFS_OPERATIONS, counts.vfsOperations),
    ...(mutantsWatched ? probes("mutant", sites.mutants, counts.mutantSites) : []),
  ];
}

/** What should have been reached and was not. */
export function missedRows(rows: readonly CoverageRow[]): CoverageRow[] {
  return rows.filter(({ reached, rare }) => reached === 0 && rare === null);
}
