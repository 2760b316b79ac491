/** Random tuples of everything that a tuple may hold, and their order as it is defined, without any packing. */
import fc from "fast-check";
import {
  Float32,
  Float64,
  type Tuple,
  type TupleElement,
  Uuid,
  Versionstamp,
} from "../../src/keyspace/tuple-elements.js";

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.integer({ min: -300, max: 300 }),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }).filter((n) => !Number.isSafeInteger(Number(n))),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).filter((n) => !Number.isSafeInteger(Number(n))),
  fc.integer({ min: 1, max: 2040 }).map((bits) => (1n << BigInt(bits)) - 1n),
  fc.integer({ min: 1, max: 2040 }).map((bits) => 1n - (1n << BigInt(bits))),
  fc.double({ noNaN: true }),
  fc.double().map((n) => new Float64(n)),
  fc.float().map((n) => new Float32(n)),
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("\0", "\u00ff", "a", "\ud83d\ude00", "\uffff") }),
  fc.uint8Array({ maxLength: 12 }),
  fc.array(fc.constantFrom(0, 1, 254, 255), { maxLength: 6 }).map((bytes) => Uint8Array.from(bytes)),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => new Uuid(b)),
  fc
    .tuple(fc.uint8Array({ minLength: 10, maxLength: 10 }), fc.integer({ min: 0, max: 65535 }))
    .map(([b, user]) => new Versionstamp(b, user)),
);

const { element } = fc.letrec<{ element: TupleElement }>((tie) => ({
  element: fc.oneof({ depthSize: "small" }, scalar, fc.array(tie("element"), { maxLength: 4 })),
}));

export const tuples: fc.Arbitrary<Tuple> = fc.array(element, { maxLength: 5 });

/** Element by element; of two that begin alike the shorter first. */
export function compareTuples(a: Tuple, b: Tuple): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareElements(a[i] as TupleElement, b[i] as TupleElement);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareElements(a: TupleElement, b: TupleElement): number {
  const [rank, other] = [rankOf(a), rankOf(b)];
  if (rank !== other) return rank - other;
  if (Array.isArray(a)) return compareTuples(a, b as Tuple);
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array);
  if (a instanceof Uuid) return Buffer.compare(a.bytes, (b as Uuid).bytes);
  if (typeof a === "string") return compareTexts(a, b as string);
  if (a instanceof Versionstamp) {
    const { transaction, user } = b as Versionstamp;
    const order = Buffer.compare(a.transaction as Uint8Array, transaction as Uint8Array);
    return order === 0 ? a.user - user : order;
  }
  if (rank === INTEGER) return BigInt(a as number) < BigInt(b as number) ? -1 : Number(a !== b);
  if (rank === FLOAT || rank === DOUBLE) return compareFloats(valueOf(a), valueOf(b));
  return 0;
}

const INTEGER = 4;
const FLOAT = 5;
const DOUBLE = 6;

function rankOf(element: TupleElement): number {
  if (element === null) return 0;
  if (element instanceof Uint8Array) return 1;
  if (typeof element === "string") return 2;
  if (Array.isArray(element)) return 3;
  if (typeof element === "bigint") return INTEGER;
  if (typeof element === "number")
    return Number.isSafeInteger(element) && !Object.is(element, -0) ? INTEGER : DOUBLE;
  if (element instanceof Float32) return FLOAT;
  if (element instanceof Float64) return DOUBLE;
  if (typeof element === "boolean") return element ? 8 : 7;
  return element instanceof Uuid ? 9 : 10;
}

function valueOf(element: TupleElement): number {
  return typeof element === "number" ? element : (element as Float32 | Float64).value;
}

/** −0 before 0, NaN after all. */
function compareFloats(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  if (a !== b) return a - b < 0 ? -1 : 1;
  return Number(Object.is(b, -0)) - Number(Object.is(a, -0));
}

/** By code point, which is the order of UTF-8. */
function compareTexts(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order =
      ((left[i] as string).codePointAt(0) as number) - ((right[i] as string).codePointAt(0) as number);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}
