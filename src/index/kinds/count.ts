/**
 * How many documents there are in each group (features DF-27). One row for each group that has any:
 *
 *     (values of the group…) → number of documents, 8 bytes, little-endian
 *
 * Does not own: how it is changed (`totals.ts`).
 */
import type { IndexDeclaration } from "../../record/declaration.js";
import { type ByOf, type GroupOptions, Groups } from "../groups.js";
import type { IndexKind } from "../kind.js";
import { invalidIndex } from "../registry.js";
import { TotalsMaintainer } from "../totals.js";

export const COUNT: IndexKind<TotalsMaintainer<number>> = {
  identifier: "count",
  structure: "aggregation",
  canBeUnique: false,
  canCover: false,
  looksAtFieldsOnly: true,
  check(collection, declaration) {
    if (declaration.configuration === undefined) return;
    throw invalidIndex(collection, declaration, "a count has no configuration");
  },
  maintainer: (context) =>
    new TotalsMaintainer(context, {
      bytes: 8,
      groups: new Groups(context, context.declaration.fields),
      amountOf: () => 1n,
      valueOf: (total) => (total > 0n ? Number(total) : null),
    }),
};

/** Counts the documents of a collection, or of each group of them. */
export function count<const Options extends GroupOptions = Record<never, never>>(
  options?: Options,
): Omit<Options, "by"> & { readonly kind: "count"; readonly fields: ByOf<Options> };
export function count({ by = [], ...options }: GroupOptions = {}): IndexDeclaration {
  return { ...options, kind: COUNT.identifier, fields: by };
}
