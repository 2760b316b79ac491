/**
 * What the conditions of a query leave possible for one field, as a set of values; and whether they imply the condition of a partial
 * index. Every answer errs on the safe side: a set may be too large, an implication may go unproven.
 *
 * Through a list (`tags[]`) a condition asks for one element that meets it, so two conditions may be met by two elements: their sets
 * are not intersected, and `not` says nothing about any one element.
 */
import { parsePath } from "../record/field-path.js";
import { compileValueTest, type FieldPredicate, type Predicate } from "../record/predicate.js";
import {
  between,
  complement,
  EVERYTHING,
  FIELD_VALUES,
  includes,
  intersection,
  isPoint,
  type KeyDomain,
  NOTHING,
  point,
  textsWithPrefix,
  union,
  type ValueSet,
} from "./value-set.js";

interface Constraint {
  /** No value outside meets the condition. */
  readonly set: ValueSet;
  /** Every value inside that can be indexed meets it. */
  readonly isExact: boolean;
  /** What meets it can be indexed. */
  readonly isStrict: boolean;
}

/** For a field that goes through no list, all conditions together. For values that can be indexed. */
export function possibleValues(conjuncts: readonly Predicate[], field: string, domain: KeyDomain): ValueSet {
  return constraintOf(conjuncts, field, domain).set;
}

/** For a field through a list, each condition on its own. */
export function possibleElements(conjuncts: readonly Predicate[], field: string): ValueSet[] {
  return conjuncts.flatMap((conjunct) => {
    const constraint = constraintBy(conjunct, field, FIELD_VALUES, true);
    return constraint === null ? [] : [constraint.set];
  });
}

/** Whether all documents that meet the conditions have one and the same value there, whatever may be indexed. */
export function isConstant(conjuncts: readonly Predicate[], field: string): boolean {
  if (parsePath(field).isMulti) return false;
  const { set, isStrict } = constraintOf(conjuncts, field, FIELD_VALUES);
  return isStrict && set.length === 1 && set.every(isPoint);
}

/** Whether every document that meets the conditions meets `wanted`. `keyField`: compared otherwise by queries than by indexes. */
export function implies(conjuncts: readonly Predicate[], wanted: Predicate, keyField: string): boolean {
  switch (wanted.op) {
    case "true":
      return true;
    case "false":
      return false;
    case "and":
      return wanted.of.every((part) => implies(conjuncts, part, keyField));
    case "or":
      return (
        wanted.of.some((part) => implies(conjuncts, part, keyField)) ||
        fieldImplies(conjuncts, wanted, keyField)
      );
    default:
      return fieldImplies(conjuncts, wanted, keyField);
  }
}

function fieldImplies(conjuncts: readonly Predicate[], wanted: Predicate, keyField: string): boolean {
  const field = onlyFieldOf(wanted);
  if (field === null || field === keyField) return false;
  if (conjuncts.some((conjunct) => isSame(conjunct, wanted))) return true;
  const isMulti = parsePath(field).isMulti;
  const target = constraintBy(wanted, field, FIELD_VALUES, isMulti);
  if (target === null) return false;
  if (isMulti) {
    return (
      target.isExact &&
      conjuncts.some((conjunct) => {
        const given = constraintBy(conjunct, field, FIELD_VALUES, true);
        return given !== null && given.isStrict && includes(target.set, given.set);
      })
    );
  }
  const given = constraintOf(conjuncts, field, FIELD_VALUES);
  if (!given.isStrict) return false;
  if (target.isExact && includes(target.set, given.set)) return true;
  return given.set.every((interval) => isPoint(interval) && valueMeets(interval.low.value, wanted));
}

/** Of a predicate on one field through no list. */
function valueMeets(value: unknown, predicate: Predicate): boolean {
  switch (predicate.op) {
    case "true":
    case "false":
      return predicate.op === "true";
    case "and":
      return predicate.of.every((part) => valueMeets(value, part));
    case "or":
      return predicate.of.some((part) => valueMeets(value, part));
    case "not":
      return !valueMeets(value, predicate.of);
    default:
      return compileValueTest(predicate)(value);
  }
}

