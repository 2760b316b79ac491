/** How syncs of the engine are named: by kind of file, role of directory, and function below `src/engine`. */
import { parseFileName } from "../../src/engine/files.js";
import { baseName } from "../../src/platform/path.js";
import type { SyncOperation } from "../disk/sync-sabotage.js";
import type { SiteNaming } from "./sync-site.js";

export const ENGINE_SITES: SiteNaming = {
  source: /\/src\/engine\/([\w./-]+)\.[jt]s/,
  kindOf: (operation, path) => (operation === "syncDirectory" ? roleOf(path) : kindOfFile(operation, path)),
};

function roleOf(path: string): string {
  if (path === "/") return "parent";
  if (path.endsWith(".partial")) return "partial";
  return baseName(path) === "quarantine" ? "quarantine" : "directory";
}

function kindOfFile(_operation: SyncOperation, path: string): string {
  const { kind } = parseFileName(baseName(path));
  if (kind === "wal") return "log";
  // CURRENT is written under a temporary name.
  return kind === "temporary" ? "current" : kind;
}
