/**
 * O8. Verifies: what would survive if everything unsynced were lost at this instant is a store: CURRENT names a
 * complete manifest, and every table that the manifest names is there with its size. Asked after every change of the
 * durable state, which turns "crash exactly here" from luck into a rule. And: every file that the engine counts as live
 * is in the directory. And: the next process does not find a seal that is not true, whatever has failed in this one.
 * Does not verify: the content of tables (verify, O23) nor the log (O1).
 */

import { tableName } from "../../src/engine/files.js";
import { type LoadedManifest, loadManifest } from "../../src/engine/manifest/manifest-log.js";
import type { TableMeta } from "../../src/engine/manifest/table-meta.js";
import type { Levels } from "../../src/engine/manifest/tree.js";
import type { StoreInspection } from "../../src/engine/store-types.js";
import type { VFS } from "../../src/platform/vfs.js";
import type { FileNode } from "../disk/file-node.js";
import type { DirectoryNode } from "../disk/name-log.js";
import { fileNamed } from "./durable-reader.js";
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

/**
 * A manifest that a process sees sealed is on the medium, edit for edit: the next process builds on it without writing it
 * anew. `seen`: what processes see; `durable`: what the medium has.
 */
export function checkSeal(ledger: OracleLedger, seen: VFS, durable: VFS, directory: string): void {
  ledger.count("O8");
  const found = loadManifest(seen, directory);
  if (found === null || !found.isSealed) return;
  const kept = checkDurableStore(ledger, durable, directory, true);
  if (kept?.manifestNumber === found.manifestNumber && kept.editNumber === found.editNumber) return;
  throw new OracleFailure(
    "O8",
    `manifest ${found.manifestNumber} is sealed at edit ${found.editNumber}, but what is durable is manifest ` +
      `${kept?.manifestNumber} at edit ${kept?.editNumber}`,
  );
}

/** Every table that the durable manifest names is durable, in its size. Looks names up only when they have changed. */
export class DurableTables {
  readonly #ledger: OracleLedger;
  #directory: DirectoryNode | null = null;
  #version = -1;
  #levels: Levels | null = null;
  #found: { readonly table: TableMeta; readonly node: FileNode }[] = [];

  constructor(ledger: OracleLedger) {
    this.#ledger = ledger;
  }

  check(levels: Levels, directory: DirectoryNode): void {
    this.#ledger.count("O8");
    const isSame =
      this.#levels === levels && this.#directory === directory && this.#version === directory.durableVersion;
    if (!isSame) {
      this.#found = levels.flat().map((table) => {
        const node = fileNamed(directory, tableName(table.fileNumber));
        return node === null ? broken(`table ${table.fileNumber} is missing`) : { table, node };
      });
      this.#levels = levels;
      this.#directory = directory;
      this.#version = directory.durableVersion;
    }
    for (const { table, node } of this.#found) {
      if (node.mediaSize !== table.bytes)
        broken(`table ${table.fileNumber} has ${node.mediaSize} bytes instead of ${table.bytes}`);
    }
  }
}

function broken(what: string): never {
  throw new OracleFailure("O8", `the durable state is not a store: ${what}`);
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
