/** Planted bugs of what the store counts of itself. */
import type { PlantedMutant } from "./mutant.js";

export const METRIC_MUTANTS: readonly PlantedMutant[] = [
  {
    id: "N1-group-counted-as-one-commit",
    breaks: "commits that share a record of the log are counted as one",
    copies: "ours",
    needs: "two commits in one record",
    oracles: ["O43"],
    killer: "swarm",
  },
  {
    id: "N2-range-deletes-counted-as-deletes",
    breaks: "a range delete is counted a second time, as a delete",
    copies: "ours",
    needs: "a range delete",
    oracles: ["O43"],
    killer: "swarm",
  },
  {
    id: "N3-trivial-move-not-counted",
    breaks: "a table that moves down without being rewritten is not counted",
    copies: "ours",
    needs: "a trivial move",
    oracles: ["O43"],
    killer: "swarm",
  },
];
