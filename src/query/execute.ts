/**
 * Runs a plan: entries from the ranges it names, the documents they stand for, read several at a time, all conditions on each, the
 * order if it has to be made. Streams: in memory are a batch of documents, one entry for each merged range, or what a sort may keep.
 *
 * Does not own: pages and tokens (`continuation.ts`, `pages.ts`), transactions.
 */
import type { Subspace } from "../keyspace/subspace.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { mutant } from "../platform/probes.js";
import { parsePath, valueAt } from "../record/field-path.js";
import type { ItemStore } from "../record/item-store.js";
import { compilePredicate, type DocumentTest } from "../record/predicate.js";
import type { ReadTransaction } from "../transaction/transaction.js";
import { EntryDecoder } from "./entry-decoder.js";
import { MeteredReader } from "./metered-reader.js";
import type { Plan } from "./plan.js";
import { projection } from "./projection.js";
import { type Entry, type Place, Placement, type Row } from "./row.js";
import { entriesOf } from "./scans.js";
import { type MeasuredRow, SORT_BYTES_MAX, sortedRows } from "./sorted-rows.js";

/** Where a plan's collection is read. */
export interface QuerySource {
  readonly reader: ReadTransaction;
  readonly items: ItemStore;
  indexSpace(indexId: number, generation: number): Subspace;
}

export interface ExecutionOptions {
  /** Begins behind it. */
  readonly after?: Place | null;
  /** So many rows will be taken, if there are: nothing is read for more, as far as it can be told. */
  readonly wanted?: number;
  readonly sortBytesMax?: number;
}

/** A row that was looked at, whether it met the conditions or not. */
export interface ScannedRow {
  readonly row: Row;
  readonly isMatch: boolean;
}

/** What the query gives, one by one: documents or selected fields. */
export async function* execute(plan: Plan, source: QuerySource): AsyncGenerator<unknown, void, undefined> {
  const project = projection(plan.output);
  let skip = plan.offset;
  let left = plan.limit ?? Number.POSITIVE_INFINITY;
  if (left === 0) return;
  for await (const { row, isMatch } of new Execution(plan, source, { wanted: skip + left }).rows()) {
    if (!isMatch || skip-- > 0) continue;
    yield project(row.document);
    if (--left === 0) return;
  }
}

/** How many the query would give. Reads no documents where entries of an index have what the conditions ask for. */
export async function countRows(plan: Plan, source: QuerySource): Promise<number> {
  const { offset, limit } = plan;
  const wanted = limit === null ? Number.POSITIVE_INFINITY : offset + limit;
  let count = 0;
  if (limit === 0) return count;
  for await (const { isMatch } of new Execution(plan, source, { wanted }).rows()) {
    if (isMatch && ++count === wanted) break;
  }
  return Math.max(0, count - offset);
}

export class Execution {
  readonly placement: Placement;
  readonly #plan: Plan;
  readonly #reader: MeteredReader;
  readonly #source: QuerySource;
  readonly #options: ExecutionOptions;
  readonly #test: DocumentTest;

  constructor(plan: Plan, source: QuerySource, options: ExecutionOptions = {}) {
    this.#plan = plan;
    this.#reader = new MeteredReader(source.reader);
    this.#source = {
      reader: this.#reader,
      items: source.items,
      indexSpace: (indexId, generation) => source.indexSpace(indexId, generation),
    };
    this.#options = options;
    this.#test = compilePredicate(plan.filter, plan.primaryKey);
    this.placement = new Placement(plan.order);
  }

  get scannedBytes(): number {
    return this.#reader.bytes;
  }

  /** In the order of the plan, without offset and limit. After a sort only those that match. */
  async *rows(): AsyncGenerator<ScannedRow, void, undefined> {
    const { after = null, wanted = Number.POSITIVE_INFINITY, sortBytesMax = SORT_BYTES_MAX } = this.#options;
    if (!this.#plan.isSorted) {
      yield* this.#scanned(after, wanted);
      return;
    }
    const matching = () => this.#matching();
    for await (const row of sortedRows(matching, this.placement, after, wanted, sortBytesMax)) {
      yield { row, isMatch: true };
    }
  }

  async *#matching(): AsyncGenerator<MeasuredRow, void, undefined> {
    let bytes = this.#reader.bytes;
    for await (const { row, isMatch } of this.#scanned(null, Number.POSITIVE_INFINITY)) {
      if (isMatch) yield { row, bytes: this.#reader.bytes - bytes };
      bytes = this.#reader.bytes;
    }
  }

  async *#scanned(after: Place | null, wanted: number): AsyncGenerator<ScannedRow, void, undefined> {
    const { access, order, isIndexOnly } = this.#plan;
    const decoder = isIndexOnly ? this.#decoder() : null;
    const context = { source: this.#source, order, withPlaces: false, decoder };
    const entries = entriesOf(access, context, after);
    let scanned = 0;
    for await (const row of withDocuments(entries, this.#source, wanted)) {
      yield { row, isMatch: this.#test(row.document) };
      if (mutant("R8-multi-predicate-truncated") && ++scanned >= wanted) return;
    }
  }

  #decoder(): EntryDecoder {
    const { primaryKey, output } = this.#plan;
    const isAskedFor = output.type === "fields" && output.fields.includes(primaryKey);
    const path = parsePath(primaryKey);
    return new EntryDecoder(
      primaryKey,
      isAskedFor ? async (key) => typeof valueAt(await this.#documentOf(key), path) === "bigint" : null,
    );
  }

  async #documentOf(primaryKey: TupleElement): Promise<unknown> {
    return (await this.#source.items.read(this.#reader, primaryKey))?.document;
  }
}

/** Documents that are read at a time: few at first, for who wants few. */
const BATCH_MIN = 8;
const BATCH_MAX = 64;

/**
 * Entries with their documents, in the same order. One whose document is gone, since the transaction itself has removed it meanwhile,
 * is passed over.
 */
async function* withDocuments(
  entries: AsyncGenerator<Entry, void, undefined>,
  { reader, items }: QuerySource,
  wanted: number,
): AsyncGenerator<Row, void, undefined> {
  let size = Math.max(1, Math.min(wanted, BATCH_MIN));
  try {
    for (;;) {
      const batch: Entry[] = [];
      // What is there already is handed on at once.
      while (batch.length < size && batch.at(-1)?.document === undefined) {
        const next = await entries.next();
        if (next.done === true) break;
        batch.push(next.value);
      }
      if (batch.length === 0) return;
      const found = await Promise.all(
        batch.map((entry) => (entry.document === undefined ? items.read(reader, entry.primaryKey) : entry)),
      );
      for (const row of found) if (row !== undefined) yield row;
      size = Math.min(size * 2, BATCH_MAX);
    }
  } finally {
    await entries.return();
  }
}
