/**
 * Every atomic operation by literal vectors (FR-9): of an absent, shorter, longer and equally long value. Each is checked
 * three times: on a stored value, on one that the transaction has just set or cleared, and as the transaction sees it.
 */
import { expect } from "vitest";
import type { AtomicOperation } from "../../../src/transaction/atomic.js";
import type { Database } from "../../../src/transaction/transaction.js";
import type { ContractCase } from "./backend.js";
import { b } from "./support.js";

/** Hexadecimal; null is absent. */
type Vector = readonly [stored: string | null, operand: string, result: string | null];

const VECTORS: Readonly<Record<AtomicOperation, readonly Vector[]>> = {
  // Little-endian, as wide as the operand; the last carry is lost.
  add: [
    [null, "01", "01"],
    ["", "01", "01"],
    ["ff", "01", "00"],
    ["ff00", "0100", "0001"],
    ["ffffffff", "01000000", "00000000"],
    ["01", "0100", "0200"],
    ["010203", "01", "02"],
    ["05", "", ""],
  ],
  bitAnd: [
    [null, "0f", "0f"],
    [null, "", ""],
    ["f0", "3c", "30"],
    ["", "ff", "00"],
    ["ff", "0f0f", "0f00"],
    ["ffff", "0f", "0f"],
    ["ff", "", ""],
  ],
  bitOr: [
    [null, "0f", "0f"],
    ["f0", "0f", "ff"],
    ["", "3c", "3c"],
    ["f0", "0f0f", "ff0f"],
    ["f0f0", "0f", "ff"],
  ],
  bitXor: [
    [null, "0f", "0f"],
    ["ff", "0f", "f0"],
    ["ff", "0f0f", "f00f"],
    ["ffff", "0f", "f0"],
  ],
  // Little-endian numbers as wide as the operand.
  max: [
    [null, "01", "01"],
    [null, "00", "00"],
    ["02", "01", "02"],
    ["01", "02", "02"],
    ["ff00", "0001", "0001"],
    ["05", "0100", "0500"],
    ["05", "0001", "0001"],
    ["0105", "03", "03"],
    ["0500", "03", "05"],
    ["", "05", "05"],
    ["07", "", ""],
  ],
  min: [
    [null, "05", "05"],
    ["02", "01", "01"],
    ["01", "02", "01"],
    ["0001", "ff00", "ff00"],
    ["05", "0600", "0500"],
    ["0105", "03", "01"],
    ["", "05", "00"],
    ["07", "", ""],
  ],
  // Compared as keys are.
  byteMin: [
    [null, "62", "62"],
    ["61", "62", "61"],
    ["62", "6162", "6162"],
    ["61", "6162", "61"],
    ["", "61", ""],
    ["ff", "7f", "7f"],
  ],
  byteMax: [
    [null, "62", "62"],
    ["61", "62", "62"],
    ["62", "6162", "62"],
    ["61", "6162", "6162"],
    ["", "61", "61"],
    ["ff", "7f", "ff"],
  ],
  appendIfFits: [
    [null, "61", "61"],
    [null, "", ""],
    ["61", "6263", "616263"],
    ["61", "", "61"],
  ],
  compareAndClear: [
    ["61", "61", null],
    ["61", "6162", "61"],
    ["6162", "61", "6162"],
    ["", "", null],
    [null, "61", null],
    [null, "", null],
  ],
};

const hex = (bytes: Uint8Array | undefined): string | null =>
  bytes === undefined ? null : Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const KEY = b("k");

export function defineAtomicCases(test: ContractCase): void {
  const needs = "atomicOperations";

  for (const [operation, vectors] of Object.entries(VECTORS) as [AtomicOperation, readonly Vector[]][]) {
    test(
      `atomic ${operation} of absent, shorter, longer and equal values`,
      async (db) => {
        for (const vector of vectors) await check(db, operation, vector);
      },
      { needs },
    );
  }

  test(
    "atomic appendIfFits appends up to the largest value, and beyond it leaves the value alone",
    async (db) => {
      const almost = new Uint8Array(99_999).fill(7);
      for (const isStored of [true, false]) {
        if (isStored) await db.transact((tx) => tx.set(KEY, almost));
        const [fits, exceeds] = await db.transact(async (tx) => {
          if (!isStored) tx.set(KEY, almost);
          tx.atomic("appendIfFits", KEY, b("ab"));
          const unchanged = await tx.get(KEY);
          tx.atomic("appendIfFits", KEY, b("c"));
          return [await tx.get(KEY), unchanged];
        });
        expect(exceeds?.length).toBe(99_999);
        expect(fits?.length).toBe(100_000);
        expect((await db.read((tx) => tx.get(KEY)))?.[99_999]).toBe("c".charCodeAt(0));
      }
    },
    { needs },
  );

  test(
    "atomic operations on one key are applied in the order in which they were made",
    async (db) => {
      await db.transact((tx) => tx.set(KEY, bytes("01")));
      await db.transact(async (tx) => {
        tx.atomic("add", KEY, bytes("02"));
        tx.atomic("bitXor", KEY, bytes("ff"));
        tx.atomic("add", KEY, bytes("01"));
        tx.atomic("appendIfFits", KEY, bytes("aa"));
        tx.atomic("appendIfFits", KEY, bytes("bb"));
        tx.atomic("max", KEY, bytes("000000"));
        expect(hex(await tx.get(KEY))).toBe("fdaabb");
      });
      expect(hex(await db.read((tx) => tx.get(KEY)))).toBe("fdaabb");
      await db.transact((tx) => {
        tx.atomic("compareAndClear", KEY, bytes("fdaabb"));
        tx.atomic("add", KEY, bytes("05"));
      });
      expect(hex(await db.read((tx) => tx.get(KEY)))).toBe("05");
    },
    { needs },
  );

  test(
    "atomic operations show in range reads and to selectors, and those that clear hide the row",
    async (db) => {
      await db.transact((tx) => tx.set(b("b"), b("x")));
      await db.transact(async (tx) => {
        tx.atomic("add", b("a"), bytes("01"));
        tx.atomic("compareAndClear", b("b"), b("x"));
        tx.atomic("byteMax", b("c"), bytes("02"));
        const all = await tx.getRangeAll(b(""), b("\xff"));
        expect(all.map(([key, value]) => [hex(key), hex(value)])).toEqual([
          ["61", "01"],
          ["63", "02"],
        ]);
        expect(hex(await tx.getKey({ key: b("a"), orEqual: true, offset: 1 }))).toBe("63");
      });
    },
    { needs },
  );
}

async function check(
  db: Database,
  operation: AtomicOperation,
  [stored, operand, result]: Vector,
): Promise<void> {
  const what = `${operation} of ${stored ?? "nothing"} and ${operand || "no bytes"}`;
  for (const isStored of [true, false]) {
    await db.transact((tx) => {
      if (isStored && stored !== null) tx.set(KEY, bytes(stored));
      else tx.clear(KEY);
    });
    const seen = await db.transact((tx) => {
      if (!isStored && stored !== null) tx.set(KEY, bytes(stored));
      else if (!isStored) tx.clear(KEY);
      tx.atomic(operation, KEY, bytes(operand));
      return tx.get(KEY);
    });
    expect(hex(seen), `${what}, before the commit`).toBe(result);
    expect(hex(await db.read((tx) => tx.get(KEY))), `${what}, after the commit`).toBe(result);
  }
}
