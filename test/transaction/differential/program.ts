/**
 * Random programs of interleaved transactions, for fast-check: a list of steps that shrinks to the few that matter. Keys
 * are few, so that transactions meet. Keys that begin with "s" hold versionstamps, which differ between databases: nothing
 * but setting and clearing is done to them, so that a stamp stays recognisable.
 */
import * as fc from "fast-check";
import { ATOMIC_OPERATIONS, type AtomicOperation } from "../../../src/transaction/atomic.js";

export interface Selector {
  readonly key: string;
  readonly orEqual: boolean;
  readonly offset: number;
}

export type Bound = string | Selector;

export type Operation =
  | { readonly kind: "get"; readonly key: string; readonly snapshot: boolean }
  | { readonly kind: "getKey"; readonly selector: Selector; readonly snapshot: boolean }
  | {
      readonly kind: "range" | "iterate";
      readonly begin: Bound;
      readonly end: Bound;
      readonly limit: number | null;
      readonly reverse: boolean;
      readonly snapshot: boolean;
    }
  /** The next row of the iteration under way. */
  | { readonly kind: "next" | "leave" }
  | { readonly kind: "set"; readonly key: string; readonly value: string }
  | { readonly kind: "clear" | "watch"; readonly key: string }
  | {
      readonly kind: "clearRange" | "addReadRange" | "addWriteRange";
      readonly begin: string;
      readonly end: string;
    }
  | {
      readonly kind: "atomic";
      readonly operation: AtomicOperation;
      readonly key: string;
      readonly operand: string;
    }
  | { readonly kind: "stampKey"; readonly prefix: string; readonly value: string }
  | { readonly kind: "stampValue"; readonly key: string; readonly value: string }
  | { readonly kind: "skipConflict" | "readVersion" | "reset" | "cancel" | "onError" | "commit" }
  | { readonly kind: "readYourWrites" | "snapshotReadYourWrites"; readonly on: boolean }
  /** The commits of several transactions at the same time, in this order. */
  | { readonly kind: "commitAll" };

export interface Step {
  /** Which of the transactions. */
  readonly of: number;
  readonly operation: Operation;
  /** Whether the program goes on before a read has its answer. */
  readonly late: boolean;
}

const KEYS = ["", "a", "a\0", "b", "bb", "c", "d", "e"] as const;
const STAMP_KEYS = ["s", "s1"] as const;
const VALUES = ["", "1", "22", "\xff\0\x01", "12345678"] as const;

const key = fc.constantFrom(...KEYS);
const anyKey = fc.constantFrom<string>(...KEYS, ...STAMP_KEYS);
const end = fc.constantFrom<string>(...KEYS, "s", "t", "\xff");
const value = fc.constantFrom<string>(...VALUES);
const snapshot = fc.boolean();
const selector = fc.record({ key: end, orEqual: fc.boolean(), offset: fc.integer({ min: -3, max: 4 }) });
const bound = fc.oneof({ weight: 3, arbitrary: end }, { weight: 1, arbitrary: selector });
const limit = fc.option(fc.integer({ min: 0, max: 4 }));
const of = <Kind extends Operation["kind"]>(...kinds: Kind[]): fc.Arbitrary<Kind> =>
  fc.constantFrom(...kinds);

const range = <Kind extends "range" | "iterate">(kind: Kind) =>
  fc.record({ kind: of(kind), begin: bound, end: bound, limit, reverse: fc.boolean(), snapshot });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: of("get"), key: anyKey, snapshot }) },
  { weight: 4, arbitrary: fc.record({ kind: of("getKey"), selector, snapshot }) },
  { weight: 6, arbitrary: range("range") },
  { weight: 2, arbitrary: range("iterate") },
  { weight: 4, arbitrary: fc.record({ kind: of("next") }) },
  { weight: 1, arbitrary: fc.record({ kind: of("leave") }) },
  { weight: 8, arbitrary: fc.record({ kind: of("set"), key: anyKey, value }) },
  { weight: 3, arbitrary: fc.record({ kind: of("clear"), key: anyKey }) },
  { weight: 2, arbitrary: fc.record({ kind: of("watch"), key }) },
  { weight: 3, arbitrary: fc.record({ kind: of("clearRange"), begin: end, end }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: of("addReadRange", "addWriteRange"), begin: end, end }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: of("atomic"),
      operation: fc.constantFrom(...(Object.keys(ATOMIC_OPERATIONS) as AtomicOperation[])),
      key,
      operand: value,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: of("stampKey"), prefix: fc.constantFrom("s", "sk"), value }),
  },
  { weight: 1, arbitrary: fc.record({ kind: of("stampValue"), key: fc.constantFrom(...STAMP_KEYS), value }) },
  { weight: 1, arbitrary: fc.record({ kind: of("skipConflict") }) },
  { weight: 2, arbitrary: fc.record({ kind: of("readVersion") }) },
  { weight: 6, arbitrary: fc.record({ kind: of("commit") }) },
  { weight: 1, arbitrary: fc.record({ kind: of("commitAll") }) },
  { weight: 2, arbitrary: fc.record({ kind: of("onError", "reset") }) },
  { weight: 1, arbitrary: fc.record({ kind: of("cancel") }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: of("readYourWrites", "snapshotReadYourWrites"), on: fc.boolean() }),
  },
);

export const TRANSACTIONS = 4;

export const programs: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({ of: fc.nat({ max: TRANSACTIONS - 1 }), operation, late: fc.boolean() }),
  { maxLength: 60, size: "max" },
);
