/**
 * `scan` and `export`: the rows of a range, in key order, as of the moment the command began. People get one
 * `key<TAB>value` a line with control characters escaped; programs get one JSON object a line, `{"key":…,"value":…}`,
 * which `import` takes.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ScanOptions } from "../engine/range.js";
import {
  decodeText,
  displayText,
  type Encoding,
  type EncodingOptions,
  encodeBytes,
  encodingOf,
  withEncodings,
} from "./encoding.js";
import { type ReadableStore, type ReadOption, withReader, withReadOnly } from "./read-session.js";
import { count, JSON_FLAG } from "./session.js";
import { createOutput, type Output, writeError, writeOutput } from "./terminal.js";

interface RangeOptions {
  readonly prefix?: string;
  readonly gte?: string;
  readonly gt?: string;
  readonly lte?: string;
  readonly lt?: string;
  readonly reverse?: true;
  readonly limit?: number;
}

type RowFormat = (key: Uint8Array, readValue: () => Uint8Array) => string;

/** Text that is collected before it is written. */
const CHUNK_CHARACTERS = 64 * 1024;

export function addScanCommands(program: Command): void {
  withReadOnly(withRange(withEncodings(program.command("scan <dir>"))))
    .description("print the rows of a range in key order")
    .option("--keys-only", "leave the values out")
    .option("--json", "print one JSON object a line")
    .action(scan);
  withReadOnly(withRange(withEncodings(program.command("export <dir> [file]"))))
    .summary("write rows as newline-delimited JSON")
    .description('write rows as newline-delimited JSON to a file, or to standard output ("-", the default)')
    .option("--force", "replace the file if it is there")
    .option(...JSON_FLAG)
    .action(exportRows);
}

function withRange(command: Command): Command {
  return command
    .addOption(new Option("--prefix <key>", "only keys that begin so").conflicts(["gte", "gt", "lte", "lt"]))
    .addOption(new Option("--gte <key>", "from this key on").conflicts("gt"))
    .option("--gt <key>", "after this key")
    .addOption(new Option("--lte <key>", "up to this key").conflicts("lt"))
    .option("--lt <key>", "before this key")
    .option("--reverse", "from the last key to the first")
    .option("--limit <n>", "at most so many rows", wholeNumber);
}

async function scan(
  directory: string,
  options: RangeOptions & EncodingOptions & ReadOption & { readonly keysOnly?: true },
): Promise<void> {
  const encoding = encodingOf(options);
  const format =
    options.json === true ? jsonRow(encoding, options.keysOnly) : lineOf(encoding, options.keysOnly);
  const range = rangeOf(options, encoding);
  const { readOnly } = await withReader(directory, options, {}, (store) =>
    writeRows(store, range, format, { write: writeOutput }),
  );
  // Standard output holds rows and nothing else.
  if (options.json === true && readOnly) writeError(JSON.stringify({ readOnly }));
}

async function exportRows(
  directory: string,
  file: string | undefined,
  options: RangeOptions & EncodingOptions & ReadOption & { readonly force?: true },
): Promise<void> {
  const encoding = encodingOf(options);
  const range = rangeOf(options, encoding);
  const path = file ?? "-";
  const {
    result: { rows, version },
    readOnly,
  } = await withReader(directory, options, {}, async (store) => {
    const output = createOutput(path, options.force === true);
    try {
      const written = await writeRows(store, range, jsonRow(encoding, undefined), output);
      output.finish();
      return { rows: written, version: store.version };
    } catch (error) {
      output.abandon();
      throw error;
    }
  });
  // Standard output holds rows and nothing else.
  if (path === "-")
    writeError(
      options.json === true ? JSON.stringify({ rows, version, file: null, readOnly }) : count(rows, "row"),
    );
  else
    await writeOutput(
      options.json === true
        ? `${JSON.stringify({ rows, version, file: path, readOnly })}\n`
        : `${count(rows, "row")} in ${path}\n`,
    );
}

/** Returns the number of rows. */
async function writeRows(
  store: ReadableStore,
  range: ScanOptions,
  format: RowFormat,
  output: Pick<Output, "write">,
): Promise<number> {
  const iterator = store.iterator(range);
  try {
    let text = "";
    let rows = 0;
    for (; iterator.next(); rows++) {
      text += `${format(iterator.key, () => iterator.value)}\n`;
      if (text.length < CHUNK_CHARACTERS) continue;
      await output.write(text);
      text = "";
    }
    if (text !== "") await output.write(text);
    return rows;
  } finally {
    iterator.close();
  }
}

function jsonRow(encoding: Encoding, keysOnly: true | undefined): RowFormat {
  return (keyBytes, readValue) => {
    const key = encodeBytes(keyBytes, encoding, "a key");
    if (keysOnly === true) return JSON.stringify({ key });
    const value = encodeBytes(readValue(), encoding, `the value of ${JSON.stringify(key)}`);
    return JSON.stringify({ key, value });
  };
}

function lineOf(encoding: Encoding, keysOnly: true | undefined): RowFormat {
  const show = (bytes: Uint8Array): string =>
    encoding === "text" ? displayText(bytes) : encodeBytes(bytes, encoding, "a row");
  return (key, readValue) => (keysOnly === true ? show(key) : `${show(key)}\t${show(readValue())}`);
}

function rangeOf(options: RangeOptions, encoding: Encoding): ScanOptions {
  const range: { -readonly [Name in keyof ScanOptions]: ScanOptions[Name] } = {};
  for (const name of ["gte", "gt", "lte", "lt"] as const) {
    const text = options[name];
    if (text !== undefined) range[name] = decodeText(text, encoding, `--${name}`);
  }
  if (options.prefix !== undefined) {
    const prefix = decodeText(options.prefix, encoding, "--prefix");
    range.gte = prefix;
    const end = prefixEnd(prefix);
    if (end !== null) range.lt = end;
  }
  if (options.reverse === true) range.reverse = true;
  if (options.limit !== undefined) range.limit = options.limit;
  return range;
}

/** The first key behind all that begin with `prefix`; null when there is none. */
function prefixEnd(prefix: Uint8Array): Uint8Array | null {
  const last = prefix.findLastIndex((byte) => byte !== 0xff);
  if (last < 0) return null;
  // Not slice: that of a Buffer shares the memory.
  const end = Uint8Array.from(prefix.subarray(0, last + 1));
  end[last] = (end[last] as number) + 1;
  return end;
}

function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("it must be a whole number.");
}
