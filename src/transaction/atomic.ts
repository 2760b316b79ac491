/**
 * What FoundationDB's atomic operations do to a value: pure functions of the stored value and the operand, exact in the
 * cases where value and operand differ in length or the value is absent (features FR-8, FR-9; semantics of API version
 * 510 and later). Does not own when they are applied: in the transaction's own view, and again at commit.
 */
import { StillwaterError } from "../platform/errors.js";
import { VALUE_BYTES_MAX } from "./limits.js";

/** With FoundationDB's numbers of the mutation types, which the trace and the wire use. */
export const ATOMIC_OPERATIONS = {
  add: 2,
  bitAnd: 6,
  bitOr: 7,
  bitXor: 8,
  appendIfFits: 9,
  max: 12,
  min: 13,
  byteMin: 16,
  byteMax: 17,
  compareAndClear: 20,
} as const;

/** The changes that can be made to a value without reading it: FoundationDB's. */
export type AtomicOperation = keyof typeof ATOMIC_OPERATIONS;

/** The value afterwards; `undefined` is absent. May return one of its arguments, and changes neither. */
export function applyAtomic(
  operation: AtomicOperation,
  stored: Uint8Array | undefined,
  operand: Uint8Array,
): Uint8Array | undefined {
  switch (operation) {
    case "add":
      return add(stored ?? EMPTY, operand);
    case "bitAnd":
      return stored === undefined ? operand : bitwise(stored, operand, (a, b) => a & b);
    case "bitOr":
      return bitwise(stored ?? EMPTY, operand, (a, b) => a | b);
    case "bitXor":
      return bitwise(stored ?? EMPTY, operand, (a, b) => a ^ b);
    case "appendIfFits":
      return append(stored ?? EMPTY, operand);
    case "max":
      return compareNumbers(stored ?? EMPTY, operand) > 0 ? fitted(stored ?? EMPTY, operand.length) : operand;
    case "min":
      if (stored === undefined) return operand;
      return compareNumbers(stored, operand) < 0 ? fitted(stored, operand.length) : operand;
    case "byteMin":
      return stored !== undefined && Buffer.compare(stored, operand) < 0 ? stored : operand;
    case "byteMax":
      return stored !== undefined && Buffer.compare(stored, operand) > 0 ? stored : operand;
    case "compareAndClear":
      return stored !== undefined && Buffer.compare(stored, operand) === 0 ? undefined : stored;
    default: {
      const unknown: never = operation;
      throw new StillwaterError("INVALID_ARGUMENT", `there is no atomic operation "${String(unknown)}"`);
    }
  }
}

const EMPTY = new Uint8Array(0);

/** Little-endian, as wide as the operand, without the last carry. */
function add(stored: Uint8Array, operand: Uint8Array): Uint8Array {
  const sum = new Uint8Array(operand.length);
  let carry = 0;
  for (let i = 0; i < operand.length; i++) {
    carry += (stored[i] ?? 0) + (operand[i] as number);
    sum[i] = carry;
    carry >>>= 8;
  }
  return sum;
}

/** As wide as the operand; what the stored value lacks counts as zeros. */
function bitwise(
  stored: Uint8Array,
  operand: Uint8Array,
  combine: (a: number, b: number) => number,
): Uint8Array {
  return operand.map((byte, i) => combine(stored[i] ?? 0, byte));
}

/** Unchanged when the whole would be longer than a value may be. */
function append(stored: Uint8Array, operand: Uint8Array): Uint8Array {
  if (stored.length + operand.length > VALUE_BYTES_MAX) return stored;
  const whole = new Uint8Array(stored.length + operand.length);
  whole.set(stored);
  whole.set(operand, stored.length);
  return whole;
}

/** The stored value as a little-endian number of the operand's width against the operand. */
function compareNumbers(stored: Uint8Array, operand: Uint8Array): number {
  for (let i = operand.length - 1; i >= 0; i--) {
    const difference = (stored[i] ?? 0) - (operand[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

function fitted(value: Uint8Array, length: number): Uint8Array {
  if (value.length === length) return value;
  const result = new Uint8Array(length);
  result.set(value.subarray(0, length));
  return result;
}
