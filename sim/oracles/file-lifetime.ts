/**
 * O9. Verifies: a file that is removed, or moved out of the store's directory, is not live at that moment: neither to
 * the engine (in the current tree, in one that a snapshot or iterator holds, as a log), nor to a recovery from what is
 * durable (named by the durable manifest, as a log that it does not cover, as the manifest itself), nor open in this
 * process, as the inputs of a running job are. And after everything has come to rest the directory holds the live
 * files and the fixed ones, nothing else. And an open that fails while it replays the log takes its tables along, for
 * on a full disk, say, they would stand in the way of the next ones.
 * Does not verify: the quarantine, into which recovery moves what nobody refers to; what an open leaves that fails
 * once it has begun a manifest, for that may have come to name its tables.
 */
import { CURRENT_NAME, LOCK_NAME, parseFileName, QUARANTINE_NAME } from "../../src/engine/files.js";
import type { Levels } from "../../src/engine/manifest/tree.js";
import type { StoreInspection } from "../../src/engine/store-types.js";
import type { DurableStore } from "./durable-reader.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

const FIXED: readonly string[] = [CURRENT_NAME, LOCK_NAME, QUARANTINE_NAME];

/** Called just before `name` is removed from the store's directory. */
export function checkRemoval(ledger: OracleLedger, inspection: StoreInspection, name: string): void {
  ledger.count("O9");
  if (inspection.liveFiles.includes(name)) {
    throw new OracleFailure("O9", `${name} is about to be removed though it is live`);
  }
}

/**
 * Called just before `name` is removed or moved away, with what is durable then: a crash may keep the removal and lose
 * everything else that is not synced. `handles`: how often the process has the file open.
 */
export function checkDurableRemoval(
  ledger: OracleLedger,
  durable: DurableStore,
  name: string,
  handles: number,
): void {
  ledger.count("O9");
  const { kind, number } = parseFileName(name);
  const broken = (why: string): never => {
    throw new OracleFailure("O9", `${name} is about to be removed though ${why}`);
  };
  if (handles > 0) broken("it is open");
  if (kind === "table" && isNamed(durable.levels, number)) broken("the durable manifest names it");
  if (kind === "manifest" && number === durable.manifestNumber) broken("the durable CURRENT names it");
  const segment =
    kind === "wal" ? durable.segments.find(({ fileNumber }) => fileNumber === number) : undefined;
  segment?.follow();
  if (segment?.header != null && segment.lastVersion > segment.header.baseVersion) {
    broken(`it holds versions up to ${segment.lastVersion}, and the durable manifest does not cover them`);
  }
}

/**
 * Called when an open has failed. `names`: the directory; `kept`: tables that the open has begun and not removed, or
 * tried to, with no manifest begun that could name them.
 */
export function checkFailedOpening(
  ledger: OracleLedger,
  names: ReadonlySet<string>,
  kept: readonly string[],
): void {
  ledger.count("O9");
  const left = kept.find((name) => names.has(name));
  if (left === undefined) return;
  throw new OracleFailure("O9", `${left} was written by an open that failed, which has left it behind`);
}

function isNamed(levels: Levels, fileNumber: number): boolean {
  return levels.some((tables) => tables.some((table) => table.fileNumber === fileNumber));
}

/** `names`: the directory, with no background work going on. */
export function checkNoOrphans(
  ledger: OracleLedger,
  inspection: StoreInspection,
  names: readonly string[],
): void {
  ledger.count("O9");
  const expected = new Set([...inspection.liveFiles, ...FIXED]);
  for (const name of names) {
    if (!expected.has(name)) {
      throw new OracleFailure("O9", `${name} is left in the directory though nothing refers to it`);
    }
  }
}
