/**
 * Whether a value is what a description says, and the value as it is stored: a copy with defaults filled in, without members that are
 * undefined. Every offence is an issue with its path. Nothing is converted; an object has no members but its fields.
 * Owns the meaning of descriptions; throws nothing.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import {
  type FieldDescription,
  inWords,
  type Limits,
  type TypeDescription,
  type ValueDescription,
} from "./description.js";
import { shown } from "./record-error.js";

export function validate(description: ValueDescription, value: unknown): StandardSchemaV1.Result<unknown> {
  const check = new Check();
  const copy = check.value(description, value);
  return check.issues.length === 0 ? { value: copy } : { issues: check.issues };
}

/** UTF-8 has no form for it, so no codec could store it. */
const HALF_A_PAIR = /\p{Surrogate}/u;

class Check {
  readonly issues: StandardSchemaV1.Issue[] = [];
  readonly #path: (string | number)[] = [];

  value(description: ValueDescription, value: unknown): unknown {
    if (value === null && description.nullable) return null;
    switch (description.type) {
      case "array":
        return Array.isArray(value) ? this.#list(description, value) : this.#mismatch(description, value);
      case "object":
        return isPlainObject(value) ? this.#object(description, value) : this.#mismatch(description, value);
      case "union":
        return this.#union(description, value);
      default:
        if (!isOfType(description, value)) return this.#mismatch(description, value);
        this.#limits(description, value);
        return value;
    }
  }

  #list(description: TypeDescription & { readonly type: "array" }, list: readonly unknown[]): unknown[] {
    this.#within(description, list.length, "elements");
    // Not map, which passes over holes.
    const copy: unknown[] = [];
    for (let at = 0; at < list.length; at++) {
      this.#path.push(at);
      copy.push(this.value(description.element, list[at]));
      this.#path.pop();
    }
    return copy;
  }

  #object(description: TypeDescription & { readonly type: "object" }, object: Members): Members {
    const copy: Record<string, unknown> = {};
    for (const field of description.fields) {
      const given = Object.hasOwn(object, field.name) ? object[field.name] : undefined;
      const value = given === undefined ? field.default : given;
      this.#path.push(field.name);
      if (value !== undefined) copy[field.name] = this.value(field.value, value);
      else if (!field.optional) this.#issue(`is missing; it must be ${inWords(field.value)}`);
      this.#path.pop();
    }
    for (const name of Object.keys(object)) {
      if (description.fields.some((field) => field.name === name)) continue;
      this.#path.push(name);
      this.#issue(`is not a field; known are ${namesOf(description.fields)}`);
      this.#path.pop();
    }
    return copy;
  }

  #union(description: ValueDescription & { readonly type: "union" }, value: unknown): unknown {
    for (const option of description.options) {
      const alone = new Check();
      const copy = alone.value(option, value);
      if (alone.issues.length === 0) return copy;
    }
    // What is wrong with the one option that it may have been meant as says more than that it is none of them.
    const meant = description.options.filter((option) => mayBeMeant(option, value));
    return meant.length === 1
      ? this.value(meant[0] as ValueDescription, value)
      : this.#mismatch(description, value);
  }

  #limits(description: TypeDescription, value: unknown): void {
    switch (description.type) {
      case "string":
        if (HALF_A_PAIR.test(value as string))
          this.#issue("has half a surrogate pair, which cannot be stored");
        this.#within(description, (value as string).length, "characters");
        break;
      case "bytes":
        this.#within(description, (value as Uint8Array).length, "bytes");
        break;
      case "number":
      case "integer":
      case "bigint":
      case "date":
        this.#within(description as Limits<number>, value as number, "");
        break;
    }
  }

  #within<Value extends number | bigint | Date>(
    { min, max }: Limits<Value>,
    value: Value,
    unit: string,
  ): void {
    const text = unit === "" ? shown(value) : `has ${String(value)} ${unit}`;
    if (min !== undefined && value < min)
      this.#issue(unit === "" ? `${text} is below ${shown(min)}` : `${text}, less than ${shown(min)}`);
    if (max !== undefined && value > max)
      this.#issue(unit === "" ? `${text} is above ${shown(max)}` : `${text}, more than ${shown(max)}`);
  }

  #mismatch(description: ValueDescription, value: unknown): undefined {
    this.#issue(`must be ${inWords(description)}, not ${value === undefined ? "nothing" : shown(value)}`);
  }

  #issue(message: string): void {
    this.issues.push({ message, path: [...this.#path] });
  }
}

type Members = Readonly<Record<string, unknown>>;

function isPlainObject(value: unknown): value is Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isOfType(description: TypeDescription, value: unknown): boolean {
  switch (description.type) {
    case "string":
    case "boolean":
    case "bigint":
      // Their names are those of the operator.
      return typeof value === description.type;
    case "number":
      return Number.isFinite(value);
    case "integer":
      return Number.isSafeInteger(value);
    case "bytes":
      return value instanceof Uint8Array;
    case "date":
      return value instanceof Date && !Number.isNaN(value.getTime());
    case "literal":
      return value === description.value;
    case "enumeration":
      return typeof value === "string" && description.values.includes(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isPlainObject(value);
    case "union":
      return description.options.some((option) => isOfType(option, value));
  }
}

/** Of the right type; of an object also with every literal that the option has. */
function mayBeMeant(option: ValueDescription, value: unknown): boolean {
  if (!isOfType(option, value)) return false;
  if (option.type !== "object") return true;
  return option.fields.every(
    ({ name, value: field }) => field.type !== "literal" || (value as Members)[name] === field.value,
  );
}

function namesOf(fields: readonly FieldDescription[]): string {
  return fields.map(({ name }) => name).join(", ") || "none";
}
