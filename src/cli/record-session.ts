/** Opening and closing the records of a store around one action; see `session.ts` for stores. */
import { openStoredRecords, type StoredRecords } from "../collection/stored-records.js";
import { itemKeysFromEnvironment, nodePlatform, openDatabase } from "../index.js";
import { environmentVariables } from "../platform/node/environment.js";
import type { ItemStorageOptions } from "../record/pipeline/pipeline-options.js";
import { eitherWay, type Read, type ReadOption, withReadOnlyDatabase } from "./read-session.js";
import { storePath } from "./terminal.js";

export type RecordSession = StoredRecords;

export async function withRecords<Result>(
  directory: string,
  action: (session: RecordSession) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase(storePath(directory), { store: { createIfMissing: false } });
  try {
    return await action(await openStoredRecords(database, nodePlatform(), itemOptions()));
  } finally {
    await database.close();
  }
}

/** As `withRecords`, for what only reads: owned or not. */
export function withRecordsToRead<Result>(
  directory: string,
  options: ReadOption,
  action: (session: RecordSession) => Promise<Result>,
): Promise<Read<Result>> {
  return eitherWay(
    options,
    () => withRecords(directory, action),
    (why) =>
      withReadOnlyDatabase(directory, options, why, async (database) =>
        action(await openStoredRecords(database, nodePlatform(), itemOptions())),
      ),
  );
}

/** With keys where the environment has some. */
export function itemOptions(): ItemStorageOptions {
  const variables = environmentVariables();
  if (variables.STILLWATER_ITEM_KEY_CURRENT === undefined) return {};
  return { encryption: { keys: itemKeysFromEnvironment(variables) } };
}
