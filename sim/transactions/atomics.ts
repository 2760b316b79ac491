/**
 * Atomic operations a second time, as numbers and texts instead of bytes, so that the model does not share a mistake with
 * what it judges. Values are byte strings (`workload/bytes.ts`). Source: FoundationDB's documentation of mutation types.
 */
import { assert } from "../../src/platform/assert.js";
import type { AtomicOperation } from "../../src/transaction/atomic.js";

/** Longest value that appending may make. */
const APPENDED_MAX = 100_000;

/** The value afterwards; undefined is absence. */
export function modelAtomic(
  operation: AtomicOperation,
  stored: string | undefined,
  operand: string,
): string | undefined {
  const width = operand.length;
  const before = numberOf((stored ?? "").slice(0, width));
  const given = numberOf(operand);
  switch (operation) {
    case "add":
      return textOf(before + given, width);
    case "bitAnd":
      return stored === undefined ? operand : textOf(before & given, width);
    case "bitOr":
      return textOf(before | given, width);
    case "bitXor":
      return textOf(before ^ given, width);
    case "max":
      return textOf(before > given ? before : given, width);
    case "min":
      return stored === undefined ? operand : textOf(before < given ? before : given, width);
    case "byteMin":
      return stored === undefined || operand < stored ? operand : stored;
    case "byteMax":
      return stored === undefined || operand > stored ? operand : stored;
    case "appendIfFits": {
      const whole = (stored ?? "") + operand;
      return whole.length > APPENDED_MAX ? (stored ?? "") : whole;
    }
    case "compareAndClear":
      return stored === operand ? undefined : stored;
    default: {
      const unknown: never = operation;
      assert(false, `the model knows every atomic operation, but not ${String(unknown)}`);
    }
  }
}

/** Little-endian. */
export function numberOf(text: string): bigint {
  let number = 0n;
  for (let index = text.length - 1; index >= 0; index--) {
    number = number * 256n + BigInt(text.charCodeAt(index));
  }
  return number;
}

/** Little-endian, `width` bytes, without what does not fit. */
export function textOf(number: bigint, width: number): string {
  let text = "";
  for (let index = 0; index < width; index++) {
    text += String.fromCharCode(Number((number >> BigInt(8 * index)) & 255n));
  }
  return text;
}
