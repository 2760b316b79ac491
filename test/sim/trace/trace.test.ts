/** The trace hash: depends on everything that happened and on nothing else. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { divergenceOf, Trace } from "../../../sim/trace/trace.js";

type Event = readonly [number, number, number, number];

function hashOf(events: readonly Event[], recording = false): string {
  const trace = new Trace(recording);
  for (const event of events) trace.event(...event);
  return trace.hash();
}

describe("Trace", () => {
  it("hashes to 16 digits that depend on every number, its place and the order of events", () => {
    const variants: Event[][] = [
      [],
      [[0, 0, 0, 0]],
      [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
      ],
    ];
    for (let place = 0; place < 4; place++) {
      for (const value of [1, 2, 255, 65_536, 0x7fffffff, 0xffffffff]) {
        const event = [0, 0, 0, 0];
        event[place] = value;
        variants.push([event as unknown as Event]);
      }
    }
    variants.push(
      [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ],
      [
        [5, 6, 7, 8],
        [1, 2, 3, 4],
      ],
    );
    variants.push([[0, 0, 2 ** 32, 0]], [[0, 0, 2 ** 33, 0]], [[0, 0, 0, 2 ** 40]]);
    const hashes = variants.map((variant) => hashOf(variant));
    expect(new Set(hashes).size).toBe(variants.length);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{16}$/);
  });

  it("hashes the same events to the same, recording or not, looked at or not", () => {
    const event = fc.tuple(fc.nat(), fc.nat(), fc.maxSafeNat(), fc.maxSafeNat());
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const looked = new Trace();
        for (const each of events) {
          looked.event(...each);
          looked.hash();
        }
        expect(hashOf(events, true)).toBe(hashOf(events));
        expect(looked.hash()).toBe(hashOf(events));
        expect(looked.length).toBe(events.length);
      }),
    );
  });

  it("finds any single change in a long run", () => {
    const events = Array.from({ length: 200 }, (_, i): Event => [i % 20, i % 7, i * 31, i * 17]);
    const hashes = new Set([hashOf(events)]);
    for (let i = 0; i < events.length; i++) {
      const [kind, a, b, c] = events[i] as Event;
      hashes.add(hashOf(events.with(i, [kind, a, b, c ^ 1])));
      hashes.add(hashOf(events.toSpliced(i, 1)));
    }
    expect(hashes.size).toBe(401);
  });

  it("folds texts, borders included, and keeps lines only while recording", () => {
    const trace = new Trace(true);
    trace.text("crash", "at point a");
    trace.line("not hashed");
    trace.recording = false;
    trace.text("crash", "at point b");
    expect(trace.lines()).toEqual(["crash at point a", "not hashed"]);
    const same = new Trace();
    same.text("crash", "at point a");
    same.text("crash", "at point b");
    expect(same.hash()).toBe(trace.hash());
    expect(same.lines()).toEqual([]);
    const moved = new Trace();
    moved.text("crasha", "t point a");
    moved.text("crash", "at point b");
    expect(moved.hash()).not.toBe(trace.hash());
  });
});

describe("marks of a trace", () => {
  /** A run of `length` events, of which those from `wrongFrom` on are others than usual. */
  function run(length: number, wrongFrom = Number.POSITIVE_INFINITY, recording = false): Trace {
    const trace = new Trace(recording);
    for (let i = 1; i <= length; i++) {
      trace.event(i, i >= wrongFrom ? 1 : 0, 0, 0);
      trace.line(`line ${i}`);
    }
    return trace;
  }
  const compare = (one: Trace, other: Trace) =>
    divergenceOf(one.marks(), other.marks(), [one.length, other.length]);

  it("are few, however long the run, and evenly spread", () => {
    for (const length of [0, 63, 64, 1000, 100_000]) {
      const { every, hashes } = run(length).marks();
      expect(hashes.length).toBe(Math.floor(length / every));
      expect(hashes.length).toBeLessThan(32);
      if (length >= 2048) expect(hashes.length).toBeGreaterThanOrEqual(15);
    }
  });

  it("say between which events two runs parted, also when one is much longer", () => {
    const lengths = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(lengths, lengths, lengths, (first, second, wrongFrom) => {
        const [one, other] = [run(first), run(second, wrongFrom)];
        const found = compare(one, other);
        const shorter = Math.min(first, second);
        if (first === second && wrongFrom > second) expect(found).toBeNull();
        if (found === null) {
          // Without a mark behind the first difference only the final hash can tell.
          expect(first).toBe(second);
          const { every } = one.marks();
          expect(wrongFrom > Math.floor(first / every) * every).toBe(true);
          return;
        }
        expect(found.same).toBeLessThan(Math.min(wrongFrom, shorter + 1));
        if (found.different <= shorter) expect(found.different).toBeGreaterThanOrEqual(wrongFrom);
      }),
      { numRuns: 60 },
    );
  });

  it("lead to the lines between two events", () => {
    expect(run(10, undefined, true).linesBetween(3, 5)).toEqual(["line 3", "line 4", "line 5"]);
  });
});
