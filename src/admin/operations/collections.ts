/** `listCollections`, `getCollection`, `listIndexes`: what the stored catalogue says. */
import { IndexManager } from "../../collection/index-manager.js";
import { type StoredRecords, whyNotWritable } from "../../collection/stored-records.js";
import { catalogued } from "../../index/environment.js";
import { hasCode } from "../../platform/errors.js";
import type { CatalogueCollection } from "../../record/catalogue.js";
import { jsonOf } from "../document-json.js";
import { operation } from "../operation.js";
import { anything, flag, integer, list, nullable, number, object, oneOf, optional, text } from "../schema.js";
import { withRecords } from "../stored-view.js";
import { snapshotName, version } from "./rows.js";

const summary = {
  name: text(),
  primaryKey: text({ description: "The field; `$type,key` of a collection of several types." }),
  indexes: list(text()),
  isWritable: flag({ description: "Whether the catalogue knows enough for documents to be written here." }),
  whyNotWritable: nullable(text()),
};

export const collectionName = text({ minLength: 1, maxLength: 255 });

export const listCollections = operation({
  name: "listCollections",
  summary: "List the collections in the catalogue.",
  effect: "read",
  input: object({ snapshot: optional(snapshotName) }),
  output: object({
    version,
    schemaVersion: nullable(text({ description: "Null: no program has declared collections." })),
    collections: list(object(summary)),
  }),
  async run(context, { snapshot }) {
    try {
      return await withRecords(context, snapshot, async (records, view) => ({
        version: view.version,
        schemaVersion: records.catalogue.schemaVersion,
        collections: [...records.catalogue.collections.values()].map((one) => summaryOf(records, one)),
      }));
    } catch (error) {
      // No such snapshot is another matter.
      if (!hasCode(error, "NOT_FOUND") || snapshot !== undefined) throw error;
      return { version: context.readable?.version ?? 0, schemaVersion: null, collections: [] };
    }
  },
});

export const getCollection = operation({
  name: "getCollection",
  summary: "Get one collection, with what is known of its documents.",
  effect: "read",
  errors: ["NOT_FOUND", "UNKNOWN_COLLECTION"],
  input: object({ name: collectionName, snapshot: optional(snapshotName) }),
  output: object({
    ...summary,
    fields: anything({ description: "Types of the fields; null when the schema does not tell." }),
    version,
  }),
  run: (context, { name, snapshot }) =>
    withRecords(context, snapshot, async (records, view) => {
      const collection = catalogued(records.catalogue, name);
      const fields = jsonOf(collection.stored.fields);
      return { ...summaryOf(records, collection), fields, version: view.version };
    }),
});

const build = nullable(
  object({
    itemsDone: integer({ minimum: 0 }),
    fraction: number({ description: "An estimate, from 0 to 1." }),
    isComplete: flag(),
  }),
);

const index = object({
  collection: text(),
  index: text(),
  kind: text(),
  fields: list(text()),
  state: oneOf(["disabled", "writeOnly", "readable"]),
  generation: integer({ minimum: 0 }),
  build,
  shadow: nullable(object({ generation: integer({ minimum: 0 }), build })),
});

export const listIndexes = operation({
  name: "listIndexes",
  summary: "List the indexes of a collection and how far they are built.",
  effect: "read",
  errors: ["NOT_FOUND", "UNKNOWN_COLLECTION"],
  input: object({ name: collectionName, snapshot: optional(snapshotName) }),
  output: object({ version, indexes: list(index) }),
  run: (context, { name, snapshot }) =>
    withRecords(context, snapshot, async ({ shared }, view) => {
      const indexes = await new IndexManager(shared).list(name);
      return { version: view.version, indexes };
    }),
});

function summaryOf(records: StoredRecords, collection: CatalogueCollection) {
  const { stored, indexes } = collection;
  const why = whyNotWritable(records, collection);
  return {
    name: stored.name,
    primaryKey: stored.primaryKey,
    indexes: indexes.map(({ name }) => name),
    isWritable: why === null,
    whyNotWritable: why,
  };
}
