/**
 * Planted bugs of indexes that are built while others write: of what writers are told, of what a batch reads and remembers, of the
 * end of a build.
 */
import type { Killer, PlantedMutant } from "./mutant.js";

type Described = Pick<PlantedMutant, "id" | "breaks" | "needs" | "test"> & {
  readonly copies?: string;
  readonly killer?: Killer;
};

const SPIRIT = "FoundationDB Record Layer's online index builder, in its spirit";

const DESCRIBED: readonly Described[] = [
  {
    id: "I2-double-count-during-build",
    breaks:
      "a writer tells a non-idempotent index of every item while it is built, and the build tells it again",
    copies: "FoundationDB Record Layer, non-idempotent indexes before built ranges were checked",
    needs: "a write of an item that the build has not passed",
  },
  {
    id: "I3-progress-ahead-of-entries",
    breaks: "the position that is stored is one item beyond the entries",
    needs: "a build of more than one batch",
  },
  {
    id: "I6-build-position-read-without-conflict",
    breaks: "a writer that has seen an item as not built commits although the build has passed it meanwhile",
    needs: "a writer under way while a batch commits",
  },
  {
    id: "I7-position-taken-for-a-primary-key",
    breaks:
      "a writer compares primary keys with the position of a build that goes in the order of another index",
    needs: "a build of a non-idempotent index from an index, a writer beside it",
  },
  {
    id: "I8-batch-reads-without-conflict",
    breaks: "a batch writes entries of items as they were, though they have been changed since it read them",
    needs: "a writer that commits between the read of a batch and its commit",
  },
  {
    id: "I9-violations-not-looked-at",
    breaks: "a unique index becomes readable with a value that two items have",
    needs: "two items of one value, a build",
  },
  {
    id: "I11-lease-checked-without-conflict",
    breaks: "work commits although its lease has been taken by another meanwhile",
    copies: "Kleppmann 2016, How to do distributed locking",
    needs: "a lease that is taken between the read of a transaction and its commit",
    killer: "test",
    test: "test/index/lease.test.ts",
  },
];

export const INDEX_BUILD_MUTANTS: readonly PlantedMutant[] = DESCRIBED.map((mutant) => ({
  copies: SPIRIT,
  killer: "swarm",
  workloads: "records",
  oracles: ["O36", "O11", "O35"],
  ...mutant,
}));
