/** Planted bugs about what systems other than Linux do with names: directories that cannot be synced, files in use. */
import type { PlantedMutant } from "./mutant.js";

export const PLATFORM_MUTANTS: readonly PlantedMutant[] = [
  {
    id: "P1-new-name-left-to-chance",
    breaks: "where directories cannot be synced, nothing makes the new name of CURRENT or of a copy durable",
    copies: "the no-op directory sync of LevelDB's and RocksDB's Windows environments",
    needs: "Windows, S9",
    oracles: ["O8", "O9", "O12"],
    killer: "swarm",
  },
  {
    id: "P3-log-given-up-with-an-edit-put-off",
    breaks:
      "the edit of a flush is put off while CURRENT is in use, and the next edit of another job says that its log is done with",
    copies: "class of Pebble 79b311b81 (state changed before the manifest is)",
    needs: "S28 at the first edit after a clean open, beside a compaction",
    oracles: ["O1", "O5", "O9", "O13"],
    killer: "swarm",
  },
  {
    id: "P4-busy-current-taken-for-replaced",
    breaks:
      "CURRENT is in use, so the rename fails, and the store goes on with a manifest that nothing names",
    copies: "class of ignored rename errors; LevelDB issue 195",
    needs: "S28 at CURRENT",
    oracles: ["O1", "O7", "O8", "O9", "O16"],
    killer: "swarm",
  },
  {
    id: "P5-busy-current-stops-store",
    breaks: "a scanner that looks at CURRENT for a moment makes the store refuse writes until it is reopened",
    copies: "RocksDB and LevelDB on Windows: background error after a sharing violation",
    needs: "S28 at CURRENT",
    oracles: ["O16", "O15"],
    killer: "swarm",
  },
  {
    id: "P6-table-removed-while-open",
    breaks: "a table is removed that the table cache has open",
    copies: "what POSIX forgives and Windows does not; RocksDB's TableCache::Evict exists for it",
    needs: "a compaction",
    oracles: ["O9", "O18", "O19"],
    killer: "swarm",
  },
  {
    id: "P7-busy-leftover-forgotten",
    breaks: "a leftover that is in use while a store is opened stays for as long as the store is open",
    copies: "LevelDB on Windows: RemoveObsoleteFiles ignores errors",
    needs: "S28 at an open",
    oracles: ["O9"],
    killer: "swarm",
  },
];
