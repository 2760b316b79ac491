/**
 * How the description of documents has changed, field by field (features DF-77): whether every document that was valid still is.
 * Pure. Owns which type is wider than which; does not own what else of a collection may change (`evolution.ts`).
 */
import { type FieldDescription, inWords, type Limits, type ValueDescription } from "../record/description.js";

/** What a change asks of the stored documents. Enumerations are set apart: older programs do not know the new word. */
export type DescriptionEffort = "none" | "lightweight" | "custom";

export interface DescriptionChange {
  readonly effort: DescriptionEffort;
  /** Path of the field; empty for the document itself. */
  readonly field: string;
  readonly what: string;
}

/** Nothing where both say the same; defaults are no matter of what is stored. */
export function descriptionChanges(
  before: ValueDescription,
  after: ValueDescription,
  field = "",
): DescriptionChange[] {
  if (before.type === "object" && after.type === "object") {
    const own = nullChange(before, after, field);
    return [...own, ...objectChanges(before.fields, after.fields, field)];
  }
  if (before.type === "array" && after.type === "array") {
    const own = [...nullChange(before, after, field), ...limitChange(before, after, field)];
    return [...own, ...descriptionChanges(before.element, after.element, `${field}[]`)];
  }
  const isWider = takesAllOf(after, before);
  if (isWider && takesAllOf(before, after)) return [];
  if (!isWider)
    return [
      {
        effort: "custom",
        field,
        what: `was ${inWords(before)} and is now ${inWords(after)}${limitsOf(before, after)}`,
      },
    ];
  const effort = before.type === "enumeration" && after.type === "enumeration" ? "lightweight" : "none";
  return [{ effort, field, what: `is now also ${inWords(after)}${limitsOf(before, after)}` }];
}

function objectChanges(
  before: readonly FieldDescription[],
  after: readonly FieldDescription[],
  path: string,
): DescriptionChange[] {
  const changes: DescriptionChange[] = [];
  for (const old of before) {
    const field = below(path, old.name);
    const own = after.find(({ name }) => name === old.name);
    if (own === undefined) {
      changes.push({ effort: "custom", field, what: "is no longer declared, and stored documents have it" });
      continue;
    }
    if (old.optional && !own.optional)
      changes.push({
        effort: "custom",
        field,
        what: "may be missing from stored documents and must now be there",
      });
    if (!old.optional && own.optional) changes.push({ effort: "none", field, what: "may now be missing" });
    changes.push(...descriptionChanges(old.value, own.value, field));
  }
  for (const own of after) {
    if (before.some(({ name }) => name === own.name)) continue;
    changes.push(
      own.optional
        ? { effort: "none", field: below(path, own.name), what: "is new and may be missing" }
        : {
            effort: "custom",
            field: below(path, own.name),
            what: "is new and missing from stored documents",
          },
    );
  }
  return changes;
}

function nullChange(before: ValueDescription, after: ValueDescription, field: string): DescriptionChange[] {
  if (before.nullable === after.nullable) return [];
  return before.nullable
    ? [{ effort: "custom", field, what: "may be null in stored documents and must no longer be" }]
    : [{ effort: "none", field, what: "may now be null" }];
}

function limitChange(before: Limits<number>, after: Limits<number>, field: string): DescriptionChange[] {
  const isWider = within(after, before);
  if (isWider && within(before, after)) return [];
  return [{ effort: isWider ? "none" : "custom", field, what: `has other limits${limitsOf(before, after)}` }];
}

/** Whether every value of `inner` is one of `outer`. May say no where it is, for a union that only together takes all. */
export function takesAllOf(outer: ValueDescription, inner: ValueDescription): boolean {
  if (inner.nullable && !takesNull(outer)) return false;
  if (inner.type === "union") return inner.options.every((option) => takesAllOf(outer, option));
  if (outer.type === "union") {
    const notNull: ValueDescription = { ...inner, nullable: false };
    return outer.options.some((option) => takesAllOf(option, notNull));
  }
  switch (inner.type) {
    case "literal":
      return takesLiteral(outer, inner.value);
    case "enumeration":
      return inner.values.every((value) => takesLiteral(outer, value));
    case "integer":
      return (outer.type === "integer" || outer.type === "number") && within(outer, inner);
    case "array":
      return outer.type === "array" && within(outer, inner) && takesAllOf(outer.element, inner.element);
    case "object":
      return outer.type === "object" && fieldsTakeAllOf(outer.fields, inner.fields);
    case "boolean":
      return outer.type === "boolean";
    default:
      return outer.type === inner.type && within(outer as Limits<number>, inner as Limits<number>);
  }
}

function takesNull(description: ValueDescription): boolean {
  return description.nullable || (description.type === "union" && description.options.some(takesNull));
}

function takesLiteral(outer: ValueDescription, value: string | number | bigint | boolean): boolean {
  switch (outer.type) {
    case "literal":
      return outer.value === value;
    case "enumeration":
      return typeof value === "string" && outer.values.includes(value);
    case "string":
      return typeof value === "string" && within(outer, { min: value.length, max: value.length });
    case "number":
      return Number.isFinite(value) && within(outer, { min: value as number, max: value as number });
    case "integer":
      return Number.isSafeInteger(value) && within(outer, { min: value as number, max: value as number });
    case "bigint":
      return typeof value === "bigint" && within(outer, { min: value, max: value });
    case "boolean":
      return typeof value === "boolean";
    default:
      return false;
  }
}

function fieldsTakeAllOf(outer: readonly FieldDescription[], inner: readonly FieldDescription[]): boolean {
  return (
    inner.every((field) => {
      const own = outer.find(({ name }) => name === field.name);
      return own !== undefined && (own.optional || !field.optional) && takesAllOf(own.value, field.value);
    }) && outer.every((field) => field.optional || inner.some(({ name }) => name === field.name))
  );
}

function within<Value extends number | bigint | Date>(outer: Limits<Value>, inner: Limits<Value>): boolean {
  return (
    (outer.min === undefined || (inner.min !== undefined && inner.min >= outer.min)) &&
    (outer.max === undefined || (inner.max !== undefined && inner.max <= outer.max))
  );
}

/** For messages of changes that are one of limits. */
function limitsOf(before: object, after: object): string {
  const [old, own] = [before, after].map((description) => {
    const { min, max } = description as Limits<number>;
    return min === undefined && max === undefined ? "no limits" : `${min ?? "…"} to ${max ?? "…"}`;
  });
  return old === own ? "" : ` (${own}, before ${old})`;
}

function below(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
