/**
 * The items of a collection in the order of an index that is readable (features DF-43). Where the rows of the index hold all that
 * the targets look at, documents are put together from them; otherwise each is fetched. Owns the decision which of the two, or
 * neither: it is made before a build starts.
 */
import type { Subspace } from "../../keyspace/subspace.js";
import { unpack } from "../../keyspace/tuple.js";
import type { TupleElement } from "../../keyspace/tuple-elements.js";
import type { StoredIndex } from "../../record/catalogue.js";
import { parsePath } from "../../record/field-path.js";
import { indexValue } from "../../record/index-value.js";
import type { RecordItem } from "../../record/item.js";
import type { ItemStore } from "../../record/item-store.js";
import type { Predicate } from "../../record/predicate.js";
import { RecordError, shown } from "../../record/record-error.js";
import type { Transaction } from "../../transaction/transaction.js";
import type { EntrySource, IndexMaintainer } from "../kind.js";
import type { MaintainedIndex } from "../maintenance.js";
import type { KindRegistry } from "../registry.js";
import type { ItemScan, ScannedItem } from "./item-scan.js";

export type SourceUse =
  | { readonly use: "rows" | "items" }
  /** With what is against it. */
  | { readonly use: "none"; readonly why: string };

/** Whether the targets can be built from this index, and whether its rows are enough for them. */
export function sourceUse(
  source: StoredIndex,
  targets: readonly StoredIndex[],
  kinds: KindRegistry,
): SourceUse {
  const { kind, fields, covering = [], sparse, where } = source.declaration;
  if (source.state !== "readable") return { use: "none", why: `it is ${source.state}` };
  if (kind !== "scalar")
    return { use: "none", why: `it is of kind "${kind}" and has not one row for each item` };
  if (sparse === true) return { use: "none", why: "it is sparse and lacks items" };
  if (where !== undefined) return { use: "none", why: "it is partial and lacks items" };
  if (fields.some((field) => parsePath(field).isMulti))
    return { use: "none", why: "it goes through a list and has an item several times, or not at all" };
  if (targets.some(({ id }) => id === source.id)) return { use: "none", why: "it is to be built itself" };
  const known = new Set([...fields, ...covering]);
  const isEnough = targets.every(
    ({ declaration }) =>
      kinds.byIdentifier(declaration.kind).looksAtFieldsOnly === true &&
      [...declaration.fields, ...fieldsOf(declaration.where)].every((field) => known.has(field)) &&
      // Indexed values have lost what covered ones keep: −0, and whether a field is null or missing.
      (declaration.covering ?? []).every((field) => covering.includes(field)),
  );
  return { use: isEnough ? "rows" : "items" };
}

export class IndexScan implements ItemScan {
  readonly space: Subspace;
  readonly #maintainer: IndexMaintainer;
  readonly #entries: EntrySource;
  /** Null: documents come from the rows. */
  readonly #items: ItemStore | null;

  constructor(source: MaintainedIndex, entries: EntrySource, items: ItemStore | null) {
    this.#maintainer = source.maintainer;
    this.space = source.maintainer.context.space;
    this.#entries = entries;
    this.#items = items;
  }

  async *items(transaction: Transaction, position: Uint8Array, limit: number): AsyncGenerator<ScannedItem> {
    const { begin, end } = this.space.range();
    const from = position.length === 0 ? begin : Buffer.concat([this.space.prefix, position, NEXT]);
    const rows = await transaction.getRangeAll(from, end, { limit });
    const found = await Promise.all(
      rows.map(([key, value]) => {
        const primaryKey = this.#entries.primaryKeyOf(key);
        return this.#items === null
          ? this.#itemOf(key, value, primaryKey)
          : this.#items.read(transaction, primaryKey);
      }),
    );
    for (const [at, [key]] of rows.entries()) {
      const item = found[at];
      if (item === undefined) throw this.#dangling(key);
      yield { item, position: key.subarray(this.space.prefix.length) };
    }
  }

  /** As far as the row knows it. */
  #itemOf(key: Uint8Array, value: Uint8Array, primaryKey: TupleElement): RecordItem {
    const { fields, covering = [] } = this.#maintainer.context.declaration;
    const document: Record<string, unknown> = {};
    const elements = this.space.unpack(key);
    const covered = covering.length === 0 ? [] : unpack(value);
    for (const [at, field] of fields.entries()) put(document, field, elements[at] ?? null);
    for (const [at, field] of covering.entries()) put(document, field, covered[at] ?? null);
    return { primaryKey, document };
  }

  #dangling(key: Uint8Array): RecordError {
    const { collection, index } = this.#maintainer.context;
    return new RecordError(
      "CORRUPTION",
      `the index "${index}" of "${collection}" has a row for ${shown(this.#entries.primaryKeyOf(key))}, which is not there. ` +
        "Scrub it with repair, then build from it again.",
      { collection, index },
    );
  }
}

const NEXT = Uint8Array.of(0x00);

function put(document: Record<string, unknown>, field: string, element: TupleElement): void {
  // Covered, and not in the document.
  if (Array.isArray(element) && element.length === 0) return;
  const { steps } = parsePath(field);
  let at = document;
  for (const { name } of steps.slice(0, -1)) {
    // An own member even for names such as "__proto__".
    if (!Object.hasOwn(at, name)) define(at, name, {});
    at = at[name] as Record<string, unknown>;
  }
  define(at, (steps.at(-1) as { readonly name: string }).name, indexValue(element)?.value ?? null);
}

function define(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
}

function fieldsOf(predicate: Predicate | undefined): string[] {
  if (predicate === undefined) return [];
  if ("field" in predicate) return [predicate.field];
  if (predicate.op === "not") return fieldsOf(predicate.of);
  return predicate.op === "and" || predicate.op === "or" ? predicate.of.flatMap(fieldsOf) : [];
}
