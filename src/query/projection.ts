/** What a query gives of a document: all of it, or selected fields under their paths, as an index has them. */
import { parsePath, valueAt, valuesAt } from "../record/field-path.js";
import type { QueryOutput } from "./plan.js";

export function projection(output: QueryOutput): (document: unknown) => unknown {
  if (output.type !== "fields") return (document) => document;
  const paths = output.fields.map(parsePath);
  return (document) => {
    const selected: Record<string, unknown> = {};
    for (const path of paths) {
      const value = path.isMulti ? valuesAt(document, path).map(plain) : plain(valueAt(document, path));
      // An assignment to __proto__ would change the prototype instead.
      Object.defineProperty(selected, path.text, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    return selected;
  };
}

/** −0 is 0 in an index, so it is here: the same whether the index answers or the document. */
function plain(value: unknown): unknown {
  return value === 0 ? 0 : value;
}
