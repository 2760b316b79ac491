/**
 * Planted bugs of records: of the maintenance of indexes, of unique values, of builds and scrubs, of documents in parts. The first
 * ones are those that index layers are known for; most are slips of one condition.
 */
import type { PlantedMutant } from "./mutant.js";

type Described = Pick<PlantedMutant, "id" | "breaks" | "needs" | "oracles"> & {
  readonly copies?: string;
};

const SPIRIT = "FoundationDB's Record Layer, in its spirit";

const DESCRIBED: readonly Described[] = [
  {
    id: "I1-entry-not-removed-on-overwrite",
    breaks: "the rows of an overwritten document stay in its indexes",
    needs: "an overwrite with another value",
    oracles: ["O11", "O35", "O38"],
  },
  {
    id: "I4-unique-check-not-conflict-tracked",
    breaks: "the rows of a unique value are read without a conflict",
    needs: "two clients that bring one value to two documents at once",
    oracles: ["O35"],
  },
  {
    id: "R14-entry-kept-after-same-value-overwrite",
    breaks: "a write compares with the committed document, not with what its own transaction has made of it",
    copies: "TigerBeetle 38e916fdf, in its spirit",
    needs: "a document that is changed and changed back in one transaction",
    oracles: ["O11", "O35", "O37", "O38"],
  },
  {
    id: "I20-parts-of-a-longer-document-kept",
    breaks: "an overwrite with a shorter document leaves the last parts of the longer one",
    needs: "a document in parts that is overwritten with fewer",
    oracles: ["O37"],
  },
  {
    id: "I21-calls-do-not-take-turns",
    breaks: "two writes of one document within a transaction both take what was there before",
    needs: "two writes at once, of one document",
    oracles: ["O11", "O35", "O37", "O38"],
  },
];

export const RECORD_MUTANTS: readonly PlantedMutant[] = DESCRIBED.map((mutant) => ({
  copies: SPIRIT,
  killer: "swarm",
  workloads: "records",
  ...mutant,
}));
