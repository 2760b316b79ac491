/** `listRows`, `getRow`, `putRow`, `deleteRow`: keys and values as the store has them. */
import { keyAfterPrefix } from "../../keyspace/subspace.js";
import { StillwaterError } from "../../platform/errors.js";
import {
  type ByteEncoding,
  beginningOf,
  bytesOf,
  keyEncoding,
  textOf,
  usedEncoding,
  valueEncoding,
} from "../byte-text.js";
import { databaseOf } from "../context.js";
import { operation } from "../operation.js";
import { refuseRecords } from "../protected-rows.js";
import { flag, integer, list, object, optional, text } from "../schema.js";
import { type RowRange, withView } from "../views.js";

const ROWS = 100;
const ROWS_MAX = 1_000;
const VALUE_BYTES = 4_096;
const VALUE_BYTES_MAX = 1_048_576;
/** A page ends once its values have so many bytes together. */
const PAGE_BYTES = 4_194_304;

export const version = integer({ minimum: 0, description: "Version of the store." });
export const snapshotName = text({ maxLength: 64, description: "Id of a held snapshot to read at." });

const row = object({
  key: text(),
  keyEncoding: usedEncoding,
  value: text({ description: "The value, or its beginning where `isTruncated`." }),
  valueEncoding: usedEncoding,
  valueBytes: integer({ minimum: 0, description: "Length of the whole value." }),
  isTruncated: flag(),
});

export const listRows = operation({
  name: "listRows",
  summary: "List rows in the order of their keys.",
  description:
    "Goes on with `nextPageToken` and the same parameters, `limit` excepted. Without a snapshot each page shows what is there when " +
    "it is asked for.",
  effect: "read",
  errors: ["INVALID_PAGE_TOKEN", "NOT_FOUND"],
  input: object({
    prefix: optional(
      text({ description: "Only keys that begin with it. Not together with `from` or `to`." }),
    ),
    from: optional(text({ description: "The first key of the range." })),
    to: optional(text({ description: "The end of the range, which is not in it." })),
    reverse: optional(flag({ description: "From the last key to the first.", default: false })),
    limit: optional(
      integer({ minimum: 1, maximum: ROWS_MAX, default: ROWS, description: "Most rows of a page." }),
    ),
    pageToken: optional(text({ description: "`nextPageToken` of the page before." })),
    keyEncoding: optional(keyEncoding),
    valueEncoding: optional(valueEncoding),
    valueLimitBytes: optional(
      integer({
        minimum: 0,
        maximum: VALUE_BYTES_MAX,
        default: VALUE_BYTES,
        description: "Longer values are cut; `getRow` gives all of one.",
      }),
    ),
    snapshot: optional(snapshotName),
  }),
  output: object({
    rows: list(row),
    version,
    nextPageToken: optional(text({ description: "Not there on the last page." })),
  }),
  async run(context, input) {
    const { pageToken, limit = ROWS, snapshot, keyEncoding: keys = "utf8", ...shown } = input;
    const { valueEncoding: values = keys, valueLimitBytes = VALUE_BYTES } = shown;
    const { limit: _, pageToken: __, ...query } = input;
    const whole = rangeOf(input, keys);
    return withView(context, snapshot, async (view) => {
      const bound = ["listRows", query, snapshot === undefined ? null : view.version];
      const position = pageToken === undefined ? null : context.pageTokens.open(bound, pageToken);
      const range = position === null ? whole : behind(whole, position.lastKey);
      const rows = [];
      let bytes = 0;
      let lastKey: Uint8Array | null = null;
      let isLastPage = true;
      for await (const [key, value] of view.rows(range)) {
        if (rows.length === limit || bytes >= PAGE_BYTES) {
          isLastPage = false;
          break;
        }
        const shownRow = rowOf(key, value, { keys, values, valueLimitBytes });
        rows.push(shownRow);
        bytes += key.length + Math.min(value.length, valueLimitBytes);
        lastKey = key;
      }
      const page = { rows, version: view.version };
      if (isLastPage || lastKey === null) return page;
      const next = { version: position?.version ?? view.version, lastKey };
      return { ...page, nextPageToken: context.pageTokens.create(bound, next) };
    });
  },
});

