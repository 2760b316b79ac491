/**
 * The smallest or largest value of a field in each group (features DF-27): values of each group in their order, so that the next one
 * is there when the first is deleted. Flat and idempotent. One row for each document with a value:
 *
 *     (values of the group…, value, primary key) → nothing
 *
 * Missing and null values have none. Both kinds keep the same rows; they differ in the end that is read.
 */
import { pack } from "../../keyspace/tuple.js";
import type { TupleElement } from "../../keyspace/tuple-elements.js";
import type { IndexDeclaration } from "../../record/declaration.js";
import { type IndexValue, indexValue } from "../../record/index-value.js";
import type { RecordItem } from "../../record/item.js";
import type { KeyValue, ReadTransaction } from "../../transaction/transaction.js";
import type { Aggregate, AggregateReads, GroupScan } from "../aggregate.js";
import { EntryMaintainer } from "../entry-maintainer.js";
import { checkEntrySize } from "../entry-size.js";
import { FieldValues } from "../field-values.js";
import { type ByOf, damagedRow, elementsOfRow, type GroupOptions, Groups } from "../groups.js";
import type { EntrySource, IndexContext, IndexEntry, IndexKind } from "../kind.js";
import { primaryKeyOfLast } from "../primary-key-of.js";
import { invalidIndex } from "../registry.js";
import { rowsAfterValues } from "../value-range.js";

export const MIN: IndexKind<ExtremeMaintainer> = extreme("min", false);
export const MAX: IndexKind<ExtremeMaintainer> = extreme("max", true);

/** The smallest value of a field in a collection, or in each group of its documents. */
export function min<const Field extends string, const Options extends GroupOptions = Record<never, never>>(
  field: Field,
  options?: Options,
): Omit<Options, "by"> & { readonly kind: "min"; readonly fields: readonly [Field, ...ByOf<Options>] };
export function min(field: string, { by = [], ...options }: GroupOptions = {}): IndexDeclaration {
  return { ...options, kind: MIN.identifier, fields: [field, ...by] };
}

/** The largest value of a field in a collection, or in each group of its documents. */
export function max<const Field extends string, const Options extends GroupOptions = Record<never, never>>(
  field: Field,
  options?: Options,
): Omit<Options, "by"> & { readonly kind: "max"; readonly fields: readonly [Field, ...ByOf<Options>] };
export function max(field: string, { by = [], ...options }: GroupOptions = {}): IndexDeclaration {
  return { ...options, kind: MAX.identifier, fields: [field, ...by] };
}

function extreme(identifier: string, isLargest: boolean): IndexKind<ExtremeMaintainer> {
  return {
    identifier,
    structure: "flat",
    canBeUnique: false,
    canCover: false,
    looksAtFieldsOnly: true,
    check(collection, declaration) {
      if (declaration.fields.length === 0) throw invalidIndex(collection, declaration, "it needs a field");
      if (declaration.configuration === undefined) return;
      throw invalidIndex(collection, declaration, `an index of kind "${identifier}" has no configuration`);
    },
    maintainer: (context) => new ExtremeMaintainer(context, isLargest),
  };
}

export class ExtremeMaintainer extends EntryMaintainer implements AggregateReads<IndexValue> {
  readonly #groups: Groups;
  readonly #isLargest: boolean;

  constructor(context: IndexContext, isLargest: boolean) {
    const [field, ...by] = context.declaration.fields as readonly [string, ...string[]];
    super(context, extremeEntries(context, field, by));
    this.#groups = new Groups(context, by);
    this.#isLargest = isLargest;
  }

  get aggregates(): AggregateReads<IndexValue> {
    return this;
  }

  async one(reader: ReadTransaction, group: readonly IndexValue[]): Promise<IndexValue | undefined> {
    const prefix = this.context.space.pack(this.#groups.elementsOfGroup(group));
    const row = await this.#first(reader, prefix);
    return row === undefined ? undefined : this.#valueOf(row[0]);
  }

  /** One read a group, and one more for its far end: O(groups), whatever is in them. */
  async all(reader: ReadTransaction, scan: GroupScan): Promise<Aggregate<IndexValue>[]> {
    const { limit = Number.POSITIVE_INFINITY, reverse = false } = scan;
    const found: Aggregate<IndexValue>[] = [];
    let { begin, end } = this.#groups.range;
    while (found.length < limit) {
      const [near] = await reader.getRangeAll(begin, end, { limit: 1, reverse });
      if (near === undefined) break;
      const elements = elementsOfRow(this.context, near[0]);
      const group = this.#groups.groupOf(near[0], elements);
      const prefix = this.context.space.pack(elements.slice(0, group.length));
      const row = reverse === this.#isLargest ? near : await this.#first(reader, prefix);
      found.push({ group, value: this.#valueOf((row ?? near)[0]) });
      if (group.length === 0) break;
      const own = rowsAfterValues(prefix);
      if (reverse) end = own.begin;
      else begin = own.end;
    }
    return found;
  }

  async #first(reader: ReadTransaction, prefix: Uint8Array): Promise<KeyValue | undefined> {
    const { begin, end } = rowsAfterValues(prefix);
    const [row] = await reader.getRangeAll(begin, end, { limit: 1, reverse: this.#isLargest });
    return row;
  }

  /** Throws `CORRUPTION`. */
  #valueOf(key: Uint8Array): IndexValue {
    const element = elementsOfRow(this.context, key)[this.context.declaration.fields.length - 1];
    const known = element === undefined ? null : indexValue(element);
    if (known === null) throw damagedRow(this.context, key);
    return known.value;
  }
}

function extremeEntries(context: IndexContext, field: string, by: readonly string[]): EntrySource {
  // The value goes last, as the rows have it. Groups may have null in them, so a sparse index is one of the groups alone.
  const fields = [...by, field];
  const values = new FieldValues(context, fields);
  return {
    of(item: RecordItem): IndexEntry[] {
      const primaryKey = pack([item.primaryKey]);
      return values
        .combinations(item.document)
        .filter((elements: readonly TupleElement[]) => elements[by.length] !== null)
        .map((elements) => {
          const prefix = context.space.pack(elements);
          const key = Buffer.concat([prefix, primaryKey]);
          checkEntrySize(context, { key }, fields, elements);
          return { key, value: NOTHING, valueBytes: prefix.length };
        });
    },
    primaryKeyOf: (key) => primaryKeyOfLast(context, key),
  };
}

const NOTHING = new Uint8Array(0);
