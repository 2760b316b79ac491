/**
 * The sum of a field over the documents of each group, with their number, so that an average can be read and a group is told apart
 * from one whose values make zero (features DF-27). Sums are exact: whole numbers, or with `scale` decimals after the point. One row
 * for each group that has a value:
 *
 *     (values of the group…) → documents × 2^128 + units, 24 bytes, little-endian, two's complement
 *
 * One number, so that one atomic addition changes both. A unit is 10^−scale; units of one document are below 2^63 either way, so no
 * 2^63 documents overflow the 128 bits. Missing and null values are left out; any other that is no such number is refused.
 * Does not own: how it is changed (`totals.ts`).
 */
import type { IndexDeclaration } from "../../record/declaration.js";
import { type ParsedPath, parsePath, valuesAt } from "../../record/field-path.js";
import { RecordError, shown } from "../../record/record-error.js";
import { decimalUnits, unitsAsNumber } from "../decimal.js";
import { type ByOf, type GroupOptions, Groups } from "../groups.js";
import type { IndexContext, IndexKind } from "../kind.js";
import { invalidIndex } from "../registry.js";
import { TotalsMaintainer } from "../totals.js";

export interface SumOptions extends GroupOptions {
  /** Decimals that values may have after the point, 0 to 18. Default 0: whole numbers. */
  readonly scale?: number;
}

/** What is known of the values of one group. */
export interface Sum {
  /** Exact, in units of 10^−scale. */
  readonly units: bigint;
  readonly scale: number;
  /** Documents with a value: at least one. */
  readonly count: number;
  /** The number nearest to the sum. */
  readonly sum: number;
  readonly average: number;
}

const SCALE_MAX = 18;
const UNIT_BITS = 128n;

export const SUM: IndexKind<TotalsMaintainer<Sum>> = {
  identifier: "sum",
  structure: "aggregation",
  canBeUnique: false,
  canCover: false,
  looksAtFieldsOnly: true,
  check(collection, declaration) {
    if (declaration.fields.length === 0) throw invalidIndex(collection, declaration, "a sum needs a field");
    if (scaleOf(declaration) !== null) return;
    throw invalidIndex(
      collection,
      declaration,
      `the scale of a sum is a whole number from 1 to ${SCALE_MAX}, or left out`,
    );
  },
  maintainer(context) {
    const [field, ...by] = context.declaration.fields as readonly [string, ...string[]];
    const path = parsePath(field);
    const scale = scaleOf(context.declaration) ?? 0;
    return new TotalsMaintainer(context, {
      bytes: 24,
      groups: new Groups(context, by),
      amountOf: (document) => amount(context, document, path, scale),
      valueOf: (total) => sumOf(total, scale),
    });
  },
};

/** Adds up a field over a collection, or over each group of its documents. */
export function sum<const Field extends string, const Options extends SumOptions = Record<never, never>>(
  field: Field,
  options?: Options,
): Omit<Options, "by" | "scale"> & {
  readonly kind: "sum";
  readonly fields: readonly [Field, ...ByOf<Options>];
};
export function sum(field: string, { by = [], scale = 0, ...options }: SumOptions = {}): IndexDeclaration {
  const configuration = scale === 0 ? {} : { configuration: { scale } };
  return { ...options, ...configuration, kind: SUM.identifier, fields: [field, ...by] };
}

/** Null for a configuration that is none of a sum. */
function scaleOf({ configuration }: IndexDeclaration): number | null {
  if (configuration === undefined) return 0;
  if (typeof configuration !== "object" || configuration === null || Array.isArray(configuration))
    return null;
  const { scale, ...others } = configuration as { readonly scale?: unknown };
  const isScale = typeof scale === "number" && Number.isInteger(scale) && scale >= 1 && scale <= SCALE_MAX;
  return isScale && Object.keys(others).length === 0 ? scale : null;
}

/** Of one document; where the field goes through a list, its elements together. */
function amount(context: IndexContext, document: unknown, path: ParsedPath, scale: number): bigint | null {
  let units: bigint | null = null;
  for (const value of valuesAt(document, path)) {
    if (value === null) continue;
    const own = decimalUnits(value, scale);
    if (own === null) throw notSummable(context, path, value, scale);
    units = (units ?? 0n) + own;
  }
  return units === null ? null : (1n << UNIT_BITS) + units;
}

function notSummable(
  { collection, index }: IndexContext,
  { text }: ParsedPath,
  value: unknown,
  scale: number,
): RecordError {
  const wanted = scale === 0 ? "whole numbers" : `numbers with up to ${scale} decimals`;
  return new RecordError(
    "INVALID_INDEX_VALUE",
    `the index "${index}" of "${collection}" cannot add up ${shown(value)} at "${text}". It takes ${wanted} of less than 2^63 ` +
      `units, big integers, and null${scale === 0 ? '; for decimals declare it with "scale"' : ""}.`,
    { collection, index, field: text, value },
  );
}

function sumOf(total: bigint, scale: number): Sum | null {
  const units = BigInt.asIntN(Number(UNIT_BITS), total);
  const count = (total - units) >> UNIT_BITS;
  if (count <= 0n) return null;
  const sum = unitsAsNumber(units, scale);
  return { units, scale, count: Number(count), sum, average: sum / Number(count) };
}
