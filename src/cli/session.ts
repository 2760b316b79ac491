/**
 * What the store commands share: opening and closing around one action, and printing for people or for programs.
 * Promise: the store is closed whatever happens, and what opening has done to it is said.
 */
import type { RecoveryReport } from "../engine/recovery.js";
import type { Store } from "../engine/store.js";
import { open, type StoreOptions } from "../index.js";
import { storePath, writeError, writeOutput } from "./terminal.js";

export interface JsonOption {
  readonly json?: true;
}

export const JSON_FLAG = ["--json", "print JSON, errors included"] as const;

/** Opens without creating unless `storeOptions` say so. */
export async function withStore<Result>(
  directory: string,
  options: JsonOption,
  storeOptions: StoreOptions,
  action: (store: Store) => Promise<Result>,
): Promise<Result> {
  const store = await open(storePath(directory), { createIfMissing: false, ...storeOptions });
  try {
    if (options.json !== true)
      for (const note of recoveryNotes(store.recovery)) writeError(`stillwater: note: ${note}`);
    return await action(store);
  } finally {
    await store.close();
  }
}

/** For commands whose own work is so small that a thread for it does not pay. */
export const BRIEF: StoreOptions = { backgroundThread: false };

/** Prints `value` with --json, else the lines. */
export function printResult(options: JsonOption, value: unknown, lines: readonly string[]): Promise<void> {
  if (options.json === true) return writeOutput(`${JSON.stringify(value)}\n`);
  return writeOutput(lines.map((line) => `${line}\n`).join(""));
}

export function count(number: number, unit: string): string {
  return `${number.toLocaleString("en-US")} ${unit}${number === 1 || unit.endsWith("s") ? "" : "s"}`;
}

function recoveryNotes(recovery: RecoveryReport): string[] {
  const { commitsReplayed, tornBytes, quarantined, purged } = recovery;
  const notes: string[] = [];
  if (commitsReplayed > 0) {
    notes.push(`the store had not been closed; ${count(commitsReplayed, "commit")} recovered from its log`);
  }
  if (tornBytes > 0) {
    notes.push(
      `${count(tornBytes, "byte")} of an unfinished write, never acknowledged as durable, were cut off`,
    );
  }
  if (quarantined.length > 0) notes.push(`unknown tables moved to quarantine/: ${quarantined.join(", ")}`);
  if (purged.length > 0)
    notes.push(`removed from quarantine/, after an opening without need for them: ${purged.join(", ")}`);
  return notes;
}
