/**
 * Fields of documents by their paths: `"name"`, `"address.city"`, `"tags[]"` for every element of a list, `"lines[].sku"` for a
 * field of every element. Owns the syntax, its types, and what a path finds in a document. What is not there is null, so that a
 * missing field and one that is null are the same to indexes and queries.
 * Does not own: which values an index takes (`index-value.ts`).
 */
import type { Uuid } from "../keyspace/tuple-elements.js";
import { RecordError, shown } from "./record-error.js";

/** What ends a path: nothing below it has a name of its own. */
type Leaf =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | Uint8Array
  | Date
  | Uuid
  | ((...given: never[]) => unknown);

/** How deep types of paths go; deeper ones are not offered by the compiler. */
type Depth = [never, 0, 1, 2, 3, 4];

/** Every path of a document that leads to a value that an index can take. */
export type FieldPath<Document, Left extends number = 4> = [Left] extends [never]
  ? never
  : Document extends Leaf
    ? never
    : {
        [Name in keyof Document & string]: PathsBelow<Name, NonNullable<Document[Name]>, Left>;
      }[keyof Document & string];

type PathsBelow<Path extends string, Value, Left extends number> = Value extends Leaf
  ? Path
  : Value extends readonly (infer Element)[]
    ? PathsBelow<`${Path}[]`, NonNullable<Element>, Depth[Left]>
    : `${Path}.${FieldPath<Value, Depth[Left]>}`;

/** The type of the values that a path finds; `null` for one that may not be there. */
export type ValueAt<Document, Path extends string> = Document extends unknown
  ? Path extends `${infer Head}.${infer Rest}`
    ? Step<Document, Head> extends infer Value
      ? Value extends null | undefined
        ? null
        : ValueAt<Value, Rest>
      : never
    : Nullish<Step<Document, Path>>
  : never;

type Nullish<Value> = undefined extends Value ? Exclude<Value, undefined> | null : Value;

type Step<Document, Name extends string> = Name extends `${infer Base}[]`
  ? Step<Document, Base> extends infer List
    ? List extends readonly (infer Element)[]
      ? Element
      : null
    : never
  : Name extends keyof Document
    ? Document[Name]
    : null;

export interface ParsedPath {
  readonly text: string;
  readonly steps: readonly PathStep[];
  /** Whether it may find several values, because it goes through the elements of a list. */
  readonly isMulti: boolean;
}

interface PathStep {
  readonly name: string;
  /** How many times the elements of a list follow. */
  readonly lists: number;
}

/** Throws `UNKNOWN_FIELD` for what is no path. */
export function parsePath(text: string): ParsedPath {
  if (typeof text !== "string" || text === "") throw noPath(text);
  const steps = text.split(".").map((part): PathStep => {
    const [, name, lists] = /^([^[\]]+)((?:\[\])*)$/.exec(part) ?? [];
    if (name === undefined || lists === undefined) throw noPath(text);
    return { name, lists: lists.length / 2 };
  });
  return { text, steps, isMulti: steps.some(({ lists }) => lists > 0) };
}

/** The one value of a path without `[]`. */
export function valueAt(document: unknown, path: ParsedPath): unknown {
  let value: unknown = document;
  for (const { name } of path.steps) {
    value = memberOf(value, name);
    if (value === null) return null;
  }
  return value;
}

/** As `valueAt`, but `undefined` for what is not there at all. */
export function presentValueAt(document: unknown, path: ParsedPath): unknown {
  const [last, ...above] = [...path.steps].reverse();
  const parent = valueAt(document, { ...path, steps: above.reverse() });
  if (last === undefined || typeof parent !== "object" || parent === null) return undefined;
  return Object.hasOwn(parent, last.name)
    ? (parent as Readonly<Record<string, unknown>>)[last.name]
    : undefined;
}

/** All values in the order of the lists; for a path without `[]` the one, null if it is not there. */
export function valuesAt(document: unknown, path: ParsedPath): unknown[] {
  if (!path.isMulti) return [valueAt(document, path)];
  let values: unknown[] = [document];
  for (const { name, lists } of path.steps) {
    values = values.map((value) => memberOf(value, name));
    for (let list = 0; list < lists; list++) {
      values = values.flatMap((value): unknown[] => (Array.isArray(value) ? value : []));
    }
  }
  return values.map((value) => value ?? null);
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return null;
  return (value as Readonly<Record<string, unknown>>)[name] ?? null;
}

function noPath(text: unknown): RecordError {
  return new RecordError(
    "UNKNOWN_FIELD",
    `${shown(text)} is no path of a field. Write names separated by dots, with [] after a list: "address.city", "tags[]".`,
  );
}
