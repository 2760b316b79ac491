/**
 * Predicates in a form that rules can look at: `not` stands only before single conditions, `and` and `or` are flat, have at least two
 * parts, and hold no constants. The same documents meet it: there are two truth values, so De Morgan's laws hold.
 * Does not own: what a condition means (`src/record/predicate.ts`).
 */
import type { Predicate } from "../record/predicate.js";

export function normalized(predicate: Predicate): Predicate {
  return positive(predicate, false);
}

/** The conditions that must all be met. */
export function conjunctsOf(predicate: Predicate): readonly Predicate[] {
  if (predicate.op === "true") return [];
  return predicate.op === "and" ? predicate.of : [predicate];
}

/**
 * The predicate as alternatives, each a list of conditions that must all be met; null when there would be more than `limit`. Takes
 * what is normalized.
 */
export function alternativesOf(predicate: Predicate, limit: number): (readonly Predicate[])[] | null {
  switch (predicate.op) {
    case "true":
      return [[]];
    case "false":
      return [];
    case "or": {
      const all: (readonly Predicate[])[] = [];
      for (const part of predicate.of) {
        const alternatives = alternativesOf(part, limit - all.length);
        if (alternatives === null) return null;
        all.push(...alternatives);
      }
      return all;
    }
    case "and": {
      let all: (readonly Predicate[])[] = [[]];
      for (const part of predicate.of) {
        const alternatives = alternativesOf(part, limit);
        if (alternatives === null || alternatives.length * all.length > limit) return null;
        all = all.flatMap((one) => alternatives.map((other) => [...one, ...other]));
      }
      return all;
    }
    default:
      return limit < 1 ? null : [[predicate]];
  }
}

/** Every field that a predicate asks for. */
export function fieldsOf(predicate: Predicate): Set<string> {
  const fields = new Set<string>();
  const visit = (part: Predicate): void => {
    if ("field" in part) fields.add(part.field);
    else if (part.op === "not") visit(part.of);
    else if (part.op === "and" || part.op === "or") for (const one of part.of) visit(one);
  };
  visit(predicate);
  return fields;
}

function positive(predicate: Predicate, isNegated: boolean): Predicate {
  switch (predicate.op) {
    case "true":
    case "false":
      return (predicate.op === "true") === isNegated ? { op: "false" } : { op: "true" };
    case "not":
      return positive(predicate.of, !isNegated);
    case "and":
    case "or":
      return joined(
        (predicate.op === "and") === isNegated ? "or" : "and",
        predicate.of.map((part) => positive(part, isNegated)),
      );
    default:
      return isNegated ? { op: "not", of: predicate } : predicate;
  }
}

function joined(op: "and" | "or", parts: readonly Predicate[]): Predicate {
  const [neutral, deciding] = op === "and" ? (["true", "false"] as const) : (["false", "true"] as const);
  if (parts.some((part) => part.op === deciding)) return { op: deciding };
  const flat = parts
    .filter((part) => part.op !== neutral)
    .flatMap((part) => (part.op === op ? part.of : [part]));
  const [only] = flat;
  if (only === undefined) return { op: neutral };
  return flat.length === 1 ? only : { op, of: flat };
}
