import fc from "fast-check";
import { expect, test } from "vitest";
import { isValueOf, keyBytes, keyText, shownKey, valueBytes, writerOf } from "../../../sim/workload/bytes.js";
import { compareKeys } from "../../../src/engine/format/bytes.js";

const byteString = fc.uint8Array({ maxLength: 20 }).map((bytes) => keyText(bytes));

test("byte strings are bytes and back, and ordered as the engine orders", () => {
  fc.assert(
    fc.property(byteString, byteString, (a, b) => {
      expect(keyText(keyBytes(a))).toBe(a);
      expect(Math.sign(compareKeys(keyBytes(a), keyBytes(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
});

test("a value is recognised as its own, and as nothing else when a byte is wrong", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31), fc.integer({ min: 1, max: 500 }), fc.nat(), (writer, length, at) => {
      const value = valueBytes(writer, length);
      expect(isValueOf(value, writer, length)).toBe(true);
      expect(isValueOf(value, writer, length + 1)).toBe(false);
      if (length >= 4) expect(writerOf(value)).toBe(writer);
      const index = at % length;
      value[index] = (value[index] as number) ^ 0x10;
      expect(isValueOf(value, writer, length)).toBe(false);
    }),
  );
});

test("values of different writers differ as soon as they have the room to", () => {
  for (let writer = 0; writer < 2000; writer++) {
    expect(isValueOf(valueBytes(writer, 4), writer + 1, 4)).toBe(false);
  }
});

test("keys are shown so that one can read and tell them apart", () => {
  expect(shownKey("user/1")).toBe('"user/1"');
  expect(shownKey("\u0000\u00ff\\")).toBe('"\\x00\\xff\\x5c"');
  expect(shownKey("x".repeat(50))).toContain("(50 bytes)");
});
