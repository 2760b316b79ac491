/**
 * The schemas of the workload `migrations` in the order of their versions, and what the catalogue must be under each:
 *
 *     1.0.0 ──lightweight──► 1.1.0 ──own code──► 2.0.0
 *      + Mark, + byAmount, − small    every item is raised by one
 *
 * A program with 2.0.0 that finds 1.0.0 goes both ways; indexes come and go with the last stage then. Does not own: judging
 * (`oracles/migrations.ts`).
 */
import { lightweight, migration } from "../../src/collection/migrations.js";
import { schema } from "../../src/collection/schema.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { collection } from "../../src/record/declaration.js";
import { anything, ITEM, type Item, NOTE, RECORD_SCHEMA } from "./declarations.js";
import { ITEM_INDEXES } from "./expected-rows.js";

export const REMOVED_INDEX = "small";
const ADDED_INDEX = "byAmount";

const LATER_ITEM = collection("Item", {
  schema: anything<Item>(),
  primaryKey: "id",
  indexes: [
    ...ITEM.indexes.filter((index) => !("name" in index && index.name === REMOVED_INDEX)),
    scalar("amount", { name: ADDED_INDEX, covering: ["name"] }),
  ],
});

const MARK = collection("Mark", {
  schema: anything<{ readonly id: string; readonly word: string }>(),
  primaryKey: "id",
  indexes: [scalar("word")],
});

const FIRST = lightweight("1.0.0", "1.1.0");
const SECOND = migration("1.1.0", "2.0.0", {
  didMigrate: async (context) => {
    await context.batchUpdate("Item", raised);
  },
});

export const SCHEMAS = [
  RECORD_SCHEMA,
  schema({ version: "1.1.0", collections: [LATER_ITEM, NOTE, MARK], migrations: [FIRST] }),
  schema({ version: "2.0.0", collections: [LATER_ITEM, NOTE, MARK], migrations: [FIRST, SECOND] }),
] as const;

export const NEWEST_SCHEMA = 2;

export function raised<Document extends Pick<Item, "raised">>(document: Document): Document {
  return { ...document, raised: (document.raised ?? 0) + 1 };
}

/** The number of a version; 0 of none. */
export function schemaNumber(version: string | null): number {
  return Math.max(
    0,
    SCHEMAS.findIndex((one) => one.version === version),
  );
}

const FORMER_ITEM_INDEXES = Object.keys(ITEM_INDEXES);
const LATER_ITEM_INDEXES = [...FORMER_ITEM_INDEXES.filter((name) => name !== REMOVED_INDEX), ADDED_INDEX];

/** Names of collections and indexes that may stand in the catalogue between two stages; the first is the schema's own. */
export function cataloguesOf(number: number): readonly (readonly string[])[] {
  const former = ["Item", "Note", "Note_item_line", ...FORMER_ITEM_INDEXES];
  if (number === 0) return [former];
  const own = ["Item", "Note", "Note_item_line", "Mark", "Mark_word", ...LATER_ITEM_INDEXES];
  // On the way to 2.0.0 indexes come and go with the last stage.
  return number === NEWEST_SCHEMA ? [own] : [own, [...former, "Mark", "Mark_word"]];
}
