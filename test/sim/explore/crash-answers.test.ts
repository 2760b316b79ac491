/** Which crash states are tried at one instant. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CrashItem } from "../../../sim/disk/crash-items.js";
import { type Answers, COMPLETE_MAX, visitCrashStates } from "../../../sim/explore/crash-answers.js";

function name(sequence: number, needs: readonly number[] = []): CrashItem {
  return { kind: "name", operation: "create", path: "/a", file: 0, sequences: [sequence], needs };
}

function page(sequences: readonly number[], path: string, index = 0, file = 1): CrashItem {
  return { kind: "page", path, page: index, file, sequences, needs: [], offset: 0, length: 1 };
}

function statesOf(items: readonly CrashItem[]): { states: string[]; isComplete: boolean } {
  const states: string[] = [];
  const isComplete = visitCrashStates(items, (answers: Answers) => states.push(answers.join()));
  return { states, isComplete };
}

describe("the crash states of an instant", () => {
  test("are all combinations of kept and lost, each once, without those in which something needed is missing", () => {
    const { states, isComplete } = statesOf([name(1), name(2, [0]), page([4, 3], "/data")]);
    expect(isComplete).toBe(true);
    // Without the first name (1) the second (0) cannot be there; the page has two versions and the durable state.
    expect(states.sort()).toEqual(
      ["0,0", "0,1", "1,1"]
        .flatMap((names) => ["0", "1", "2"].map((version) => `${names},${version}`))
        .sort(),
    );
  });

  test("are as many as the product of the alternatives when nothing needs anything", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 6 }), (versions) => {
        const items = versions.map((count, file) =>
          page(
            Array.from({ length: count }, (_, version) => 100 * file + count - version),
            "/data",
            0,
            file,
          ),
        );
        const product = versions.reduce((all, count) => all * (count + 1), 1);
        const { states, isComplete } = statesOf(items);
        expect(isComplete).toBe(product <= COMPLETE_MAX);
        if (isComplete) expect(new Set(states).size).toBe(product);
        expect(isComplete ? states.length : product).toBe(product);
      }),
    );
  });

  test("are the corners, where there are too many: all, nothing, each alone, each moment, and pairs", () => {
    const items = Array.from({ length: 14 }, (_, index) => name(index + 1));
    const { states, isComplete } = statesOf(items);
    expect(isComplete).toBe(false);
    const marked = (kept: (index: number) => boolean): string =>
      items.map((_, index) => (kept(index) ? 0 : 1)).join();
    expect(states).toContain(marked(() => true));
    expect(states).toContain(marked(() => false));
    for (let index = 0; index < items.length; index++) {
      expect(states).toContain(marked((other) => other === index));
      expect(states).toContain(marked((other) => other !== index));
      expect(states).toContain(marked((other) => other <= index));
    }
    expect(states).toContain(marked((index) => index === 3 || index === 9));
    expect(states).toContain(marked((index) => index !== 3 && index !== 9));
  });

  test("tear the last page of a log or a manifest at each sector, and no other page", () => {
    const tears = (items: readonly CrashItem[]): number =>
      statesOf(items).states.filter((answers) => answers.split(",").some((answer) => Number(answer) > 9))
        .length;
    expect(tears([page([1], "/store/000001.sst")])).toBe(0);
    expect(new Set(statesOf([page([1], "/store/000001.wal")]).states).size).toBe(2 + 7);
    expect(new Set(statesOf([page([1], "/store/MANIFEST-000001")]).states).size).toBe(2 + 7);
    const log = [page([1], "/store/000001.wal", 0), page([2], "/store/000001.wal", 1)];
    for (const answers of statesOf(log).states) expect(Number(answers.split(",")[0])).toBeLessThan(2);
  });
});
