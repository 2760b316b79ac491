/**
 * What an item may consist of, the same for every codec of ours: null, booleans, numbers, bigints, text, bytes, dates, UUIDs,
 * arrays and plain objects. A member that is `undefined` is left out, as JSON does; anywhere else it is refused, like functions,
 * symbols, class instances, cycles: nothing is changed silently. Does not own: which shape an item should have (the schema).
 */
import { Uuid } from "../../keyspace/tuple-elements.js";
import { StillwaterError } from "../../platform/errors.js";

/** Levels of arrays and objects: deeper than any sensible item, and far from the end of the stack. */
export const DEPTH_MAX = 500;

/** UTF-8 has no form for it, so it would come back as another character. */
export const HALF_A_PAIR = /\p{Surrogate}/u;

/** The error for what cannot be stored, or null. Linear in the size of the item. */
export function refusalOf(item: unknown): StillwaterError | null {
  const refusal = refused(item, 0);
  if (refusal === null) return null;
  const steps = refusal.steps.reverse();
  const cycle = refusal.isDepth ? cycleOf(item, steps) : null;
  if (cycle !== null)
    return invalidItem("an object that contains itself", "Store a reference instead.", cycle);
  return invalidItem(refusal.what, refusal.advice, steps);
}

type Step = string | number;

interface Refusal {
  readonly what: string;
  readonly advice: string;
  readonly isDepth: boolean;
  /** The way to it, from the inside out: nothing is written down while all is well. */
  readonly steps: Step[];
}

function refused(value: unknown, depth: number): Refusal | null {
  switch (typeof value) {
    case "string":
      return HALF_A_PAIR.test(value)
        ? refuse("a string with half a surrogate pair", "Repair it first.")
        : null;
    case "boolean":
    case "number":
    case "bigint":
      return null;
    case "object":
      return value === null ? null : refusedObject(value, depth);
    default:
      return refuse(`a value of type ${typeof value}`, "Leave it out, or turn it into data.");
  }
}

function refusedObject(value: object, depth: number): Refusal | null {
  if (value instanceof Uint8Array || value instanceof Uuid) return null;
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? refuse("a date that is none", "Give it a valid time.") : null;
  if (depth === DEPTH_MAX) return refuse(`more than ${DEPTH_MAX} levels`, "Flatten it.", true);
  return Array.isArray(value) ? refusedElement(value, depth) : refusedMember(value, depth);
}

function refusedElement(values: readonly unknown[], depth: number): Refusal | null {
  for (let i = 0; i < values.length; i++) {
    const refusal = refused(values[i], depth + 1);
    if (refusal === null) continue;
    refusal.steps.push(i);
    return refusal;
  }
  return null;
}

function refusedMember(value: object, depth: number): Refusal | null {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const name = (value.constructor as { readonly name?: string } | undefined)?.name ?? "unknown";
    return refuse(`an instance of ${name}`, "Turn it into a plain object.");
  }
  if (Object.getOwnPropertySymbols(value).length > 0)
    return refuse("a member named by a symbol", "Name it by a string.");
  for (const name of Object.keys(value)) {
    const member = (value as Readonly<Record<string, unknown>>)[name];
    if (member === undefined) continue;
    const refusal = HALF_A_PAIR.test(name)
      ? refuse("a name with half a surrogate pair", "Repair it first.")
      : refused(member, depth + 1);
    if (refusal === null) continue;
    refusal.steps.push(name);
    return refusal;
  }
  return null;
}

function refuse(what: string, advice: string, isDepth = false): Refusal {
  return { what, advice, isDepth, steps: [] };
}

/** The beginning of a way at whose end an object stands that the way has come by before, or null. */
function cycleOf(item: unknown, steps: readonly Step[]): readonly Step[] | null {
  const passed = new Set<unknown>([item]);
  let value = item;
  for (const [index, step] of steps.entries()) {
    value = (value as Readonly<Record<Step, unknown>>)[step];
    if (passed.has(value)) return steps.slice(0, index + 1);
    passed.add(value);
  }
  return null;
}

function invalidItem(what: string, advice: string, steps: readonly Step[]): StillwaterError {
  const place = wayTo(steps);
  return new StillwaterError(
    "INVALID_ITEM",
    `the item holds ${what} at ${place === "" ? "its root" : place}. ${advice}`,
  );
}

/** Steps of a way that a message shows from each of its ends. */
const SHOWN_STEPS = 10;

/** Of a long way its beginning and its end. */
function wayTo(steps: readonly Step[]): string {
  const text = (some: readonly Step[]): string =>
    some.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
  const left = steps.length - 2 * SHOWN_STEPS;
  if (left <= 0) return text(steps);
  return `${text(steps.slice(0, SHOWN_STEPS))} … (${left} more) … ${text(steps.slice(-SHOWN_STEPS))}`;
}
