/**
 * Items as canonical JSON: members in the order of their names, no white space, so that equal items are equal bytes. What
 * JSON has no word for goes in an object with one member whose name begins with `$`; an own member that begins so gets
 * one `$` more.
 *
 *     1n            {"$bigint":"1"}          bytes       {"$bytes":"aGk="}
 *     NaN, ±∞, −0   {"$number":"NaN"}        new Date(0) {"$date":0}
 *     {"$a":1}      {"$$a":1}             Uuid        {"$uuid":"00112233-4455-6677-8899-aabbccddeeff"}
 *
 * Built for many small items: writing takes one pass and remembers no way to where it is. What finds something that it must
 * refuse gives up, and `item-refusal.ts` finds the place. Does not own: what may be stored (there).
 */
import { isUtf8 } from "node:buffer";
import { Uuid } from "../../keyspace/tuple-elements.js";
import { fail } from "../../platform/assert.js";
import type { StillwaterError } from "../../platform/errors.js";
import type { Codec } from "./codec.js";
import { corruptItem } from "./item-errors.js";
import { DEPTH_MAX, HALF_A_PAIR, refusalOf } from "./item-refusal.js";

export const JSON_CODEC: Codec = {
  id: 1,
  name: "json",
  encode: (item) => Buffer.from(textOf(item), "utf8"),
  // As many characters of one byte each make room, for what it costs to copy them once.
  encodeBehind: (item, room) => Buffer.from("\0".repeat(room) + textOf(item), "utf8"),
  decode: (bytes) => {
    if (!isUtf8(bytes)) throw corruptItem("an item is no JSON that this codec has written: it is no UTF-8.");
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw corruptItem("an item is no JSON that this codec has written.", cause);
    }
    return mayHaveTags(text) ? revived(value, 0) : value;
  },
};

function textOf(item: unknown): string {
  try {
    return write(item, 0);
  } catch (error) {
    if (error !== REFUSED) throw error;
    throw refusalOf(item) ?? fail("an item was refused, but nothing in it is wrong");
  }
}

/** Thrown where something cannot be stored; not an error, for its stack would cost more than finding the place again. */
const REFUSED = Symbol("refused");

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "boolean":
      return value ? "true" : "false";
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? String(value)
        : `{"$number":"${Object.is(value, -0) ? "-0" : String(value)}"}`;
    case "bigint":
      return `{"$bigint":"${value}"}`;
    case "object":
      return value === null ? "null" : writeObject(value, depth);
    default:
      throw REFUSED;
  }
}

function writeObject(value: object, depth: number): string {
  if (Array.isArray(value)) return writeArray(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return writeMembers(value, depth);
  if (value instanceof Uint8Array) return `{"$bytes":"${base64Of(value)}"}`;
  if (value instanceof Uuid) return `{"$uuid":"${value}"}`;
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw REFUSED;
  return `{"$date":${value.getTime()}}`;
}

function base64Of({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

function writeArray(values: readonly unknown[], depth: number): string {
  if (depth === DEPTH_MAX) throw REFUSED;
  let text = "[";
  for (let i = 0; i < values.length; i++) {
    text += i === 0 ? write(values[i], depth + 1) : `,${write(values[i], depth + 1)}`;
  }
  return `${text}]`;
}

function writeMembers(value: object, depth: number): string {
  if (depth === DEPTH_MAX || Object.getOwnPropertySymbols(value).length > 0) throw REFUSED;
  let text = "{";
  for (const name of sorted(Object.keys(value))) {
    const member = (value as Readonly<Record<string, unknown>>)[name];
    if (member === undefined) continue;
    const escaped = quoted(name.startsWith("$") ? `$${name}` : name);
    text += `${text === "{" ? "" : ","}${escaped}:${write(member, depth + 1)}`;
  }
  return `${text}}`;
}

/** Characters that JSON writes in another way, and all that are not ASCII. */
const NOT_PLAIN = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;

function quoted(text: string): string {
  if (!NOT_PLAIN.test(text)) return `"${text}"`;
  if (HALF_A_PAIR.test(text)) throw REFUSED;
  return JSON.stringify(text);
}

/** Up to here, sorting by insertion is faster than `sort`. */
const FEW = 24;

/** In the order of their UTF-16 code units, in place. */
function sorted(names: string[]): string[] {
  if (names.length > FEW) return names.sort();
  for (let i = 1; i < names.length; i++) {
    const name = names[i] as string; // i < length
    let at = i - 1;
    for (; at >= 0 && (names[at] as string) > name; at--) names[at + 1] = names[at] as string; // 0 <= at < length
    names[at + 1] = name;
  }
  return names;
}

/** Without a `$` at the beginning of a name, JSON's own values are all there are. Single characters are found fastest. */
function mayHaveTags(text: string): boolean {
  return (text.includes("$") && text.includes('"$')) || text.includes("\\u0024");
}

/** In place: the tree is `JSON.parse`'s own. */
function revived(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  // A tag is an object too, and may be at the greatest depth.
  if (depth > DEPTH_MAX) throw corruptItem(`an item has more than ${DEPTH_MAX} levels.`);
  if (!Array.isArray(value)) return revivedMembers(value as Record<string, unknown>, depth);
  for (let i = 0; i < value.length; i++) value[i] = revived(value[i], depth + 1);
  return value;
}

const DOLLAR = 0x24;

function revivedMembers(members: Record<string, unknown>, depth: number): unknown {
  const names = Object.keys(members);
  for (const name of names) {
    if (name.charCodeAt(0) === DOLLAR || name === "__proto__") return revivedNames(members, names, depth);
  }
  for (const name of names) {
    const value = members[name];
    if (typeof value === "object" && value !== null) members[name] = revived(value, depth + 1);
  }
  return members;
}

/** Where a name is a tag, has one `$` more than its own, or must not be assigned to. */
function revivedNames(members: Record<string, unknown>, names: readonly string[], depth: number): unknown {
  const [first] = names;
  if (names.length === 1 && first !== undefined && isTag(first)) return tagged(first, members[first]);
  const plain: Record<string, unknown> = {};
  for (const name of names) {
    if (isTag(name)) throw unknownTag(name);
    const own = name.startsWith("$") ? name.slice(1) : name;
    // An assignment to __proto__ would change the prototype instead.
    Object.defineProperty(plain, own, {
      value: revived(members[name], depth + 1),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return plain;
}

function isTag(name: string): boolean {
  return name.startsWith("$") && !name.startsWith("$$");
}

const UUID_TEXT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DATE_MS_MAX = 8.64e15;
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
  if (tag === "$uuid" && typeof value === "string" && UUID_TEXT.test(value)) return Uuid.parse(value);
  if (tag === "$number" && typeof value === "string" && Object.hasOwn(NUMBERS, value)) return NUMBERS[value];
  throw unknownTag(tag);
}

function unknownTag(tag: string): StillwaterError {
  return corruptItem(`an item has a value tagged ${tag} that this codec has not written.`);
}
