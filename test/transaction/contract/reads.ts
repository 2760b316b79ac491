/** What reads answer: selectors, ranges, own writes, and reads that are not waited for. */
import { expect } from "vitest";
import {
  firstGreaterOrEqual,
  firstGreaterThan,
  type KeySelector,
  lastLessOrEqual,
  lastLessThan,
} from "../../../src/transaction/key-selector.js";
import type { KeyValue, ReadTransaction, StreamingMode } from "../../../src/transaction/transaction.js";
import type { ContractCase } from "./backend.js";
import { b, everything, fails, fill, rows, s } from "./support.js";

const STREAMING_MODES: readonly StreamingMode[] = [
  "wantAll",
  "iterator",
  "exact",
  "small",
  "medium",
  "large",
  "serial",
];

export function defineReadCases(test: ContractCase): void {
  test("reads: selectors of every kind and offset, over stored rows and own ones, beyond both ends", async (db) => {
    const isOwn = (key: string): boolean => "bd".includes(key);
    await fill(db, "a", "c", "e", "x");
    const tx = db.createTransaction();
    for (const key of ["b", "d"]) tx.set(b(key), b("own"));
    tx.clear(b("x"));
    const keys = ["a", "b", "c", "d", "e"];
    const at = (index: number): string => (index < 0 ? "" : (keys[index] ?? "\xff"));
    for (const key of ["", "a", "aa", "c", "cc", "e", "f", "\xff"]) {
      const below = keys.filter((one) => one < key).length;
      const upTo = keys.filter((one) => one <= key).length;
      for (let offset = -6; offset <= 6; offset++) {
        const found = async (selector: KeySelector): Promise<string | undefined> =>
          s(await tx.getKey(selector));
        expect(await found(firstGreaterOrEqual(b(key), offset)), `>= ${key} ${offset}`).toBe(
          at(below + offset),
        );
        expect(await found(firstGreaterThan(b(key), offset)), `> ${key} ${offset}`).toBe(at(upTo + offset));
        expect(await found(lastLessThan(b(key), offset)), `< ${key} ${offset}`).toBe(at(below - 1 + offset));
        expect(await found(lastLessOrEqual(b(key), offset)), `<= ${key} ${offset}`).toBe(
          at(upTo - 1 + offset),
        );
      }
    }
    expect(keys.filter(isOwn)).toEqual(["b", "d"]);
    tx.cancel();
  });

  test("reads: ranges between selectors are ranges between the keys they find", async (db) => {
    await fill(db, "a", "b", "c", "d", "e");
    const tx = db.createTransaction();
    const between = async (begin: KeySelector, end: KeySelector): Promise<string> =>
      (await tx.getRangeAll(begin, end)).map(([key]) => s(key)).join("");
    expect(await between(lastLessThan(b("c")), lastLessOrEqual(b("e")))).toBe("bcd");
    expect(await between(firstGreaterThan(b("a")), firstGreaterOrEqual(b("d"), 1))).toBe("bcd");
    expect(await between(lastLessThan(b("a"), -3), firstGreaterThan(b("e"), 5))).toBe("abcde");
    expect(await between(firstGreaterOrEqual(b("d")), firstGreaterOrEqual(b("b")))).toBe("");
    expect(await between(lastLessOrEqual(b("c")), lastLessOrEqual(b("c")))).toBe("");
    tx.cancel();
  });

  test("reads: limits and directions, in every streaming mode, of many rows", async (db) => {
    const names = Array.from({ length: 500 }, (_, i) => `k${String(i).padStart(3, "0")}`);
    await fill(db, ...names);
    const tx = db.createTransaction();
    tx.clearRange(b("k100"), b("k400"));
    tx.set(b("k250"), b("own"));
    const visible = names.filter((name) => name < "k100" || name === "k250" || name >= "k400");
    for (const streamingMode of STREAMING_MODES) {
      for (const reverse of [false, true]) {
        for (const limit of [1, 100, 101, 250]) {
          const expected = (reverse ? [...visible].reverse() : visible).slice(0, limit);
          const options = { streamingMode, reverse, limit };
          const all = await tx.getRangeAll(b("k"), b("l"), options);
          expect(all.map(([key]) => s(key))).toEqual(expected);
          const streamed: (string | undefined)[] = [];
          for await (const [key] of tx.getRange(b("k"), b("l"), options)) streamed.push(s(key));
          expect(streamed).toEqual(expected);
        }
      }
    }
    tx.cancel();
  });

  test("reads: the empty key and keys of 0x00 and 0xfe have their places", async (db) => {
    await fill(db, "", "\0", "\0\0", "a", "\xfe\xff");
    const keys = (await db.read((tx) => tx.getRangeAll(b(""), b("\xff")))).map(([key]) => s(key));
    expect(keys).toEqual(["", "\0", "\0\0", "a", "\xfe\xff"]);
    expect(s(await db.read((tx) => tx.get(b(""))))).toBe("");
  });

  test("reads: snapshot reads see own writes unless they are told not to", async (db) => {
    await fill(db, "a");
    const seen = async (tx: ReadTransaction): Promise<unknown> => [
      s(await tx.get(b("a"))),
      s(await tx.getKey(firstGreaterThan(b("a")))),
      rows(await tx.getRangeAll(b(""), b("\xff"))),
    ];
    const own = ["new", "b", ["a=new", "b=own"]];
    const stored = ["A", "\xff", ["a=A"]];
    const expected = [
      { options: {}, snapshot: own, plain: own },
      { options: { snapshotReadYourWrites: false }, snapshot: stored, plain: own },
      { options: { readYourWrites: false }, snapshot: stored, plain: stored },
    ];
    for (const { options, snapshot, plain } of expected) {
      const tx = db.createTransaction(options);
      tx.set(b("a"), b("new"));
      tx.set(b("b"), b("own"));
      expect(await seen(tx.snapshot)).toEqual(snapshot);
      expect(await seen(tx)).toEqual(plain);
      tx.cancel();
    }
  });

  test("reads: a read that is not waited for sees the writes before it, and none after", async (db) => {
    await fill(db, "a");
    const tx = db.createTransaction();
    const everythingOf = (): Promise<KeyValue[]> => tx.getRangeAll(b(""), b("\xff"));
    const before = [everythingOf(), tx.get(b("b")), tx.getKey(firstGreaterThan(b("a")))] as const;
    tx.set(b("b"), b("1"));
    tx.clear(b("a"));
    const between = [everythingOf(), tx.get(b("b"))] as const;
    tx.clearRange(b(""), b("\xff"));
    expect(rows(await before[0])).toEqual(["a=A"]);
    expect(s(await before[1])).toBeUndefined();
    expect(s(await before[2])).toBe("\xff");
    expect(rows(await between[0])).toEqual(["b=1"]);
    expect(s(await between[1])).toBe("1");
    expect(rows(await everythingOf())).toEqual([]);
    tx.cancel();
  });

  test("reads: a commit waits for reads, which count as they would have", async (db) => {
    const tx = db.createTransaction();
    await tx.getReadVersion();
    await fill(db, "k");
    const read = tx.getRangeAll(b("a"), b("z"));
    tx.set(b("other"), b("1"));
    await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
    expect(await read).toEqual([]);
  });

  test("reads: what is given is copied, and what comes back may be kept and changed", async (db) => {
    await fill(db, "a");
    const [key, value, end] = [Buffer.from("k"), Buffer.from("value"), Buffer.from("z")];
    const tx = db.createTransaction();
    tx.set(key, value);
    const range = tx.getRange(key, end);
    const late = tx.getRangeAll(key, end);
    for (const bytes of [key, value, end]) bytes.fill(0);
    expect(rows(await late)).toEqual(["k=value"]);
    const seen: string[] = [];
    for await (const row of range) seen.push(...rows([row]));
    expect(seen).toEqual(["k=value"]);
    for (const from of [b("a"), b("k")]) {
      const got = await tx.get(from);
      const again = s(got);
      got?.fill(0);
      for (const [, bytes] of await tx.getRangeAll(b(""), b("\xff"))) bytes.fill(0);
      expect(s(await tx.get(from))).toBe(again);
    }
    const [begin, until] = [Buffer.from("a"), Buffer.from("b")];
    tx.clearRange(begin, until);
    begin.fill(0);
    until.fill(0);
    await tx.commit();
    expect(await everything(db)).toEqual(["k=value"]);
  });

  test("reads: a clear of a range and single keys set and cleared around it", async (db) => {
    await fill(db, "a", "b", "c", "d", "e");
    await db.transact(async (tx) => {
      tx.set(b("c"), b("before"));
      tx.clearRange(b("b"), b("e"));
      tx.set(b("d"), b("after"));
      tx.clear(b("a"));
      tx.set(b("a\0"), b("new"));
      tx.clearRange(b("c"), b("c"));
      expect(rows(await tx.getRangeAll(b(""), b("\xff")))).toEqual(["a\0=new", "d=after", "e=E"]);
    });
    expect(await everything(db)).toEqual(["a\0=new", "d=after", "e=E"]);
  });
}
