/** Which crash states are tried, how a failing one is cut down, and that a tape survives being a file. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CrashItem } from "../../../sim/disk/simulation-disk.js";
import { crashChoices } from "../../../sim/exec/crash-states.js";
import { findRootCause } from "../../../sim/exec/root-cause.js";
import { type Tape, tapeFromJSON, tapeToJSON } from "../../../sim/exec/tape.js";

const item = (...sequences: number[]): CrashItem => ({
  kind: "page",
  path: "/a",
  file: 1,
  needs: [],
  page: 0,
  offset: 0,
  length: 10,
  sequences,
});
const BOTH = ["process-kill", "power-loss"] as const;
const answersOf = (items: CrashItem[], statesMax: number) =>
  crashChoices(items, BOTH, statesMax, "seed").choices.map(({ answers }) => answers);

describe("crash states", () => {
  it("are all combinations when these are few, and one kill", () => {
    const answers = answersOf([item(1), item(3, 2)], 6);
    expect(answers).toEqual([[], [0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
  });

  it("hold the corners, single losses and moments when there are too many, and no more than allowed", () => {
    const items = Array.from({ length: 10 }, (_, index) => item(index + 1));
    const answers = answersOf(items, 64);
    expect(answers.length).toBe(65);
    const wanted = [items.map(() => 0), items.map(() => 1), items.map((_, index) => (index > 4 ? 1 : 0))];
    for (const one of wanted) expect(answers).toContainEqual(one);
    for (let index = 0; index < 10; index++)
      expect(answers).toContainEqual(items.map((_, at) => (at === index ? 1 : 0)));
    expect(answersOf(items, 5)).toHaveLength(6);
  });

  it("tear what spans sectors, one thing at a time", () => {
    const wide = { ...item(1), length: 4096 } as CrashItem;
    expect(answersOf([wide], 8)).toEqual([[], [0], [1], [24]]);
  });
});

describe("root cause", () => {
  it("is exactly what must be lost and what must be kept", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("lost", "kept", "any"), { minLength: 1, maxLength: 8 }),
        fc.infiniteStream(fc.boolean()),
        async (roles, coins) => {
          const items = roles.map((_, index) => item(index + 1));
          const fails = async (answers: readonly number[]) =>
            roles.every((role, index) => role === "any" || (role === "lost") === (answers[index] !== 0));
          const start = roles.map((role) =>
            role === "any" ? Number(coins.next().value) : role === "lost" ? 1 : 0,
          );
          const cause = await findRootCause(items, start, fails);
          const having = (wanted: string) => roles.flatMap((role, index) => (role === wanted ? [index] : []));
          expect(cause.lost).toEqual(having("lost"));
          expect(cause.kept).toEqual(having("kept"));
        },
      ),
    );
  });
});

it("a tape read back is the tape, wherever its directory lies by then", () => {
  const tape: Tape = {
    mount: "/here",
    base: [
      { path: "/here", kind: "directory" },
      { path: "/here/f", kind: "file", content: Buffer.from([0, 255]) },
    ],
    events: [
      {
        kind: "step",
        call: "write",
        parameters: [7, Buffer.from("text"), 0],
        path: "/here/f",
        changes: true,
        site: "p.mjs:1",
      },
      { kind: "acknowledge", text: "wrote /here/f" },
    ],
    end: { code: 0, cut: null },
  };
  const text = JSON.stringify(tapeToJSON(tape));
  expect(tapeFromJSON(JSON.parse(text), "/here")).toEqual(tape);
  const moved = tapeFromJSON(JSON.parse(text), "/there");
  expect(moved.base[1]?.path).toBe("/there/f");
  expect(moved.events[0]).toMatchObject({ path: "/there/f" });
});
