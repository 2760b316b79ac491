/** Planted bugs of the interface of Level: of its writes, views and codes. */
import type { PlantedMutant } from "./mutant.js";

const DESCRIBED: readonly Pick<PlantedMutant, "id" | "breaks" | "needs" | "oracles" | "copies">[] = [
  {
    id: "A1-batch-in-two-commits",
    breaks: "the first operation of a batch is committed by itself",
    copies: "level-sublevel and subleveldown before batches over sublevels were handed to the root",
    needs: "a batch of two operations",
    oracles: ["O42"],
  },
  {
    id: "A2-view-pinned-at-the-first-row",
    breaks: "an iterator shows the moment of its first row, not of its making",
    copies:
      "abstract-level's rule on implicit snapshots, broken: encoding-down and levelup iterators over lazy stores",
    needs: "a write between the making of an iterator and its first row",
    oracles: ["O42"],
  },
  {
    id: "A3-sync-option-dropped",
    breaks: "a write with sync: true is answered as the database's durability says",
    copies: "sublevels and wrappers that drop the options of a write (Level/community, in its spirit)",
    needs: "a database that is buffered, a write with sync: true",
    oracles: ["O42"],
  },
  {
    id: "A4-snapshot-option-ignored",
    breaks: "a read in an explicit snapshot shows now",
    copies: "abstract-level 2.0's explicit snapshots, in their spirit",
    needs: "a write, then a read in a snapshot from before it",
    oracles: ["O42"],
  },
  {
    id: "A5-stop-called-busy",
    breaks: "a store that has stopped for a disk error is said to be busy, so its user tries again for ever",
    copies: "classic-level's map of statuses to codes, in its spirit",
    needs: "a failed sync, a write after it",
    oracles: ["O42"],
  },
  {
    id: "A6-limited-clear-always-forward",
    breaks: "clear with reverse and a limit removes the first keys in place of the last",
    copies: "abstract-level's suite has a case for it",
    needs: "a clear with reverse and a limit below the number of keys",
    oracles: ["O42", "O22", "O2", "O3", "O12"],
  },
  {
    id: "A7-write-answered-at-once",
    breaks: "the promise of a write resolves before the write is on the disk",
    copies: "leveldown's default sync: false, taken for durable",
    needs: "a write",
    oracles: ["O42"],
  },
];

export const LEVEL_MUTANTS: readonly PlantedMutant[] = DESCRIBED.map((mutant) => ({
  ...mutant,
  killer: "swarm",
  workloads: "level",
}));
