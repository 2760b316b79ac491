/**
 * What the keys and values of an index say of documents: values of the indexed fields, the covered ones, the primary key. Makes of
 * them a document that has these fields and no others, which answers a query that asks for no more.
 *
 * An integer key does not say whether it was a number or a big integer; the first document that is met does, for its collection.
 */
import { coveredValues } from "../index/covered-values.js";
import { pack, unpack } from "../keyspace/tuple.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { type ParsedPath, parsePath } from "../record/field-path.js";
import { indexValue } from "../record/index-value.js";
import { RecordError } from "../record/record-error.js";
import type { IndexScan } from "./plan.js";

/** Values and primary key of an entry. Throws `CORRUPTION`: the key is no entry of this index. */
export function elementsOf(scan: IndexScan, prefix: Uint8Array, key: Uint8Array): TupleElement[] {
  let elements: TupleElement[];
  try {
    elements = unpack(key.subarray(prefix.length));
  } catch (cause) {
    throw damaged(scan, key, cause);
  }
  if (elements.length !== scan.fields.length + 1 || elements.at(-1) === null) throw damaged(scan, key);
  return elements;
}

export class EntryDecoder {
  readonly #primaryKey: string;
  /** Whether the document of a key has it as a big integer; null when nobody asks for the key. */
  readonly #isBigInteger: ((primaryKey: TupleElement) => Promise<boolean>) | null;
  #known: Promise<boolean> | null = null;
  readonly #paths = new Map<string, ParsedPath>();

  constructor(primaryKey: string, isBigInteger: ((primaryKey: TupleElement) => Promise<boolean>) | null) {
    this.#primaryKey = primaryKey;
    this.#isBigInteger = isBigInteger;
  }

  /** Throws `CORRUPTION`. */
  async document(scan: IndexScan, elements: readonly TupleElement[], covered: Uint8Array): Promise<object> {
    const document: Document = Object.create(null);
    const primaryKey = elements.at(-1) as TupleElement; // `elementsOf` has counted them
    set(document, this.#path(this.#primaryKey), await this.#key(primaryKey));
    scan.fields.forEach((field, at) => {
      const path = this.#path(field);
      if (!path.isMulti) set(document, path, valueOf(scan, elements[at] as TupleElement));
    });
    if (scan.covering.length === 0) return document;
    const values = coveredValues(covered, scan.covering.length);
    if (values instanceof Error) throw damaged(scan, covered, values);
    scan.covering.forEach((field, at) => {
      set(document, this.#path(field), values[at] ?? null);
    });
    return document;
  }

  #path(field: string): ParsedPath {
    let path = this.#paths.get(field);
    if (path === undefined) {
      path = parsePath(field);
      this.#paths.set(field, path);
    }
    return path;
  }

  async #key(primaryKey: TupleElement): Promise<unknown> {
    if (typeof primaryKey !== "number" || this.#isBigInteger === null) return primaryKey;
    this.#known ??= this.#isBigInteger(primaryKey);
    return (await this.#known) ? BigInt(primaryKey) : primaryKey;
  }
}

type Document = { [name: string]: unknown };

/** Where there is nothing there is null: what is null is left out, so that no field stands in another's way. */
function set(document: Document, path: ParsedPath, value: unknown): void {
  if (value === null) return;
  let at = document;
  for (const { name } of path.steps.slice(0, -1)) {
    at[name] ??= Object.create(null);
    at = at[name] as Document;
  }
  const last = path.steps.at(-1);
  if (last !== undefined) at[last.name] = value;
}

function valueOf(scan: IndexScan, element: TupleElement): unknown {
  const decoded = indexValue(element);
  if (decoded === null) throw damaged(scan, pack([element]));
  return decoded.value;
}

function damaged({ index }: IndexScan, bytes: Uint8Array, cause?: unknown): RecordError {
  return new RecordError(
    "CORRUPTION",
    `0x${Buffer.from(bytes).toString("hex")} is no part of the index "${index}". Scrub the index with repair.`,
    { index, cause },
  );
}
