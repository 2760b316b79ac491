/** Planted bugs of records themselves: of unique values, of documents in parts, of the calls of one transaction. */
import type { Killer, PlantedMutant } from "./mutant.js";

type Described = Pick<PlantedMutant, "id" | "breaks" | "needs" | "oracles" | "test"> & {
  readonly copies?: string;
  readonly killer?: Killer;
};

const SPIRIT = "FoundationDB's Record Layer, in its spirit";

const DESCRIBED: readonly Described[] = [
  {
    id: "I4-unique-check-not-conflict-tracked",
    breaks: "the rows of a unique value are read without a conflict",
    needs: "two clients that bring one value to two documents at once",
    oracles: ["O35"],
  },
  {
    id: "I30-parts-of-a-longer-document-kept",
    breaks: "an overwrite with a shorter document leaves the last parts of the longer one",
    needs: "a document in parts that is overwritten with fewer",
    // A read before the commit is told of it by the store itself.
    oracles: ["O37", "O16"],
  },
  {
    id: "I31-calls-do-not-take-turns",
    breaks: "two writes of one document within a transaction both take what was there before",
    needs: "two writes at once, of one document",
    oracles: ["O11", "O35", "O37", "O38"],
  },
  {
    id: "I50-migration-progress-behind-its-batch",
    breaks: "how far a migration has come is stored in a transaction of its own, after the documents",
    copies: "FoundationDB Record Layer's rule for index builds, broken",
    needs: "a crash in a migration, between the two transactions",
    oracles: ["O39"],
  },
];

export const RECORD_MUTANTS: readonly PlantedMutant[] = DESCRIBED.map((mutant) => ({
  copies: SPIRIT,
  killer: "swarm",
  workloads: "records",
  ...mutant,
}));
