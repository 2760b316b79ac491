/**
 * O8. Verifies: what would survive if everything unsynced were lost at this instant is a store: CURRENT names a
 * complete manifest, and every table that the manifest names is there with its size. Asked after crashes and at many
 * VFS calls, whenever the durable state has changed, which turns "crash exactly here" from luck into a rule. And: every
 * file that the engine counts as live is in the directory.
 * Does not verify: the content of tables (verify, O23) nor the log (O1).
 */
import { type LoadedManifest, loadManifest } from "../../src/engine/manifest/manifest-log.js";
import type { StoreInspection } from "../../src/engine/store-types.js";
import type { VFS } from "../../src/platform/vfs.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** Null when there is no store and `created` says that there need not be one yet. */
export function checkDurableStore(
  ledger: OracleLedger,
  durable: VFS,
  directory: string,
  created: boolean,
): LoadedManifest | null {
  ledger.count("O8");
  let manifest: LoadedManifest | null;
  try {
    if (durable.stat(directory) === null) manifest = null;
    else manifest = loadManifest(durable, directory);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new OracleFailure("O8", `the durable state is not a store: ${said}`, error);
  }
  if (manifest === null && created) {
    throw new OracleFailure("O8", "the durable state has no CURRENT, though the store was created long ago");
  }
  return manifest;
}

/** `names`: the directory as it is listed now. */
export function checkLiveFiles(
  ledger: OracleLedger,
  inspection: StoreInspection,
  names: readonly string[],
): void {
  ledger.count("O8");
  const listed = new Set(names);
  for (const name of inspection.liveFiles) {
    if (!listed.has(name)) throw new OracleFailure("O8", `${name} is live but not in the directory`);
  }
}
