/**
 * What a client of records does, as plain data: numbers that `records/declarations.ts` makes documents and keys of. The steps of one
 * operation are one transaction. Any number is as good as another, so that a shrinker may change all of them.
 */

export type RecordStep =
  /** Inserts or replaces an item. */
  | readonly [
      "put",
      id: number,
      name: number,
      group: number,
      amount: number,
      tags: number,
      place: number,
      textBytes: number,
    ]
  | readonly ["remove", id: number]
  /** Reads an item and puts it back as it is. */
  | readonly ["again", id: number]
  /** Two items exchange their unique names. */
  | readonly ["swap", a: number, b: number]
  | readonly ["note", id: number, item: number, line: number]
  | readonly ["removeNote", id: number]
  | readonly ["get", id: number]
  /** `limit` 0 is the default. */
  | readonly ["list", collection: (typeof COLLECTIONS)[number], limit: number, reverse: boolean]
  /** By the values of an index from the left: so many of them, those that this item would have. */
  | readonly ["find", index: string, values: number, like: number, limit: number, reverse: boolean]
  /**
   * Items that meet both conditions, or `either`; conditions and orders by their numbers in `records/queries.ts`. `limit` 0 is none;
   * `size` 0 is all at once, otherwise pages of it.
   */
  | readonly [
      "query",
      first: number,
      second: number,
      either: boolean,
      order: number,
      limit: number,
      size: number,
    ]
  /** No transaction, but a call about one index of items, or two; builds in batches of so many items, 0: as it comes. */
  | readonly ["manage", how: (typeof MANAGING)[number], index: number, other: number, items: number]
  /** No transaction: the records are opened by a program with this schema, which migrates them. */
  | readonly ["migrate", schema: number];

const COLLECTIONS = ["Item", "Note"] as const;
const MANAGING = [
  "build",
  "buildTwo",
  "buildFrom",
  "rebuild",
  "enable",
  "disable",
  "shadow",
  "swap",
  "drop",
  "scrub",
  "damage",
  "anewFrom",
  "damageAndScrub",
] as const;

export type RecordStepKind = RecordStep[0];

/** Steps that one transaction may have. */
export const RECORD_STEPS_MAX = 16;

/** What follows the name of each step, as in `STEP_FIELDS`. */
export const RECORD_STEP_FIELDS: Readonly<
  Record<RecordStepKind, readonly ("text" | "count" | "flag" | readonly string[])[]>
> = {
  put: ["count", "count", "count", "count", "count", "count", "count"],
  remove: ["count"],
  again: ["count"],
  swap: ["count", "count"],
  note: ["count", "count", "count"],
  removeNote: ["count"],
  get: ["count"],
  list: [COLLECTIONS, "count", "flag"],
  find: ["text", "count", "count", "count", "flag"],
  query: ["count", "count", "flag", "count", "count", "count"],
  manage: [MANAGING, "count", "count", "count"],
  migrate: ["count"],
};

/** Options of one transaction of records beside its steps. */
export interface RecordSettings {
  readonly durability?: "sync" | "buffered";
  /** The client gives up instead of committing. */
  readonly abandons?: boolean;
  /** Writes are asked for at once, without waiting for one another. */
  readonly together?: boolean;
}
