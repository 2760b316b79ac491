/**
 * Whether the fields of a query are fields of the collection. Only our own schema builder tells which there are: with another library
 * a wrong name does not compile, but at run time it is a field that no document has.
 */

import { fieldsOf } from "../query/normalize.js";
import type { Query } from "../query/plan.js";
import type { CollectionDeclaration } from "../record/declaration.js";
import type { ValueDescription } from "../record/description.js";
import { type ParsedPath, parsePath } from "../record/field-path.js";
import { RecordError, shown } from "../record/record-error.js";
import { describedBy } from "../record/schema-builder.js";

/** Throws `UNKNOWN_FIELD`. */
export function checkKnownFields({ name, schema }: CollectionDeclaration, asked: Query): void {
  const description = describedBy(schema);
  if (description === null) return;
  const { where, order, output } = asked;
  const selected = output.type === "fields" ? output.fields : [];
  for (const field of [...fieldsOf(where), ...order.fields.map((term) => term.field), ...selected]) {
    if (leadsToValues(description, parsePath(field))) continue;
    throw new RecordError(
      "UNKNOWN_FIELD",
      `documents of "${name}" have no value at ${shown(field)}. Write [] after a list, and a dot before a field of an object.`,
      {
        collection: name,
        field,
      },
    );
  }
}

/** Lists and objects are none: a path goes on through them. */
function leadsToValues(description: ValueDescription, path: ParsedPath): boolean {
  let found: readonly ValueDescription[] = [description];
  for (const { name, lists } of path.steps) {
    found = found.flatMap(alternatives).flatMap((one) => membersOf(one, name));
    for (let list = 0; list < lists; list++) found = found.flatMap(alternatives).flatMap(elementsOf);
  }
  return found.flatMap(alternatives).some(({ type }) => type !== "array" && type !== "object");
}

function alternatives(description: ValueDescription): readonly ValueDescription[] {
  return description.type === "union" ? description.options.flatMap(alternatives) : [description];
}

function membersOf(description: ValueDescription, name: string): readonly ValueDescription[] {
  if (description.type !== "object") return [];
  return description.fields.filter((field) => field.name === name).map(({ value }) => value);
}

function elementsOf(description: ValueDescription): readonly ValueDescription[] {
  return description.type === "array" ? [description.element] : [];
}
