/**
 * Planted bugs of queries: of what an index may answer, of unions, of where the next page begins. Each gives a wrong answer without any
 * damage on disk; the differential test of queries kills all of them, too (`test/query`).
 */
import type { Killer, PlantedMutant } from "./mutant.js";

type Described = Pick<PlantedMutant, "id" | "breaks" | "needs" | "test"> & {
  readonly copies?: string;
  readonly killer?: Killer;
};

const SPIRIT = "FoundationDB Record Layer's query planner, in its spirit";

const DESCRIBED: readonly Described[] = [
  {
    id: "R8-multi-predicate-truncated",
    breaks: "the limit counts rows of the index, before the conditions that the index does not know",
    copies: "TigerBeetle 0d418e9a2",
    needs: "a limit, and a condition beside the one that the index answers",
  },
  {
    id: "Q1-page-begins-with-the-last-item",
    breaks: "a page begins with the last document of the one before",
    needs: "a second page",
  },
  {
    id: "Q2-partial-index-not-implied",
    breaks: "a partial index answers queries for documents that it does not hold",
    needs: "a partial index, a query beyond it",
  },
  {
    id: "Q3-sparse-index-answers-null",
    breaks: "a sparse index answers queries that documents without the field meet",
    needs: "a sparse index, a query that does not exclude null",
  },
  {
    id: "Q4-union-gives-a-document-twice",
    breaks: "a document that meets two alternatives, or has two values in a range, comes twice",
    needs: "an or over two indexes, or an index through a list",
  },
  {
    id: "Q5-write-only-index-read",
    breaks: "an index answers queries before its build is done",
    copies: "ours, after feature DF-36",
    needs: "a write-only index, a query on its fields",
  },
  {
    id: "Q6-page-goes-on-in-an-order-of-its-own",
    breaks: "a later page takes whatever order its plan has, not the one of the first",
    needs: "an index that comes or goes between two pages",
    killer: "test",
    test: "test/query/differential.test.ts",
  },
];

export const QUERY_MUTANTS: readonly PlantedMutant[] = DESCRIBED.map((mutant) => ({
  copies: SPIRIT,
  killer: "swarm",
  workloads: "records",
  oracles: ["O38"],
  ...mutant,
}));
