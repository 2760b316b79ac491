/**
 * Items as canonical JSON: members in the order of their names, no white space, so that equal items are equal bytes. What
 * JSON has no word for goes in an object with one member whose name begins with `$`; an own member that begins so gets
 * one `$` more.
 *
 *     1n            {"$bigint":"1"}          bytes       {"$bytes":"aGk="}
 *     NaN, ±∞, −0   {"$number":"NaN"}        new Date(0) {"$date":0}
 *     {"$a":1}      {"$$a":1}
 *
 * A member that is `undefined` is left out, as JSON does; anywhere else it is refused, like functions, symbols, class
 * instances, cycles: nothing is changed silently. Does not own: which shape an item should have (the schema).
 */
import { hasCode, StillwaterError } from "../../platform/errors.js";
import type { Codec } from "./codec.js";
import { corruptItem } from "./item-errors.js";

export const JSON_CODEC: Codec = {
  id: 1,
  name: "json",
  encode: (item) => Buffer.from(new Writer().write(item), "utf8"),
  decode: (bytes) => {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
    try {
      return revive(JSON.parse(text) as unknown);
    } catch (cause) {
      if (hasCode(cause, "ITEM_CORRUPT")) throw cause;
      throw corruptItem("an item is no JSON that this codec has written.", cause);
    }
  },
};

/** Deeper than any sensible item, and far from the end of the stack. */
const DEPTH_MAX = 500;
const DATE_MS_MAX = 8.64e15;
/** UTF-8 has no form for it, so it would come back as another character. */
const HALF_A_PAIR = /\p{Surrogate}/u;

class Writer {
  /** The way to the value under way, for messages and for cycles. */
  readonly #path: (string | number)[] = [];
  readonly #open = new Set<object>();

  write(value: unknown): string {
    switch (typeof value) {
      case "string":
        if (HALF_A_PAIR.test(value))
          throw this.#refuse("a string with half a surrogate pair", "Repair it first.");
        return JSON.stringify(value);
      case "boolean":
        return value ? "true" : "false";
      case "number":
        return Number.isFinite(value) && !Object.is(value, -0)
          ? String(value)
          : `{"$number":"${Object.is(value, -0) ? "-0" : String(value)}"}`;
      case "bigint":
        return `{"$bigint":"${value}"}`;
      case "object":
        return value === null ? "null" : this.#writeObject(value);
      default:
        throw this.#refuse(`a value of type ${typeof value}`, "Leave it out, or turn it into data.");
    }
  }

  #writeObject(value: object): string {
    if (value instanceof Uint8Array) return `{"$bytes":"${Buffer.from(value).toString("base64")}"}`;
    if (value instanceof Date) return this.#writeDate(value);
    if (this.#open.has(value))
      throw this.#refuse("an object that contains itself", "Store a reference instead.");
    if (this.#path.length === DEPTH_MAX) throw this.#refuse(`more than ${DEPTH_MAX} levels`, "Flatten it.");
    this.#open.add(value);
    const text = Array.isArray(value) ? this.#writeArray(value) : this.#writeMembers(value);
    this.#open.delete(value);
    return text;
  }

  #writeDate(date: Date): string {
    const ms = date.getTime();
    if (Number.isNaN(ms)) throw this.#refuse("a date that is none", "Give it a valid time.");
    return `{"$date":${ms}}`;
  }

  #writeArray(values: readonly unknown[]): string {
    const parts: string[] = [];
    for (let i = 0; i < values.length; i++) {
      this.#path.push(i);
      parts.push(this.write(values[i]));
      this.#path.pop();
    }
    return `[${parts.join(",")}]`;
  }

  #writeMembers(value: object): string {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      const name = (value.constructor as { readonly name?: string } | undefined)?.name ?? "unknown";
      throw this.#refuse(`an instance of ${name}`, "Turn it into a plain object.");
    }
    if (Object.getOwnPropertySymbols(value).length > 0) {
      throw this.#refuse("a member named by a symbol", "Name it by a string.");
    }
    const parts: string[] = [];
    for (const name of Object.keys(value).sort()) {
      const member = (value as Record<string, unknown>)[name];
      if (member === undefined) continue;
      this.#path.push(name);
      if (HALF_A_PAIR.test(name)) throw this.#refuse("a name with half a surrogate pair", "Repair it first.");
      parts.push(`${JSON.stringify(name.startsWith("$") ? `$${name}` : name)}:${this.write(member)}`);
      this.#path.pop();
    }
    return `{${parts.join(",")}}`;
  }

  #refuse(what: string, advice: string): StillwaterError {
    const place = this.#path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
    return new StillwaterError(
      "INVALID_ITEM",
      `the item holds ${what} at ${place === "" ? "its root" : place}. ${advice}`,
    );
  }
}

/** In place: the tree is `JSON.parse`'s own. */
function revive(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = revive(value[i]);
    return value;
  }
  const members = value as Record<string, unknown>;
  const names = Object.keys(members);
  const [first] = names;
  if (names.length === 1 && first !== undefined && first.startsWith("$") && !first.startsWith("$$")) {
    return tagged(first, members[first]);
  }
  if (!names.some((name) => name.startsWith("$") || name === "__proto__")) {
    for (const name of names) members[name] = revive(members[name]);
    return members;
  }
  const plain: Record<string, unknown> = {};
  for (const name of names) {
    if (name.startsWith("$") && !name.startsWith("$$")) throw unknownTag(name);
    const own = name.startsWith("$") ? name.slice(1) : name;
    // An assignment to __proto__ would change the prototype instead.
    Object.defineProperty(plain, own, {
      value: revive(members[name]),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return plain;
}

const NUMBERS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
  "-0": -0,
};

function tagged(tag: string, value: unknown): unknown {
  if (tag === "$bigint" && typeof value === "string" && /^(0|-?[1-9][0-9]*)$/.test(value))
    return BigInt(value);
  if (tag === "$bytes" && typeof value === "string") {
    const bytes = Buffer.from(value, "base64");
    if (bytes.toString("base64") === value) return new Uint8Array(bytes);
  }
  if (tag === "$date" && Number.isInteger(value) && Math.abs(value as number) <= DATE_MS_MAX)
    return new Date(value as number);
  if (tag === "$number" && typeof value === "string" && Object.hasOwn(NUMBERS, value)) return NUMBERS[value];
  throw unknownTag(tag);
}

function unknownTag(tag: string): StillwaterError {
  return corruptItem(`an item has a value tagged ${tag} that this codec has not written.`);
}
