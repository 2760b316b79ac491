/** One planted bug, as the catalogue describes it. */
import type { OracleId } from "../../oracles/failure.js";

/**
 * What kills it: the swarm, the exhaustive explorer, or a saved case in `seeds/` (for bugs whose circumstances are so
 * rare that no budget of random seeds finds them reliably), or a test alone: what needs it no workload does yet.
 */
export type Killer = "swarm" | "explore" | "case" | "test";

export interface PlantedMutant {
  /** As in `mutant("…")` in the sources: letter and number of the list of realistic bugs, then words. */
  readonly id: string;
  /** What the engine does wrong while the switch is on. */
  readonly breaks: string;
  /** The real bug that it copies: project, and commit, issue or release note of the fix. */
  readonly copies: string;
  /** What must happen for the difference to show. */
  readonly needs: string;
  /** The promises that it breaks, any of which may be seen first. */
  readonly oracles: readonly OracleId[];
  readonly killer: Killer;
  /** The file of the test, for the killer "test". */
  readonly test?: string;
  /** Hunted in these workloads only: elsewhere its place is never reached. Default: those of the store. */
  readonly workloads?: "transactions" | "records" | "readers" | "backups" | "level";
  /** Proof that no promise can tell the mutant from the original. Then it need not be killed. */
  readonly equivalent?: string;
}
