/**
 * A document as it is now, apart from the caller's: plain objects, lists, bytes, dates and UUIDs are copied, and what a getter gives is
 * taken once. So that what indexes are told, what is stored and what was validated are one thing, whatever the caller does to the
 * document before the commit, and whatever looking at it twice would give.
 *
 * Has what a codec stores: own enumerable members, without those that are undefined. Anything else (instances of classes, functions)
 * stays what it is, for the codec to take or refuse. Owns no rule of what may be stored (`pipeline/item-refusal.ts`).
 */
import { Uuid } from "../keyspace/tuple-elements.js";
import { DEPTH_MAX } from "./pipeline/item-refusal.js";

/** O(size). Levels below those that can be stored stay what they are: they are refused later. */
export function ownCopy(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null || depth > DEPTH_MAX) return value;
  // Not map, which leaves holes.
  if (Array.isArray(value)) return Array.from(value, (element) => ownCopy(element, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return copyOfMembers(value, depth);
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (value instanceof Uuid) return new Uuid(Uint8Array.from(value.bytes));
  return value instanceof Date ? new Date(value.getTime()) : value;
}

function copyOfMembers(object: object, depth: number): object {
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(object)) {
    const member = ownCopy((object as Readonly<Record<string, unknown>>)[name], depth + 1);
    if (member === undefined) continue;
    if (name !== "__proto__") copy[name] = member;
    // An assignment would change the prototype instead.
    else
      Object.defineProperty(copy, name, {
        value: member,
        writable: true,
        enumerable: true,
        configurable: true,
      });
  }
  // For the codec to refuse.
  for (const symbol of Object.getOwnPropertySymbols(object)) {
    Object.defineProperty(copy, symbol, { value: true });
  }
  return copy;
}
