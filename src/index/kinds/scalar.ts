/**
 * The scalar index: documents in the order of one or several of their fields (features DF-13). One row for each item and, where a
 * field goes through a list (`"tags[]"`), for each different element:
 *
 *     (values…, primary key) → covered values (`covered-values.ts`), nothing without
 *
 * Answers equality, ranges and prefixes of the fields from the left, both ways. Does not own: uniqueness, states, which documents
 * it holds (`selection.ts`).
 */

import { pack } from "../../keyspace/tuple.js";
import { type IndexDeclaration, type IndexOptions } from "../../record/declaration.js";
import { parsePath } from "../../record/field-path.js";
import type { RecordItem } from "../../record/item.js";
import { CoveredValues } from "../covered-values.js";
import { EntryMaintainer } from "../entry-maintainer.js";
import { checkEntrySize } from "../entry-size.js";
import { FieldValues } from "../field-values.js";
import type { EntrySource, IndexContext, IndexEntry, IndexKind } from "../kind.js";
import { primaryKeyOfLast } from "../primary-key-of.js";
import { invalidIndex } from "../registry.js";

export const SCALAR: IndexKind = {
  identifier: "scalar",
  structure: "flat",
  canBeUnique: true,
  canCover: true,
  looksAtFieldsOnly: true,
  check(collection, declaration) {
    const { fields, covering = [], configuration } = declaration;
    if (fields.length === 0) throw invalidIndex(collection, declaration, "a scalar index needs a field");
    if (covering.some((field) => parsePath(field).isMulti)) {
      throw invalidIndex(collection, declaration, "covered fields go through no lists");
    }
    if (configuration !== undefined) {
      throw invalidIndex(collection, declaration, "a scalar index has no configuration");
    }
  },
  maintainer: (context) => new EntryMaintainer(context, scalarEntries(context)),
};

/** An index over the values of a field. */
export function scalar<const Field extends string, const Options extends IndexOptions = Record<never, never>>(
  field: Field,
  options?: Options,
): Options & { readonly kind: "scalar"; readonly fields: readonly [Field] };
/** An index over several fields: ordered by the first, among equals by the second, and so on. */
export function scalar<
  const Fields extends readonly string[],
  const Options extends IndexOptions = Record<never, never>,
>(fields: Fields, options?: Options): Options & { readonly kind: "scalar"; readonly fields: Fields };
export function scalar(fields: string | readonly string[], options: IndexOptions = {}): IndexDeclaration {
  return { ...options, kind: SCALAR.identifier, fields: typeof fields === "string" ? [fields] : fields };
}

function scalarEntries(context: IndexContext): EntrySource {
  const values = new FieldValues(context, context.declaration.fields);
  const { fields, covering } = context.declaration;
  const covered = covering === undefined ? null : new CoveredValues(context, covering);
  return {
    of(item: RecordItem): IndexEntry[] {
      const value = covered === null ? NOTHING : covered.pack(item.document);
      const primaryKey = pack([item.primaryKey]);
      return values.combinations(item.document).map((elements) => {
        const prefix = context.space.pack(elements);
        const key = Buffer.concat([prefix, primaryKey]);
        checkEntrySize(context, { key }, fields, elements);
        return { key, value, valueBytes: prefix.length };
      });
    },
    primaryKeyOf: (key) => primaryKeyOfLast(context, key),
  };
}

const NOTHING = new Uint8Array(0);
