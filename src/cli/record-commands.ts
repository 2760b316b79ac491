/**
 * `collections`, `indexes` and `index build`: the records of a store by what its catalogue says, without the program that declared
 * them. Encrypted items are read with the keys in `STILLWATER_ITEM_KEY_…`. Checking indexes: `index-check-commands.ts`.
 */
import type { Command } from "commander";
import { type IndexInfo, IndexManager } from "../collection/index-manager.js";
import type { CatalogueCollection } from "../record/catalogue.js";
import { items } from "../record/pipeline/item-range.js";
import { startItemProgress } from "./item-progress.js";
import { type ReadOption, withReadOnly } from "./read-session.js";
import { type RecordSession, withRecords, withRecordsToRead } from "./record-session.js";
import { count, JSON_FLAG, type JsonOption, printResult } from "./session.js";
import { tableOf } from "./table.js";

export function addRecordCommands(program: Command): void {
  withReadOnly(program.command("collections <dir>"))
    .summary("list collections")
    .description("list the collections of a store, with their primary keys and indexes")
    .option("--count", "count their documents as well, which reads all of them")
    .option(...JSON_FLAG)
    .action(collections);
  withReadOnly(program.command("indexes <dir> [collection]"))
    .summary("list indexes and their states")
    .description("list indexes with their kinds, fields and states, and how far those being built are")
    .option(...JSON_FLAG)
    .action(indexes);
}

/** Below the command `index`. */
export function addIndexBuildCommand(index: Command): void {
  index
    .command("build <dir> <collection> <index...>")
    .summary("build indexes until they are readable")
    .description(
      "build indexes until they are readable, several in one scan; goes on where an earlier build has stopped. A disabled index is " +
        "enabled first",
    )
    .option("--rebuild", "build a readable index anew, which stays readable meanwhile")
    .option(...JSON_FLAG)
    .action(build);
}

interface ListedCollection {
  readonly name: string;
  readonly primaryKey: string;
  readonly indexes: readonly string[];
  readonly documents: number | null;
}

async function collections(
  directory: string,
  options: ReadOption & { readonly count?: true },
): Promise<void> {
  const { result, readOnly } = await withRecordsToRead(directory, options, async (session) => {
    const listed: ListedCollection[] = [];
    for (const collection of session.catalogue.collections.values()) {
      const { stored, indexes } = collection;
      listed.push({
        name: stored.name,
        primaryKey: stored.primaryKey,
        indexes: indexes.map(({ name }) => name),
        documents: options.count === true ? await countDocuments(session, collection) : null,
      });
    }
    return { schemaVersion: session.catalogue.schemaVersion, found: listed };
  });
  const { schemaVersion, found } = result;
  const header = ["collection", "primary key", "indexes", ...(options.count === true ? ["documents"] : [])];
  const rows = found.map(({ name, primaryKey, indexes, documents }) => [
    name,
    primaryKey,
    String(indexes.length),
    ...(documents === null ? [] : [documents.toLocaleString("en-US")]),
  ]);
  await printResult(options, { directory, readOnly, schemaVersion, collections: found }, [
    `schema ${schemaVersion}`,
    ...tableOf([header, ...rows]),
  ]);
}

async function indexes(
  directory: string,
  collection: string | undefined,
  options: ReadOption,
): Promise<void> {
  const { result: found, readOnly } = await withRecordsToRead(directory, options, ({ shared }) =>
    new IndexManager(shared).list(collection),
  );
  const rows = found.map((index) => [
    index.collection,
    index.index,
    index.kind,
    index.fields.join(", "),
    stateOf(index),
  ]);
  await printResult(options, { directory, readOnly, indexes: found }, [
    ...tableOf([["collection", "index", "kind", "fields", "state"], ...rows]),
  ]);
}

function stateOf({ state, build, shadow }: IndexInfo): string {
  const share = (fraction: number): string => `${Math.floor(fraction * 100)} % built`;
  const own = build === null ? state : `${state}, ${share(build.fraction)}`;
  return shadow === null ? own : `${own}; a second copy, ${share(shadow.build?.fraction ?? 0)}`;
}

async function build(
  directory: string,
  collection: string,
  names: readonly string[],
  options: JsonOption & { readonly rebuild?: true },
): Promise<void> {
  const results = await withRecords(directory, async ({ shared }) => {
    const manager = new IndexManager(shared);
    const progress = await startItemProgress(options);
    const onProgress = { onProgress: progress.update };
    try {
      if (options.rebuild !== true) {
        for (const name of names) {
          if ((await manager.get(collection, name)).state === "disabled")
            await manager.enable(collection, name);
        }
        return [await manager.build(collection, names, onProgress)];
      }
      const rebuilt = [];
      for (const name of names) rebuilt.push(await manager.rebuild(collection, name, onProgress));
      return rebuilt;
    } finally {
      progress.stop();
      await manager.close();
    }
  });
  const gone = results.reduce((sum, result) => sum + result.items, 0);
  await printResult(options, { directory, collection, indexes: names, items: gone }, [
    `${names.join(", ")}: readable; ${count(gone, "document")} gone through`,
  ]);
}

/** In pages of their own transactions: a count of many documents outlives one. */
async function countDocuments({ shared }: RecordSession, collection: CatalogueCollection): Promise<number> {
  const { begin, end } = shared.itemsOf(collection).space.range();
  let documents = 0;
  for (let from: Uint8Array | null = begin; from !== null; ) {
    const page: Page = await shared.database.read((reader) =>
      pageOf(items(reader, from ?? begin, end, PAGE)),
    );
    documents += page.items;
    from = page.next;
  }
  return documents;
}

interface Page {
  readonly items: number;
  /** Null: there are no more. */
  readonly next: Uint8Array | null;
}

const PAGE = { limit: 10_000 };

async function pageOf(rows: AsyncIterable<{ readonly key: Uint8Array }>): Promise<Page> {
  let found = 0;
  let last: Uint8Array | null = null;
  for await (const { key } of rows) {
    found++;
    last = key;
  }
  // Behind the parts that the last one may have.
  return {
    items: found,
    next: found < PAGE.limit || last === null ? null : Buffer.concat([last, BEHIND_PARTS]),
  };
}

const BEHIND_PARTS = Uint8Array.of(0xff);
