/**
 * The catalogue of planted bugs: for each switch `mutant("…")` in the sources, what it breaks, which real bug it copies,
 * and which promises must object. A test compares it with the sources both ways. A simulator is worth what it kills
 * (reference: simulation.md e); the list is in parts by area, in `catalogue/`.
 * Does not own: the automatic mutants, which need no switch (`sabotage.ts`).
 */
import { StillwaterError } from "../../src/platform/errors.js";
import {
  ALL_LIMITS,
  BACKUP_LIMITS,
  DEFAULT_LIMITS,
  LEVEL_LIMITS,
  READER_LIMITS,
  RECORD_LIMITS,
  type SwarmLimits,
  TRANSACTION_LIMITS,
} from "../workload/options.js";
import { CANARY } from "./canary.js";
import { BACKUP_MUTANTS } from "./catalogue/backups.js";
import { COMPACTION_MUTANTS } from "./catalogue/compaction.js";
import { CONDUCT_MUTANTS } from "./catalogue/conduct.js";
import { INDEX_BUILD_MUTANTS } from "./catalogue/index-builds.js";
import { INDEX_MUTANTS } from "./catalogue/indexes.js";
import { LEVEL_MUTANTS } from "./catalogue/level.js";
import { LOG_MUTANTS } from "./catalogue/log.js";
import { MANIFEST_MUTANTS } from "./catalogue/manifest.js";
import { METRIC_MUTANTS } from "./catalogue/metrics.js";
import type { PlantedMutant } from "./catalogue/mutant.js";
import { PLATFORM_MUTANTS } from "./catalogue/platform.js";
import { QUERY_MUTANTS } from "./catalogue/queries.js";
import { READER_MUTANTS } from "./catalogue/readers.js";
import { READ_MUTANTS } from "./catalogue/reads.js";
import { RECORD_MUTANTS } from "./catalogue/records.js";
import { TRANSACTION_MUTANTS } from "./catalogue/transactions.js";
import { parseAutomatic } from "./sabotage.js";

export type { PlantedMutant } from "./catalogue/mutant.js";

export const PLANTED_MUTANTS: readonly PlantedMutant[] = [
  ...LOG_MUTANTS,
  ...MANIFEST_MUTANTS,
  ...PLATFORM_MUTANTS,
  ...COMPACTION_MUTANTS,
  ...READ_MUTANTS,
  ...CONDUCT_MUTANTS,
  ...TRANSACTION_MUTANTS,
  ...INDEX_BUILD_MUTANTS,
  ...INDEX_MUTANTS,
  ...RECORD_MUTANTS,
  ...QUERY_MUTANTS,
  ...READER_MUTANTS,
  ...BACKUP_MUTANTS,
  ...LEVEL_MUTANTS,
  ...METRIC_MUTANTS,
];

/** Null for an id that is none of a planted bug. */
export function plantedMutant(id: string): PlantedMutant | null {
  return PLANTED_MUTANTS.find((mutant) => mutant.id === id) ?? null;
}

/** What seeds are drawn from where these are on: in a hunt, and when a seed of it is run again. */
export function limitsOfMutants(ids: readonly string[]): SwarmLimits {
  if (ids.length === 0) return ALL_LIMITS;
  const areHuntedIn = ids.map((id) => plantedMutant(id)?.workloads);
  if (areHuntedIn.includes("records")) return RECORD_LIMITS;
  if (areHuntedIn.includes("readers")) return READER_LIMITS;
  if (areHuntedIn.includes("backups")) return BACKUP_LIMITS;
  if (areHuntedIn.includes("level")) return LEVEL_LIMITS;
  return areHuntedIn.includes("transactions") ? TRANSACTION_LIMITS : DEFAULT_LIMITS;
}

/** Whether it is the id of a planted bug, has the form of an automatic mutant's, or is the canary's. */
export function isKnownMutant(id: string): boolean {
  return id === CANARY || plantedMutant(id) !== null || parseAutomatic(id) !== null;
}

/** Throws `INVALID_ARGUMENT` for any other id. */
export function requireKnownMutant(id: string): void {
  if (isKnownMutant(id)) return;
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `there is no mutant "${id}". \`stillwater sim mutants --list\` shows them all.`,
  );
}
