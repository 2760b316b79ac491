/**
 * What the commands share that only read. They own the store while they run where that can be, since then it is recovered and
 * read as any program would; beside a process that has it open, on a volume that cannot be written, and with --read-only they
 * read it without owning it. Promise: which of the two it was is said, to people as a note, to programs as `readOnly`.
 */
import type { Command } from "commander";
import type { StoreOptions } from "../engine/options.js";
import type { ReadOnlyStore } from "../engine/readonly/read-only-store.js";
import type { Store } from "../engine/store.js";
import { nodePlatform, openReadOnly } from "../index.js";
import { hasCode } from "../platform/errors.js";
import type { StorageDatabase } from "../transaction/database.js";
import { databaseOverReader } from "../transaction/read-only-database.js";
import { type JsonOption, withStore } from "./session.js";
import { storePath, writeError } from "./terminal.js";

export interface ReadOption extends JsonOption {
  readonly readOnly?: true;
}

/** What both kinds of store can do. */
export type ReadableStore = Store | ReadOnlyStore;

export interface Read<Result> {
  readonly result: Result;
  /** Whether the store was read without owning it. */
  readonly readOnly: boolean;
}

/** Adds `--read-only`. */
export function withReadOnly(command: Command): Command {
  return command.option(
    "--read-only",
    "take no lock and write nothing, not even what recovery would; done by itself where another process has the store open",
  );
}

/** Runs `action` on the store, owned or only read. */
export async function withReader<Result>(
  directory: string,
  options: ReadOption,
  storeOptions: StoreOptions,
  action: (store: ReadableStore) => Promise<Result>,
): Promise<Read<Result>> {
  return eitherWay(
    options,
    () => withStore(directory, options, storeOptions, action),
    (why) => withReadOnlyStore(directory, options, why, action),
  );
}

/** Runs `own`, or `read` with the reason why the store is not owned. */
export async function eitherWay<Result>(
  options: ReadOption,
  own: () => Promise<Result>,
  read: (why: string) => Promise<Result>,
): Promise<Read<Result>> {
  let why = "";
  if (options.readOnly !== true) {
    try {
      return { result: await own(), readOnly: false };
    } catch (error) {
      if (hasCode(error, "LOCKED"))
        why = `the store is open elsewhere, by ${error.owner ?? "another process"}; `;
      else if (isNotWritable(error)) why = "the store's directory cannot be written; ";
      else throw error;
    }
  }
  return { result: await read(why), readOnly: true };
}

/** A database of the store that can only be read. */
export async function withReadOnlyDatabase<Result>(
  directory: string,
  options: ReadOption,
  why: string,
  action: (database: StorageDatabase) => Promise<Result>,
): Promise<Result> {
  return withReadOnlyStore(directory, options, why, async (store) => {
    const database = databaseOverReader(store, nodePlatform());
    try {
      return await action(database);
    } finally {
      await database.close();
    }
  });
}

async function withReadOnlyStore<Result>(
  directory: string,
  options: ReadOption,
  why: string,
  action: (store: ReadOnlyStore) => Promise<Result>,
): Promise<Result> {
  const store = await openReadOnly(storePath(directory));
  try {
    if (options.json !== true)
      writeError(`stillwater: note: ${why}read without owning it, at version ${store.version}`);
    return await action(store);
  } finally {
    await store.close();
  }
}

/** The lock's note cannot be left, so the store cannot be owned. */
function isNotWritable(error: unknown): boolean {
  return (
    (hasCode(error, "READ_ONLY") || hasCode(error, "ACCESS_DENIED")) && error.operation === "lockDirectory"
  );
}