export const getRow = operation({
  name: "getRow",
  summary: "Get one row.",
  effect: "read",
  errors: ["NOT_FOUND"],
  input: object({
    key: text(),
    keyEncoding: optional(keyEncoding),
    valueEncoding: optional(valueEncoding),
    snapshot: optional(snapshotName),
  }),
  output: object({ row, version }),
  async run(context, { key, keyEncoding: keys = "utf8", valueEncoding: values = keys, snapshot }) {
    const bytes = bytesOf(key, keys, "the key");
    return withView(context, snapshot, async (view) => {
      const value = await view.reader.get(bytes);
      if (value === undefined) throw noSuchKey();
      const limits = { keys, values, valueLimitBytes: value.length };
      return { row: rowOf(bytes, value, limits), version: view.version };
    });
  },
});

export const putRow = operation({
  name: "putRow",
  summary: "Set one row.",
  effect: "write",
  errors: ["PROTECTED_RANGE"],
  input: object({
    key: text(),
    keyEncoding: optional(keyEncoding),
    valueEncoding: optional(valueEncoding),
    value: text(),
  }),
  output: object({ version, created: flag({ description: "Whether the key was not there before." }) }),
  async run(context, { key, keyEncoding: keys = "utf8", valueEncoding: values = keys, value }) {
    const bytes = bytesOf(key, keys, "the key");
    const valueBytes = bytesOf(value, values, "the value");
    const transaction = await databaseOf(context).transact(async (writer) => {
      await refuseRecords(writer, [[bytes, null]]);
      const former = await writer.get(bytes);
      writer.set(bytes, valueBytes);
      return { writer, created: former === undefined };
    });
    return { version: transaction.writer.getCommittedVersion(), created: transaction.created };
  },
});

export const deleteRow = operation({
  name: "deleteRow",
  summary: "Remove one row.",
  effect: "write",
  errors: ["NOT_FOUND", "PROTECTED_RANGE"],
  input: object({ key: text(), keyEncoding: optional(keyEncoding) }),
  output: object({ version }),
  async run(context, { key, keyEncoding: keys = "utf8" }) {
    const bytes = bytesOf(key, keys, "the key");
    const transaction = await databaseOf(context).transact(async (writer) => {
      await refuseRecords(writer, [[bytes, null]]);
      if ((await writer.get(bytes)) === undefined) throw noSuchKey();
      writer.clear(bytes);
      return writer;
    });
    return { version: transaction.getCommittedVersion() };
  },
});

interface RowShape {
  readonly keys: ByteEncoding;
  readonly values: ByteEncoding;
  readonly valueLimitBytes: number;
}

function rowOf(key: Uint8Array, value: Uint8Array, { keys, values, valueLimitBytes }: RowShape) {
  const keyText = textOf(key, keys);
  const beginning =
    values === "utf8" ? beginningOf(value, valueLimitBytes) : value.subarray(0, valueLimitBytes);
  const valueText = textOf(beginning, values);
  return {
    key: keyText.text,
    keyEncoding: keyText.encoding,
    value: valueText.text,
    valueEncoding: valueText.encoding,
    valueBytes: value.length,
    isTruncated: beginning.length < value.length,
  };
}

interface RangeInput {
  readonly prefix?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly reverse?: boolean | undefined;
}

function rangeOf({ prefix, from, to, reverse = false }: RangeInput, encoding: ByteEncoding): RowRange {
  if (prefix !== undefined && (from !== undefined || to !== undefined))
    throw new StillwaterError("INVALID_ARGUMENT", "give prefix, or from and to, not both.");
  if (prefix !== undefined) {
    const begin = bytesOf(prefix, encoding, "prefix");
    const isLast = begin.every((byte) => byte === 0xff);
    return { begin, end: isLast ? null : keyAfterPrefix(begin), reverse };
  }
  return {
    begin: from === undefined ? null : bytesOf(from, encoding, "from"),
    end: to === undefined ? null : bytesOf(to, encoding, "to"),
    reverse,
  };
}

/** What of the range is left behind `lastKey`. */
function behind(range: RowRange, lastKey: Uint8Array): RowRange {
  if (range.reverse) return { ...range, end: lastKey };
  return { ...range, begin: Buffer.concat([lastKey, ZERO]) };
}

const ZERO = new Uint8Array(1);

function noSuchKey(): StillwaterError {
  return new StillwaterError("NOT_FOUND", "there is no row with this key.");
}
