import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Commit } from "../../../sim/model/commit.js";
import { StoreContent, scanMismatch } from "../../../sim/model/comparison.js";
import { Model } from "../../../sim/model/model.js";
import { keyText, valueBytes } from "../../../sim/workload/bytes.js";
import type { Mutation } from "../../../sim/workload/operation.js";

function put(key: string, writer: number, length = 8): Mutation {
  return ["put", key, writer, length];
}

/** What a store with exactly these values would give. */
function rows(values: Readonly<Record<string, number>>, length = 8) {
  return Object.keys(values)
    .sort()
    .map((key) => ({ key, value: valueBytes(values[key] as number, length) }));
}

function commit(model: Model, version: number, ...mutations: Mutation[]): Commit {
  const made = model.submit(version, mutations, "sync");
  model.acknowledge(made, version, 0);
  return made;
}

describe("what a reader may see", () => {
  test("is exactly what was answered, when no answer is on its way", () => {
    const model = new Model();
    for (let i = 1; i <= 3; i++) commit(model, 10 + i, put("k", i));
    expect(model.visibleAt(12)).toEqual({ low: 2, high: 2 });
    expect(model.visibleAt(13)).toEqual({ low: 3, high: 3 });
  });

  test("is between its neighbours, when answers are on their way", () => {
    const model = new Model();
    commit(model, 10, put("k", 1));
    const second = model.submit(2, [put("k", 2)], "sync");
    model.submit(3, [put("k", 3)], "sync");
    expect(model.visibleAt(10)).toEqual({ low: 1, high: 1 });
    expect(model.visibleAt(11)).toEqual({ low: 1, high: 3 });
    model.acknowledge(second, 11, 0);
    expect(model.visibleAt(11)).toEqual({ low: 2, high: 2 });
    expect(model.visibleAt(12)).toEqual({ low: 2, high: 3 });
  });

  test("never includes a refused commit", () => {
    const model = new Model();
    commit(model, 10, put("a", 1), put("b", 1));
    model.refuse(model.submit(2, [put("a", 2), ["deleteRange", "a", "z"]], "sync"));
    expect(model.liveKeysAt(model.submitted)).toEqual(["a", "b"]);
    expect(scanMismatch(model, model.submitted, {}, 10, rows({ a: 1, b: 1 }))).toBeNull();
  });
});

describe("what must survive", () => {
  test("a power loss: everything up to the newest sync; a kill: everything answered", () => {
    const model = new Model();
    const durabilities = ["buffered", "sync", "buffered", "none"] as const;
    durabilities.forEach((durability, i) => {
      model.acknowledge(model.submit(i, [put("k", i)], durability), 10 + i, 0);
    });
    expect(model.floorAfterPowerLoss).toBe(2);
    expect(model.floorAfterKill).toBe(3);
    model.durableUpTo(4);
    expect(model.floorAfterPowerLoss).toBe(4);
    expect(model.floorAfterKill).toBe(4);
  });

  test("a power loss: what was buffered for longer than its window, and what came before it", () => {
    const model = new Model();
    for (let i = 1; i <= 4; i++) {
      const durability = i === 2 ? "sync" : "buffered";
      model.acknowledge(model.submit(i, [put("k", i)], durability), 10 + i, i * 100);
    }
    model.promiseBuffered(100);
    expect(model.floorAfterPowerLoss).toBe(2);
    model.promiseBuffered(301);
    expect(model.floorAfterPowerLoss).toBe(3);
    model.promiseBuffered(100);
    expect(model.floorAfterPowerLoss).toBe(3);
  });

  test("what a recovery has found, from then on", () => {
    const model = new Model();
    for (let i = 1; i <= 3; i++) model.submit(i, [put("k", i)], "sync");
    model.resolve(2, 40);
    expect(model.floorAfterPowerLoss).toBe(2);
    expect([...model.lostOperations]).toEqual([3]);
    expect(model.visibleAt(40)).toEqual({ low: 2, high: 2 });
    expect(model.versionsUsed).toBe(40);
    expect(scanMismatch(model, model.submitted, {}, 10, rows({ k: 2 }))).toBeNull();
  });
});

const KEYS = ["", "a", "a\u0000", "b", "b\u00ff", "c"];

const mutation = fc.oneof(
  fc.tuple(fc.constant("put" as const), fc.constantFrom(...KEYS), fc.nat(1000), fc.nat(40)),
  fc.tuple(fc.constant("delete" as const), fc.constantFrom(...KEYS)),
  fc.tuple(fc.constant("deleteRange" as const), fc.constantFrom(...KEYS), fc.constantFrom(...KEYS)),
);

/** The plain meaning of mutations: a map. */
function applyTo(state: Map<string, Uint8Array>, mutations: readonly Mutation[]): void {
  for (const one of mutations) {
    if (one[0] === "put") state.set(one[1], valueBytes(one[2], one[3]));
    else if (one[0] === "delete") state.delete(one[1]);
    else for (const key of state.keys()) if (key >= one[1] && key < one[2]) state.delete(key);
  }
}

function contentOf(state: Map<string, Uint8Array>) {
  return [...state.keys()].sort().map((key) => ({ key, value: state.get(key) as Uint8Array }));
}

test("the state after every prefix is what a plain map says", () => {
  fc.assert(
    fc.property(fc.array(fc.array(mutation, { maxLength: 5 }), { maxLength: 12 }), (commits) => {
      const model = new Model();
      const plain = new Map<string, Uint8Array>();
      const states = [contentOf(plain)];
      commits.forEach((mutations, i) => {
        model.submit(i, mutations, "sync");
        applyTo(plain, mutations);
        states.push(contentOf(plain));
      });
      states.forEach((state, sequence) => {
        expect(scanMismatch(model, sequence, {}, Number.POSITIVE_INFINITY, state)).toBeNull();
        const content = new StoreContent(model, state);
        expect(content.possible[sequence]).toBe(1);
        expect(content.longestPrefix(0)).toBeGreaterThanOrEqual(sequence);
        expect(content.shortestPrefix(0)).toBeLessThanOrEqual(sequence);
      });
    }),
  );
});

test("the prefixes that explain a content are exactly those with that state", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(mutation, { maxLength: 3 }), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      (commits, pick) => {
        const model = new Model();
        const plain = new Map<string, Uint8Array>();
        const states = [contentOf(plain)];
        commits.forEach((mutations, i) => {
          model.submit(i, mutations, "sync");
          applyTo(plain, mutations);
          states.push(contentOf(plain));
        });
        const wanted = states[pick % states.length];
        if (wanted === undefined) return;
        const { possible } = new StoreContent(model, wanted);
        const text = (state: typeof wanted) =>
          JSON.stringify(state.map(({ key, value }) => [key, keyText(value)]));
        states.forEach((state, sequence) => {
          expect(possible[sequence] === 1).toBe(text(state) === text(wanted));
        });
      },
    ),
  );
});
