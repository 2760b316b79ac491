/**
 * The records of the simulation: two small collections with an index of every kind and of every option, and documents made from
 * few numbers, so that a step of a workload is plain data. Values are awkward and few: texts that begin one another, zeros in them,
 * what is missing beside what is null. Does not own: which rows documents have (`expected-rows.ts`).
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { schema } from "../../src/collection/schema.js";
import { count } from "../../src/index/kinds/count.js";
import { min } from "../../src/index/kinds/extreme.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { sum } from "../../src/index/kinds/sum.js";
import { versions } from "../../src/index/kinds/versions.js";
import { collection } from "../../src/record/declaration.js";

export interface Item {
  readonly id: string;
  readonly name: string;
  readonly group?: string;
  readonly amount: number;
  readonly tags: readonly string[];
  readonly at?: { readonly place: string | null };
  readonly text?: string;
  /** How often a migration has changed it. */
  readonly raised?: number;
}

export interface Note {
  readonly id: number;
  readonly item: string;
  readonly line: number;
}

export const ITEM = collection("Item", {
  schema: anything<Item>(),
  primaryKey: "id",
  indexes: [
    scalar("name", { unique: true }),
    scalar(["group", "amount"], { name: "byGroup", covering: ["name"] }),
    scalar("tags[]"),
    scalar("at.place", { name: "byPlace", sparse: true }),
    scalar("amount", { name: "small", where: { op: "<", field: "amount", value: 10 } }),
    count({ by: ["group"], name: "countByGroup" }),
    count({ by: ["tags[]"], name: "countByTag" }),
    sum("amount", { by: ["group"], scale: 1, name: "sumByGroup" }),
    min("amount", { by: ["group"], name: "least" }),
    versions({ keepLast: 2, name: "history" }),
  ],
});

export const NOTE = collection("Note", {
  schema: anything<Note>(),
  primaryKey: "id",
  indexes: [scalar(["item", "line"], { unique: true })],
});

export const RECORD_SCHEMA = schema({ version: "1.0.0", collections: [ITEM, NOTE] });

export type RecordCollections = typeof RECORD_SCHEMA extends { readonly collections: infer All }
  ? All
  : never;

/** What is stored is what was given: the oracles know what that must be. */
export function anything<T>(): StandardSchemaV1<unknown, T> {
  return {
    "~standard": { version: 1, vendor: "stillwater", validate: (value) => ({ value: value as T }) },
  };
}

/** One is the beginning of another, in all the ways that there are. */
const ITEM_IDS = ["a", "a\0", "ab", "a\u0001", "a\0b", "b", "", "\u00e9", "\u{1f600}", "\uffee"] as const;
const NOTE_IDS = [0, 1, -1, 255, 256, -256, 4_294_967_296, 2] as const;
const NAMES = ["n", "n\0", "", "na", "n\0\u00ff", "\u00ff", "nb", "nc", "nd", "ne"] as const;
const GROUPS = [undefined, "g", "g\0", "h"] as const;
/** Sums of these are exact. */
const AMOUNTS = [1, 0, -1, 0.5, 9, 10, 11, -1000, 1_099_511_627_776] as const;
const TAGS = ["x", "x\0", "y"] as const;
const PLACES = [undefined, null, "here", "her"] as const;

/** How many answers there are to each number of a document. */
export const SIZES = {
  itemIds: ITEM_IDS.length,
  noteIds: NOTE_IDS.length,
  names: NAMES.length,
  groups: GROUPS.length,
  amounts: AMOUNTS.length,
  tags: 2 ** (TAGS.length + 1),
  places: PLACES.length,
} as const;

export function itemId(number: number): string {
  return one(ITEM_IDS, number);
}

/** Null for what is no primary key of an item here. */
export function numberOfItem(id: unknown): number | null {
  const at = ITEM_IDS.findIndex((known) => known === id);
  return at < 0 ? null : at;
}

export function noteId(number: number): number {
  return one(NOTE_IDS, number);
}

export function nameOf(number: number): string {
  return one(NAMES, number);
}

export interface ItemNumbers {
  readonly id: number;
  readonly name: number;
  readonly group: number;
  readonly amount: number;
  /** A bit for each tag; the highest one says that they stand twice, in reverse. */
  readonly tags: number;
  readonly place: number;
  /** Length of a text that is in no index; 0 for none. */
  readonly textBytes: number;
}

export function itemOf(numbers: ItemNumbers): Item {
  const group = one(GROUPS, numbers.group);
  const place = one(PLACES, numbers.place);
  const tags = TAGS.filter((_, bit) => ((numbers.tags >> bit) & 1) === 1);
  const isTwice = ((numbers.tags >> TAGS.length) & 1) === 1;
  return {
    id: itemId(numbers.id),
    name: nameOf(numbers.name),
    amount: one(AMOUNTS, numbers.amount),
    tags: isTwice ? [...tags, ...tags.toReversed()] : tags,
    ...(group === undefined ? {} : { group }),
    ...(place === undefined ? {} : { at: { place } }),
    ...(numbers.textBytes === 0 ? {} : { text: "t".repeat(numbers.textBytes) }),
  };
}

export function noteOf(id: number, item: number, line: number): Note {
  return { id: noteId(id), item: itemId(item), line };
}

/** Any number names one of them, so that a case may be edited freely. */
function one<T>(values: readonly T[], number: number): T {
  return values[number % values.length] as T; // within the list, for numbers from 0 on
}

/** The text of a document: members in the order of their names. */
export function textOfDocument(document: unknown): string {
  if (Array.isArray(document)) return `[${document.map(textOfDocument).join(",")}]`;
  if (typeof document !== "object" || document === null) return JSON.stringify(document) ?? "nothing";
  const members = Object.entries(document)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${textOfDocument(value)}`).join(",")}}`;
}