function constraintOf(conjuncts: readonly Predicate[], field: string, domain: KeyDomain): Constraint {
  let all: Constraint = { set: EVERYTHING, isExact: true, isStrict: false };
  for (const conjunct of conjuncts) {
    const one = constraintBy(conjunct, field, domain, false);
    if (one !== null) all = both(all, one);
  }
  return all;
}

/** Null: the predicate is not about this field alone, or says nothing that a set can. */
function constraintBy(
  predicate: Predicate,
  field: string,
  domain: KeyDomain,
  isMulti: boolean,
): Constraint | null {
  switch (predicate.op) {
    case "true":
    case "false":
      return null;
    case "and":
    case "or": {
      if (isMulti && predicate.op === "and") return null;
      let all: Constraint | null = null;
      for (const part of predicate.of) {
        const one = constraintBy(part, field, domain, isMulti);
        if (one === null) return null;
        all = all === null ? one : predicate.op === "and" ? both(all, one) : either(all, one);
      }
      return all;
    }
    case "not": {
      const inner = isMulti ? null : constraintBy(predicate.of, field, domain, false);
      return inner?.isExact === true ? { set: complement(inner.set), isExact: true, isStrict: false } : null;
    }
    default:
      return predicate.field === field ? constraintOfField(predicate, domain) : null;
  }
}

function both(a: Constraint, b: Constraint): Constraint {
  return {
    set: intersection(a.set, b.set),
    isExact: a.isExact && b.isExact,
    isStrict: a.isStrict || b.isStrict,
  };
}

function either(a: Constraint, b: Constraint): Constraint {
  return { set: union(a.set, b.set), isExact: a.isExact && b.isExact, isStrict: a.isStrict && b.isStrict };
}

function constraintOfField(predicate: FieldPredicate, domain: KeyDomain): Constraint {
  const exactly = (set: ValueSet): Constraint => ({ set, isExact: true, isStrict: true });
  switch (predicate.op) {
    case "==":
      return exactly(point(domain, predicate.value));
    case "!=":
      return exactly(complement(point(domain, predicate.value)));
    case "<":
      return exactly(between(null, domain.before(predicate.value)));
    case "<=":
      return exactly(between(null, domain.after(predicate.value)));
    case ">":
      return exactly(between(domain.after(predicate.value), null));
    case ">=":
      return exactly(between(domain.before(predicate.value), null));
    case "in":
      return exactly(union(NOTHING, ...predicate.values.map((value) => point(domain, value))));
    case "isNull":
      return exactly(point(domain, null));
    case "isNotNull":
      // Lists and objects are not null, and stand in no index.
      return { set: complement(point(domain, null)), isExact: true, isStrict: false };
    case "hasPrefix":
      // Text with half a surrogate pair may begin so as well.
      return { set: textsWithPrefix(predicate.value), isExact: true, isStrict: false };
    default:
      return { set: textsWithPrefix(""), isExact: false, isStrict: false };
  }
}

/** The one field a predicate is about. */
function onlyFieldOf(predicate: Predicate): string | null {
  if ("field" in predicate) return predicate.field;
  if (predicate.op === "not") return onlyFieldOf(predicate.of);
  if (predicate.op !== "and" && predicate.op !== "or") return null;
  const fields = new Set(predicate.of.map(onlyFieldOf));
  const [only = null] = fields;
  return fields.size === 1 ? only : null;
}

/** The same in the same words. */
function isSame(a: Predicate, b: Predicate): boolean {
  if ("field" in a && "field" in b) {
    if (a.op !== b.op || a.field !== b.field) return false;
    if (!("value" in a && "value" in b) || typeof a.value !== "string" || typeof b.value !== "string")
      return a.op === "isNull" || a.op === "isNotNull";
    return a.value === b.value;
  }
  return a.op === "not" && b.op === "not" && isSame(a.of, b.of);
}
