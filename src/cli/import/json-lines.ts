/**
 * `import` from lines: newline-delimited JSON into a store, in batches that are each durable before the next begins. Whatever
 * stops it, what the batches before brought is kept, and the message says up to which line that is.
 */
import { CommanderError } from "commander";
import { Batch } from "../../engine/batch.js";
import type { Store } from "../../engine/store.js";
import { StillwaterError } from "../../platform/errors.js";
import { decodeText, decodeUtf8, type Encoding, type EncodingOptions, encodingOf } from "../encoding.js";
import { startProgress } from "../progress.js";
import { count, type JsonOption, printResult, withStore } from "../session.js";
import { inputBytes, inputName, readInput } from "../terminal.js";

const BATCH_ROWS = 1000;
/** A batch of long values ends earlier. */
const BATCH_BYTES = 8 * 1024 * 1024;

/** Of a file, or of standard input. */
export async function importJsonLines(
  directory: string,
  file: string | undefined,
  options: EncodingOptions & JsonOption,
): Promise<void> {
  const path = file ?? "-";
  // Before the store is opened, and perhaps created.
  const totalBytes = inputBytes(path);
  const result = await withStore(directory, options, { createIfMissing: true }, (store) =>
    new Import(store, path, encodingOf(options)).run(options, totalBytes),
  );
  await printResult(options, result, [
    `${count(result.rows, "row")} stored in ${result.batches} ${result.batches === 1 ? "batch" : "batches"}, at version ${result.version}`,
  ]);
}

interface ImportResult {
  readonly rows: number;
  readonly batches: number;
  readonly version: number;
}

class Import {
  readonly #store: Store;
  readonly #path: string;
  readonly #encoding: Encoding;
  readonly #batch = new Batch();
  #line = 0;
  /** Where the current line begins. */
  #offset = 0;
  #rows = 0;
  #batches = 0;
  #storedThroughLine = 0;

  constructor(store: Store, path: string, encoding: Encoding) {
    this.#store = store;
    this.#path = path;
    this.#encoding = encoding;
  }

  async run(options: JsonOption, totalBytes: number | null): Promise<ImportResult> {
    const progress = await startProgress(options, totalBytes);
    try {
      for await (const line of linesOf(readInput(this.#path))) {
        this.#line++;
        this.#add(line);
        this.#offset += line.length + 1;
        if (this.#batch.count < BATCH_ROWS && this.#batch.byteLength < BATCH_BYTES) continue;
        await this.#commit();
        progress.update(this.#offset, this.#rows);
      }
      await this.#commit();
      return { rows: this.#rows, batches: this.#batches, version: this.#store.version };
    } catch (error) {
      throw this.#explained(error);
    } finally {
      progress.stop();
    }
  }

  #add(line: Uint8Array): void {
    const text = decodeUtf8(line);
    if (text === null) throw this.#badLine("is not UTF-8 text");
    if (text.trim() === "") return;
    let row: unknown;
    try {
      row = JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw this.#badLine(`is not JSON: ${error.message}`);
    }
    if (typeof row !== "object" || row === null || Array.isArray(row))
      throw this.#badLine("is not a JSON object");
    const unknown = Object.keys(row).find((name) => name !== "key" && name !== "value");
    if (unknown !== undefined) {
      throw this.#badLine(`has the field ${JSON.stringify(unknown)}; there are only "key" and "value"`);
    }
    const { key, value } = row as { readonly key?: unknown; readonly value?: unknown };
    try {
      this.#batch.put(this.#bytesOf(key, "key"), this.#bytesOf(value, "value"));
    } catch (error) {
      if (!(error instanceof CommanderError || error instanceof StillwaterError)) throw error;
      throw this.#badLine(`cannot be stored: ${error.message}`);
    }
  }

  #bytesOf(value: unknown, name: string): Uint8Array {
    if (typeof value === "string") return decodeText(value, this.#encoding, `"${name}"`);
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `"${name}" is ${value === undefined ? "missing" : "not a string"}`,
    );
  }

  async #commit(): Promise<void> {
    const { count: rows } = this.#batch;
    if (rows === 0) return;
    await this.#store.write(this.#batch);
    this.#batch.clear();
    this.#rows += rows;
    this.#batches++;
    this.#storedThroughLine = this.#line;
  }

  #badLine(fault: string): StillwaterError {
    const name = inputName(this.#path);
    return new StillwaterError("INVALID_ARGUMENT", `line ${this.#line} of ${name} ${fault}.`, {
      path: name,
      offset: this.#offset,
    });
  }

  /** Adds to an error what has become of the rows before it. */
  #explained(error: unknown): unknown {
    if (!(error instanceof StillwaterError)) return error;
    const kept =
      this.#rows === 0
        ? "Nothing has been stored."
        : `${count(this.#rows, "row")} up to line ${this.#storedThroughLine} ${this.#rows === 1 ? "is" : "are"} stored and stay; nothing after that line is.`;
    const { path, offset } = error;
    return new StillwaterError(error.code, `${error.message.replace(/\.*$/, ".")} ${kept}`, {
      cause: error,
      ...(path === undefined ? {} : { path }),
      ...(offset === undefined ? {} : { offset }),
    });
  }
}

/** Splits at line feeds only: JSON texts may hold other characters that end lines elsewhere. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let pieces: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      const piece = chunk.subarray(start, end);
      yield pieces.length === 0 ? piece : Buffer.concat([...pieces, piece]);
      pieces = [];
      start = end + 1;
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
  }
  if (pieces.length > 0) yield Buffer.concat(pieces);
}
