/**
 * Rows of another database into a store, and the proof that they are there.
 *
 * First all rows are read and stored, in batches that are each durable before the next begins; a row that the store has already
 * is left alone. Then they are read once more, each key is looked up in the store, and both sides must agree in number and
 * in checksum (SHA-256 over length and bytes of each key and value, in the order of the source).
 *
 * Promise: what has been stored stays, whatever stops it, and the same command again goes on: it stores what is missing and ends
 * in the same state. Rows of the store under other keys are not touched.
 */
import { createHash, type Hash } from "node:crypto";
import { Batch } from "../../engine/batch.js";
import type { Store } from "../../engine/store.js";
import { StillwaterError } from "../../platform/errors.js";
import { count } from "../session.js";
import type { RowSource } from "./row-source.js";

const BATCH_ROWS = 1000;
/** A batch of long values ends earlier. */
const BATCH_BYTES = 8 * 1024 * 1024;

export interface ImportedRows {
  readonly from: string;
  readonly source: string;
  /** In the source, and so in the store. */
  readonly rows: number;
  /** Of these: written now, and there before. */
  readonly stored: number;
  readonly alreadyThere: number;
  readonly batches: number;
  /** Of keys and values. */
  readonly bytes: number;
  /** Of what was read and, as has been checked, of what the store holds. */
  readonly checksum: string;
  readonly version: number;
}

/** `onProgress`: rows done, of twice as many as there are. */
export async function importRows(
  store: Store,
  source: RowSource,
  onProgress: (rows: number) => void,
): Promise<ImportedRows> {
  const copy = new Copy(store, source);
  try {
    await copy.run(onProgress);
  } catch (error) {
    throw copy.explained(error);
  }
  const { rows, stored, batches, sum } = copy;
  const checksum = sum.digest();
  const held = await heldBy(store, source, (done) => onProgress(rows + done));
  if (held.rows !== rows || held.checksum !== checksum) {
    throw new StillwaterError(
      "IMPORT_MISMATCH",
      `the store does not hold what was read from ${source.path}: ${held.difference ?? "rows have come or gone meanwhile"}. ` +
        "Two rows may have one key, or the source was changed during the import. What is stored stays; run it again.",
      { path: source.path },
    );
  }
  return {
    from: source.kind,
    source: source.path,
    rows,
    stored,
    alreadyThere: rows - stored,
    batches,
    bytes: sum.bytes,
    checksum: `sha256:${checksum}`,
    version: store.version,
  };
}

class Copy {
  readonly sum = new RowSum();
  rows = 0;
  stored = 0;
  batches = 0;
  readonly #store: Store;
  readonly #source: RowSource;
  readonly #batch = new Batch();

  constructor(store: Store, source: RowSource) {
    this.#store = store;
    this.#source = source;
  }

  async run(onProgress: (rows: number) => void): Promise<void> {
    const batch = this.#batch;
    for await (const [key, value] of this.#source.rows()) {
      this.rows++;
      this.sum.add(key, value);
      const there = this.#store.getSync(key);
      if (there === undefined || Buffer.compare(there, value) !== 0) batch.put(key, value);
      if (this.rows % BATCH_ROWS === 0) onProgress(this.rows);
      if (batch.count >= BATCH_ROWS || batch.byteLength >= BATCH_BYTES) await this.#commit();
    }
    await this.#commit();
  }

  /** Adds to an error where it came, and what has become of the rows before it. */
  explained(error: unknown): unknown {
    if (!(error instanceof StillwaterError)) return error;
    const kept =
      this.stored === 0
        ? "Nothing has been stored."
        : `${count(this.stored, "row")} ${this.stored === 1 ? "is" : "are"} stored and stay; run it again to go on.`;
    const place = this.rows === 0 ? "" : ` At ${this.#source.describe(this.rows)}.`;
    const { path, offset } = error;
    return new StillwaterError(error.code, `${error.message.replace(/\.*$/, ".")}${place} ${kept}`, {
      cause: error,
      ...(path === undefined ? {} : { path }),
      ...(offset === undefined ? {} : { offset }),
    });
  }

  async #commit(): Promise<void> {
    const { count: rows } = this.#batch;
    if (rows === 0) return;
    await this.#store.write(this.#batch);
    this.#batch.clear();
    this.stored += rows;
    this.batches++;
  }
}

interface Held {
  readonly rows: number;
  readonly checksum: string;
  /** The first row that is not what the source says. */
  readonly difference: string | null;
}

/** Reads the source's keys from the store. */
async function heldBy(store: Store, source: RowSource, onProgress: (rows: number) => void): Promise<Held> {
  const sum = new RowSum();
  let rows = 0;
  let difference: string | null = null;
  for await (const [key, value] of source.rows()) {
    rows++;
    const held = store.getSync(key);
    if (held !== undefined) sum.add(key, held);
    if (held === undefined || Buffer.compare(held, value) !== 0)
      difference ??= `${source.describe(rows)} is ${held === undefined ? "not there" : "another value"}`;
    if (rows % BATCH_ROWS === 0) onProgress(rows);
  }
  return { rows, checksum: sum.digest(), difference };
}

class RowSum {
  bytes = 0;
  readonly #hash: Hash = createHash("sha256");
  readonly #length = Buffer.alloc(4);

  add(key: Uint8Array, value: Uint8Array): void {
    for (const part of [key, value]) {
      this.#length.writeUInt32LE(part.length);
      this.#hash.update(this.#length).update(part);
      this.bytes += part.length;
    }
  }

  digest(): string {
    return this.#hash.digest("hex");
  }
}
