/**
 * O19, at rest. Verifies: every page in use belongs to a file that has a name, so that nothing removed is held open; no
 * level is larger than the options let it be; and, after a manual compaction with no snapshot open, the tables hold
 * exactly the live rows, no tombstone, in at most VALUES + KEYS × 4 + ROWS × 96 + TABLES × 1024 bytes and the filter. (A key is
 * in its row, and may be in the index and be both bounds of its table; 96 bytes cover the columns of a row and, at worst, a
 * block of its own; 1024 the rest of a table.) Before a compaction live bytes bound nothing: one small range delete may
 * cover everything.
 * Does not verify: log and manifest, whose size O9 and the options bound; crash loops (`crash-loop.ts`).
 */
import type { ResolvedOptions } from "../../src/engine/options.js";
import type { StoreInspection } from "../../src/engine/store-types.js";
import { ABSENT } from "../model/key-history.js";
import type { Model } from "../model/model.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

const ROW_BYTES = 96;
const TABLE_BYTES = 1024;
const KEY_COPIES = 4;

type Limits = Pick<
  ResolvedOptions,
  "compaction" | "levelBaseBytes" | "levelRatio" | "level0CompactionFiles" | "bloomBitsPerKey"
>;

/** `usedBytes`: pages in use; `namedBytes`: those of files that can be reached by a name. */
export function checkNothingHidden(ledger: OracleLedger, usedBytes: number, namedBytes: number): void {
  ledger.count("O19");
  if (usedBytes === namedBytes) return;
  throw new OracleFailure(
    "O19",
    `${usedBytes} bytes of the disk are in use at rest, but files with a name have only ${namedBytes} of them`,
  );
}

/** With no compaction due. The last level takes what there is. */
export function checkLevels(ledger: OracleLedger, { levels }: StoreInspection, limits: Limits): void {
  ledger.count("O19");
  if (limits.compaction !== "leveled") return;
  const count = levels[0]?.length ?? 0;
  if (count >= limits.level0CompactionFiles) {
    throw new OracleFailure(
      "O19",
      `level 0 has ${count} tables at rest; ${limits.level0CompactionFiles} start a compaction`,
    );
  }
  for (let level = 1; level < levels.length - 1; level++) {
    const bytes = (levels[level] ?? []).reduce((sum, table) => sum + table.bytes, 0);
    const target = limits.levelBaseBytes * limits.levelRatio ** (level - 1);
    if (bytes < target) continue;
    throw new OracleFailure("O19", `level ${level} has ${bytes} bytes at rest, and may have ${target}`);
  }
}

/** After a manual compaction with no snapshot open. `sequence`: the newest commit. */
export function checkCompacted(
  ledger: OracleLedger,
  { levels }: StoreInspection,
  model: Model,
  sequence: number,
  limits: Limits,
): void {
  ledger.count("O19");
  let rows = 0;
  let keyBytes = 0;
  let valueBytes = 0;
  for (const history of model.histories) {
    const index = history.indexAt(sequence);
    if (index < 0 || history.writers[index] === ABSENT) continue;
    rows++;
    keyBytes += history.bytes.length;
    valueBytes += history.lengths[index] as number; // index is in range
  }
  const tables = levels.flat();
  const held = tables.reduce((sum, table) => sum + table.entryCount, 0);
  const dead = tables.reduce((sum, table) => sum + table.tombstoneCount + table.rangeTombstoneCount, 0);
  if (held !== rows || dead > 0) {
    throw new OracleFailure(
      "O19",
      `a compacted store of ${rows} live keys holds ${held} rows, and ${dead} tombstones among and beside them`,
    );
  }
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  const bound =
    valueBytes +
    KEY_COPIES * keyBytes +
    rows * (ROW_BYTES + limits.bloomBitsPerKey) +
    tables.length * TABLE_BYTES;
  if (bytes <= bound) return;
  throw new OracleFailure(
    "O19",
    `${keyBytes + valueBytes} live bytes in ${rows} rows take ${bytes} bytes in ${tables.length} tables once compacted, more than ${bound}`,
  );
}
