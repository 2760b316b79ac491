/** Ids rise whatever the clock does. */
import { expect, test } from "vitest";
import { UlidGenerator } from "../../src/collection/ulid.js";

function generator(times: readonly number[], words: readonly number[]): UlidGenerator {
  let time = 0;
  let word = 0;
  return new UlidGenerator(
    { nowMs: () => 0, wallMs: () => times[Math.min(time++, times.length - 1)] as number },
    { nextUint32: () => words[word++ % words.length] as number },
  );
}

test("an id is 48 bits of time and 80 of chance, in Crockford's letters", () => {
  expect(generator([1_469_922_850_259], [0]).next()).toBe("01ARZ3NDEK0000000000000000");
  expect(generator([0], [0xffff_ffff]).next()).toBe(`${"0".repeat(10)}${"Z".repeat(16)}`);
  expect(generator([2 ** 48 - 1], [0]).next()).toBe(`7${"Z".repeat(9)}${"0".repeat(16)}`);
});

test("within a millisecond and while the clock goes back, each id is above the one before", () => {
  const ids = generator([1000, 1000, 999.5, 1, 1001.7, 1001, 1002], [0x8000_0000]);
  const given = Array.from({ length: 7 }, () => ids.next());
  expect(new Set(given).size).toBe(7);
  expect(given).toEqual(given.toSorted());
});

test("a millisecond whose chance is used up runs over into the next", () => {
  const ids = generator([5, 5, 6, 7], [0xffff_ffff]);
  const [first, second, third, fourth] = [ids.next(), ids.next(), ids.next(), ids.next()] as [
    string,
    string,
    string,
    string,
  ];
  expect(second.slice(0, 10)).toBe("0000000006");
  expect([first, second, third, fourth]).toEqual([first, second, third, fourth].toSorted());
});
