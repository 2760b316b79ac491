/**
 * Planted bugs of indexes: of what a kind makes of a change of a document, and of the scrubber that looks for such bugs.
 */
import type { PlantedMutant } from "./mutant.js";

type Described = Pick<PlantedMutant, "id" | "breaks" | "needs" | "oracles"> & {
  readonly copies?: string;
};

const SPIRIT = "FoundationDB Record Layer's index maintainers, in their spirit";

const DESCRIBED: readonly Described[] = [
  {
    id: "I1-entry-not-removed-on-overwrite",
    breaks: "a document that changes a value stays in its index under the value it had",
    needs: "an overwrite with another value of an indexed field",
    oracles: ["O11", "O35", "O38"],
  },
  {
    id: "I20-group-not-left-on-update",
    breaks: "a document that changes its group, or its value in a sum, still counts with what it was",
    needs: "an overwrite of a document of a counted collection",
    oracles: ["O11"],
  },
  {
    id: "I21-empty-group-kept",
    breaks: "a group without documents stays, with a count of zero",
    needs: "the last document of a group that is deleted or leaves it",
    oracles: ["O11"],
  },
  {
    id: "I22-retention-keeps-one-less",
    breaks: "a history keeps one version fewer than it promises",
    needs: "more versions of a document than are kept",
    oracles: ["O11"],
  },
  {
    id: "I5-scrubber-repairs-a-live-write-away",
    breaks: "a repair goes by what was read without a conflict, so that it undoes a write that came between",
    needs: "a damaged row, and a write of its item while the scrub is about to repair it",
    oracles: ["O11"],
  },
  {
    id: "I23-scrub-position-ahead",
    breaks: "a scrub that stops within its rows goes on behind one that it has not looked at",
    needs: "damage in the row after a batch",
    oracles: ["O11"],
  },
  {
    id: "I24-scrub-forgets-the-condition",
    breaks: "the scrub of a partial index takes it for one of all documents",
    needs: "a scrub of a partial index",
    oracles: ["O11"],
  },
  {
    id: "R14-entry-kept-after-same-value-overwrite",
    breaks: "the rows to remove come from what the index was told last, which may have been rolled back",
    copies: "TigerBeetle 38e916fdf, in its spirit",
    needs: "a rolled-back overwrite, then another with the same value",
    oracles: ["O11", "O35", "O38"],
  },
];

export const INDEX_MUTANTS: readonly PlantedMutant[] = DESCRIBED.map((mutant) => ({
  copies: SPIRIT,
  killer: "swarm",
  workloads: "records",
  ...mutant,
}));
