/** Planted bugs of reading beside a writer: of what is believed, what is left out, and what a view is read from. */
import type { PlantedMutant } from "./mutant.js";

type Described = Pick<PlantedMutant, "id" | "breaks" | "copies" | "needs" | "oracles">;

const DESCRIBED: readonly Described[] = [
  {
    id: "Y1-manifest-not-checked-again",
    breaks: "a reader does not look at the manifest again after it has read the log",
    copies:
      "RocksDB's secondary instance, in its spirit: a log that is deleted while it is being tailed (#6492)",
    needs: "a flush between the look at the manifest and that at the log, which leaves no segment behind",
    oracles: ["O40"],
  },
  {
    id: "Y2-reader-leaves-out-an-operation",
    breaks: "a reader leaves out the first operation that was added to a log segment",
    copies: "RocksDB's secondary instance, in its spirit: records skipped when a log goes on",
    needs: "a commit in the log",
    oracles: ["O40"],
  },
  {
    id: "Y3-first-look-believed",
    breaks: "a reader takes what the writer is just writing or removing for damage",
    copies: "RocksDB #8467, in its spirit: files that vanish while a secondary opens them",
    needs: "a table removed, or a record written, between two looks",
    oracles: ["O16"],
  },
  {
    id: "Y4-newest-segment-left-out",
    breaks: "a reader does not read the newest log segment",
    copies: "RocksDB's secondary instance, in its spirit: the log that was made last is not found",
    needs: "a commit that is not in tables",
    oracles: ["O40"],
  },
  {
    id: "Y5-snapshot-reads-newest-view",
    breaks: "a snapshot of a reader reads the newest view",
    copies: "LevelDB 7263023, in its spirit",
    needs: "a refresh under a snapshot",
    oracles: ["O40"],
  },
];

export const READER_MUTANTS: readonly PlantedMutant[] = DESCRIBED.map((described) => ({
  ...described,
  killer: "swarm",
  workloads: "readers",
}));
