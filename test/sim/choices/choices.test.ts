/** Decisions as data: what a log replays, and that streams do not disturb each other. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChoiceLog, type ChoiceStream, Choices, type StreamName } from "../../../sim/choices/choices.js";
import { StillwaterError } from "../../../src/platform/errors.js";

type Ask = { readonly kind: "below" | "chance" | "propose"; readonly n: number };

const asks = fc.array(
  fc.record({
    kind: fc.constantFrom("below" as const, "chance" as const, "propose" as const),
    n: fc.integer({ min: 1, max: 9 }),
  }),
);

function answer(stream: ChoiceStream, ask: Ask): number | boolean {
  if (ask.kind === "below") return stream.below(ask.n, "test");
  if (ask.kind === "chance") return stream.chance(ask.n / 9, "test");
  return stream.propose(stream.replaying ? 0 : stream.random.below(ask.n), "test");
}

describe("Choices", () => {
  it("give the same answers for the same seed, and others for another", () => {
    const drawn = (seed: string) => many(Choices.fromSeed(seed), "workload");
    expect(drawn("1")).toEqual(drawn("1"));
    expect(drawn("1")).not.toEqual(drawn("2"));
    const commit = "0123456789abcdef0123456789abcdef01234567";
    expect(drawn(commit)).toEqual(drawn(commit));
  });

  it("are replayed exactly from their log, through JSON, for any questions", () => {
    fc.assert(
      fc.property(fc.string(), asks, (seed, questions) => {
        const drawn = Choices.fromSeed(seed);
        const answers = questions.map((ask) => answer(drawn.stream("disk.read"), ask));
        const log = JSON.parse(JSON.stringify(drawn.log())) as ChoiceLog;
        const replayed = Choices.fromLog(seed, log);
        expect(questions.map((ask) => answer(replayed.stream("disk.read"), ask))).toEqual(answers);
        expect(replayed.log()).toEqual(log);
        expect(replayed.stream("disk.read").next).toBe(drawn.stream("disk.read").next);
      }),
    );
  });

  it("of one stream do not shift those of another", () => {
    const alone = Choices.fromSeed("7").stream("crash");
    const disturbed = Choices.fromSeed("7");
    for (let i = 0; i < 20; i++) {
      disturbed.stream("disk.read").below(9, "x");
      expect(disturbed.stream("crash").below(1000, "x")).toBe(alone.below(1000, "x"));
    }
  });

  it("log only what is not 0, and answer 0 for what the log does not say", () => {
    const choices = Choices.fromSeed("1");
    const stream = choices.stream("options");
    const answers = Array.from({ length: 30 }, () => stream.below(3, "x"));
    const expected = [...answers.entries()].filter(([, given]) => given !== 0);
    expect(choices.log()).toEqual({ options: expected });
    expect(Choices.fromSeed("1").log()).toEqual({});
    const sparse = Choices.fromLog("1", { options: [[2, 1]] }).stream("options");
    expect(Array.from({ length: 5 }, () => sparse.below(3, "x"))).toEqual([0, 0, 1, 0, 0]);
  });

  it("make one decision benign when its entry is deleted, and no other", () => {
    const drawn = Choices.fromSeed("3");
    const answers = Array.from({ length: 40 }, () => drawn.stream("disk.read").chance(0.3, "x"));
    const [first, ...rest] = drawn.log()["disk.read"] ?? [];
    const stream = Choices.fromLog("3", { "disk.read": rest }).stream("disk.read");
    const replayed = Array.from({ length: 40 }, () => stream.chance(0.3, "x"));
    expect(replayed).toEqual(answers.with(first?.[0] as number, false));
  });

  it("with probability 0 are false but use an index, whatever the log says", () => {
    const drawn = Choices.fromSeed("1").stream("disk.read");
    for (let i = 0; i < 100; i++) expect(drawn.chance(0, "x")).toBe(false);
    expect(drawn.next).toBe(100);
    const replayed = Choices.fromLog("1", {
      "disk.read": [
        [0, 1],
        [1, 1],
      ],
    }).stream("disk.read");
    expect([replayed.chance(0, "x"), replayed.chance(0.5, "x")]).toEqual([false, true]);
  });

  it("fold an answer of an edited log into the range that is asked for", () => {
    const stream = Choices.fromLog("1", { "disk.read": [[0, 17]] }).stream("disk.read");
    expect(stream.below(5, "x")).toBe(2);
  });

  it("tell an observer every answer with its label", () => {
    const choices = Choices.fromLog("1", { crash: [[1, 2]] });
    const seen: unknown[] = [];
    choices.observer = (...told) => seen.push(told);
    choices.stream("crash").below(3, "one");
    choices.stream("crash").below(3, "two");
    expect(seen).toEqual([
      ["crash", 0, "one", 0],
      ["crash", 1, "two", 2],
    ]);
  });

  it("of one segment do not shift those of another: indices start anew where a segment begins", () => {
    const ask = (choices: Choices, segments: readonly (readonly [string, number])[]) =>
      segments.map(([segment, times]) => {
        choices.begin(segment);
        return Array.from({ length: times }, () => choices.stream("disk.read").below(1000, "x"));
      });
    const drawn = Choices.fromSeed("5");
    const [first, second, third] = ask(drawn, [
      ["0", 4],
      ["1", 7],
      ["1!1", 3],
    ]);
    const log = JSON.parse(JSON.stringify(drawn.log())) as ChoiceLog;
    expect(log["disk.read"]?.[0]).toEqual(["0:0", first?.[0]]);
    expect(
      ask(Choices.fromLog("5", log), [
        ["0", 4],
        ["1", 7],
        ["1!1", 3],
      ]),
    ).toEqual([first, second, third]);
    // One question less in the first, one more in the second, and the third without them.
    expect(
      ask(Choices.fromLog("5", log), [
        ["0", 3],
        ["1", 8],
        ["1!1", 3],
      ]),
    ).toEqual([first?.slice(0, 3), [...(second ?? []), 0], third]);
    expect(ask(Choices.fromLog("5", log), [["1!1", 3]])).toEqual([third]);
  });

  it("say where the next one will be in the log", () => {
    const choices = Choices.fromSeed("5");
    const stream = choices.stream("crash");
    expect(stream.address).toBe(0);
    stream.below(9, "x");
    expect(stream.address).toBe(1);
    choices.begin("7!1");
    expect(stream.address).toBe("7!1:0");
    stream.below(9, "x");
    expect(stream.address).toBe("7!1:1");
  });

  it("of streams that are drawn again differ from the log and are logged, the others keep to it", () => {
    const drawn = Choices.fromSeed("5");
    const [crash, latency] = [many(drawn, "crash"), many(drawn, "latency")];
    const again = (seed: string) => Choices.fromLog("5", drawn.log(), { streams: new Set(["crash"]), seed });
    const redrawn = again("other");
    expect(many(redrawn, "latency")).toEqual(latency);
    const other = many(redrawn, "crash");
    expect(other).not.toEqual(crash);
    expect(many(again("other"), "crash")).toEqual(other);
    expect(many(Choices.fromLog("5", redrawn.log()), "crash")).toEqual(other);
  });

  it("refuse a log that is out of order or holds what is no answer", () => {
    const bad = [
      [
        [1, 1],
        [0, 1],
      ],
      [[0, -1]],
      [[0, 0.5]],
      [[-1, 1]],
      [["7", 1]],
      [
        ["7:4", 1],
        ["7:4", 1],
      ],
    ] as unknown as [number, number][][];
    for (const storage of bad) {
      expect(() => Choices.fromLog("1", { "disk.read": storage }).stream("disk.read")).toThrow(
        StillwaterError,
      );
    }
  });
});

function many(choices: Choices, name: StreamName): number[] {
  return Array.from({ length: 50 }, () => choices.stream(name).below(1000, "x"));
}
