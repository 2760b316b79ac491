/**
 * `listDocuments`, `getDocument`, `putDocument`, `deleteDocument`: documents by the stored catalogue. Reading needs nothing else; what
 * is written keeps every index, or is refused where the catalogue is not enough for that.
 */
import {
  deleteStoredDocument,
  documentPage,
  indexPage,
  putStoredDocument,
  storedDocument,
} from "../../collection/stored-documents.js";
import { StillwaterError } from "../../platform/errors.js";
import type { FoundItem } from "../../record/item-store.js";
import {
  jsonOf,
  keyType,
  primaryKeyOfText,
  textOfPrimaryKey,
  valueOf,
  valueOfText,
} from "../document-json.js";
import { operation } from "../operation.js";
import { anything, flag, integer, list, object, optional, text } from "../schema.js";
import { withRecords, writableRecords } from "../stored-view.js";
import { collectionName } from "./collections.js";
import { snapshotName, version } from "./rows.js";

const DOCUMENTS = 100;
const DOCUMENTS_MAX = 1_000;

const item = object({
  key: text({ description: "The primary key, as `keyType` says." }),
  keyType,
  document: anything({
    description:
      "What JSON has no word for is tagged: `$bytes` (base64), `$date` (milliseconds since 1970), `$bigint`, `$uuid`, `$number`.",
  }),
});

const READ_ERRORS = ["NOT_FOUND", "UNKNOWN_COLLECTION", "INVALID_PRIMARY_KEY"] as const;

export const listDocuments = operation({
  name: "listDocuments",
  summary: "List documents by primary key, or those with given values in an index.",
  effect: "read",
  errors: [
    "NOT_FOUND",
    "UNKNOWN_COLLECTION",
    "UNKNOWN_INDEX",
    "INDEX_NOT_READABLE",
    "WRONG_INDEX_KIND",
    "INVALID_PAGE_TOKEN",
  ],
  input: object({
    name: collectionName,
    prefix: optional(
      text({ description: "Only primary keys, being text, that begin with it. Not together with `index`." }),
    ),
    index: optional(text({ description: "List in the order of this index." })),
    values: optional(
      text({
        description:
          'With `index`: a JSON list of values of its fields, from the first on, that documents must have: `["Smith"]`.',
        default: "[]",
      }),
    ),
    reverse: optional(flag({ default: false })),
    limit: optional(integer({ minimum: 1, maximum: DOCUMENTS_MAX, default: DOCUMENTS })),
    pageToken: optional(text({ description: "`nextPageToken` of the page before." })),
    snapshot: optional(snapshotName),
  }),
  output: object({ documents: list(item), version, nextPageToken: optional(text()) }),
  async run(context, input) {
    const { name, prefix, index, values: valuesText, reverse = false, limit = DOCUMENTS, snapshot } = input;
    if (index === undefined && valuesText !== undefined)
      throw new StillwaterError("INVALID_ARGUMENT", "values are those of an index. Name it: index=….");
    if (index !== undefined && prefix !== undefined)
      throw new StillwaterError("INVALID_ARGUMENT", "give prefix or index, not both.");
    const values = valuesText === undefined ? [] : valueOfText(valuesText, "values");
    if (!Array.isArray(values))
      throw new StillwaterError("INVALID_ARGUMENT", 'values must be a JSON list, for example ["Smith"].');
    const { limit: _, pageToken, ...query } = input;
    return withRecords(context, snapshot, async (records, view) => {
      const bound = ["listDocuments", query, snapshot === undefined ? null : view.version];
      const position = pageToken === undefined ? null : context.pageTokens.open(bound, pageToken);
      const bounds = { limit, reverse, after: position?.lastKey ?? null };
      const { items, next } = await (index === undefined
        ? documentPage(records, view.reader, name, { ...bounds, prefix })
        : indexPage(records, view.reader, name, { ...bounds, index, values }));
      const page = { documents: items.map(shown), version: view.version };
      if (next === null) return page;
      const lastPosition = { version: position?.version ?? view.version, lastKey: next };
      return { ...page, nextPageToken: context.pageTokens.create(bound, lastPosition) };
    });
  },
});

export const getDocument = operation({
  name: "getDocument",
  summary: "Get one document.",
  effect: "read",
  errors: READ_ERRORS,
  input: object({
    name: collectionName,
    key: text(),
    keyType: optional(keyType),
    snapshot: optional(snapshotName),
  }),
  output: object({ document: item, version }),
  run: (context, { name, key, keyType: type = "text", snapshot }) =>
    withRecords(context, snapshot, async (records, view) => {
      const found = await storedDocument(records, view.reader, name, primaryKeyOfText(key, type));
      if (found === undefined) throw noSuchDocument();
      return { document: shown(found), version: view.version };
    }),
});

export const putDocument = operation({
  name: "putDocument",
  summary: "Insert or replace one document, with all of its index entries.",
  description:
    "Checked by the schema as it is stored. Hooks and relationships are the program's own and do not take part. Refused where the " +
    "catalogue is not enough: see `isWritable` of the collection.",
  effect: "write",
  errors: [
    ...READ_ERRORS,
    "UNMAINTAINABLE_COLLECTION",
    "VALIDATION_FAILED",
    "PRIMARY_KEY_CHANGED",
    "UNIQUE_VIOLATION",
    "INVALID_INDEX_VALUE",
    "ITEM_TOO_LARGE",
  ],
  input: object({ name: collectionName, key: text(), keyType: optional(keyType), document: anything() }),
  output: object({ version, created: flag() }),
  async run(context, { name, key, keyType: type = "text", document }) {
    const records = await writableRecords(context);
    const value = valueOf(document, "the document");
    const written = await putStoredDocument(records, name, primaryKeyOfText(key, type), value);
    return { version: written.version, created: !written.existed };
  },
});

export const deleteDocument = operation({
  name: "deleteDocument",
  summary: "Delete one document, with all of its index entries.",
  effect: "write",
  errors: [...READ_ERRORS, "UNMAINTAINABLE_COLLECTION"],
  input: object({ name: collectionName, key: text(), keyType: optional(keyType) }),
  output: object({ version }),
  async run(context, { name, key, keyType: type = "text" }) {
    const records = await writableRecords(context);
    const written = await deleteStoredDocument(records, name, primaryKeyOfText(key, type));
    if (!written.existed) throw noSuchDocument();
    return { version: written.version };
  },
});

function shown(found: FoundItem) {
  return { ...textOfPrimaryKey(found), document: jsonOf(found.document) };
}

function noSuchDocument(): StillwaterError {
  return new StillwaterError("NOT_FOUND", "there is no document with this primary key.");
}
