/**
 * Tuples a second time, on byte strings, so that the oracles of records do not share a mistake with the encoding that they
 * judge. Source: FoundationDB's design/tuple.md. Owns only what keys of records hold; anything else is refused.
 */
import { assert } from "../../src/platform/assert.js";

/** An integer is a `number`; a double is marked, since an index holds nothing else for numbers. */
export type RawElement = null | boolean | number | string | RawDouble | RawBytes | readonly RawElement[];

export interface RawDouble {
  readonly double: number;
}

/** A byte string. */
export interface RawBytes {
  readonly bytes: string;
}

export function packed(elements: readonly RawElement[]): string {
  return elements.map((element) => packedOne(element, false)).join("");
}

function packedOne(element: RawElement, isNested: boolean): string {
  if (element === null) return isNested ? "\0\xff" : "\0";
  if (typeof element === "boolean") return element ? "\x27" : "\x26";
  if (typeof element === "number") return packedInteger(element);
  if (typeof element === "string") return `\x02${escaped(Buffer.from(element, "utf8").toString("latin1"))}\0`;
  if ("bytes" in element) return `\x01${escaped(element.bytes)}\0`;
  if ("double" in element) return `\x21${packedDouble(element.double)}`;
  return `\x05${element.map((inner) => packedOne(inner, true)).join("")}\0`;
}

function escaped(bytes: string): string {
  return bytes.replaceAll("\0", "\0\xff");
}

function packedInteger(value: number): string {
  assert(Number.isSafeInteger(value), "an integer of a key is a safe one");
  const size = BigInt(Math.abs(value));
  const length = size === 0n ? 0 : Math.ceil(size.toString(16).length / 2);
  const number = value < 0 ? BigInt(value) + (1n << BigInt(8 * length)) - 1n : BigInt(value);
  const hex = length === 0 ? "" : number.toString(16).padStart(2 * length, "0");
  return String.fromCharCode(0x14 + Math.sign(value) * length) + Buffer.from(hex, "hex").toString("latin1");
}

function packedDouble(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  if ((bytes[0] as number) < 0x80) bytes[0] = (bytes[0] as number) | 0x80;
  else for (let at = 0; at < 8; at++) bytes[at] = 0xff - (bytes[at] as number); // it has eight
  return bytes.toString("latin1");
}

/** The first `count` elements of a key, and what follows them. Null for what does not hold so many that are known. */
export function unpackedStart(
  key: string,
  count: number,
): { readonly elements: readonly RawElement[]; readonly rest: string } | null {
  const elements: RawElement[] = [];
  let at = 0;
  while (elements.length < count) {
    const one = elementAt(key, at);
    if (one === null) return null;
    elements.push(one.element);
    at = one.end;
  }
  return { elements, rest: key.slice(at) };
}

/** Null: the key is not made of elements alone. */
export function unpacked(key: string): readonly RawElement[] | null {
  const elements: RawElement[] = [];
  for (let at = 0; at < key.length; ) {
    const one = elementAt(key, at);
    if (one === null) return null;
    elements.push(one.element);
    at = one.end;
  }
  return elements;
}

interface Read {
  readonly element: RawElement;
  readonly end: number;
}

function elementAt(key: string, at: number): Read | null {
  if (at >= key.length) return null;
  const code = key.charCodeAt(at);
  if (code === 0x00) return { element: null, end: at + 1 };
  if (code === 0x01 || code === 0x02) return textAt(key, at + 1, code === 0x02);
  if (code === 0x26 || code === 0x27) return { element: code === 0x27, end: at + 1 };
  if (code === 0x21) return { element: { double: doubleAt(key, at + 1) }, end: at + 9 };
  if (code === 0x05) return listAt(key, at + 1);
  const length = Math.abs(code - 0x14);
  if (length > 7) return null;
  const hex = Buffer.from(key.slice(at + 1, at + 1 + length), "latin1").toString("hex");
  const number = hex === "" ? 0n : BigInt(`0x${hex}`);
  const value = code < 0x14 ? number - (1n << BigInt(8 * length)) + 1n : number;
  return { element: Number(value), end: at + 1 + length };
}

function textAt(key: string, from: number, isText: boolean): Read | null {
  let bytes = "";
  for (let at = from; at < key.length; at++) {
    if (key[at] !== "\0") bytes += key[at];
    else if (key[at + 1] === "\xff") {
      bytes += "\0";
      at++;
    } else {
      const element = isText ? Buffer.from(bytes, "latin1").toString("utf8") : { bytes };
      return { element, end: at + 1 };
    }
  }
  return null;
}

function doubleAt(key: string, at: number): number {
  const bytes = Buffer.from(key.slice(at, at + 8).padEnd(8, "\0"), "latin1");
  if ((bytes[0] as number) >= 0x80) bytes[0] = (bytes[0] as number) & 0x7f;
  else for (let index = 0; index < 8; index++) bytes[index] = 0xff - (bytes[index] as number); // it has eight
  return bytes.readDoubleBE();
}

function listAt(key: string, from: number): Read | null {
  const elements: RawElement[] = [];
  for (let at = from; at < key.length; ) {
    if (key[at] === "\0" && key[at + 1] !== "\xff") return { element: elements, end: at + 1 };
    const isNull = key[at] === "\0";
    const one = elementAt(key, at);
    if (one === null) return null;
    elements.push(one.element);
    at = isNull ? at + 2 : one.end;
  }
  return null;
}
