import { expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { SimulationProbes } from "../../../sim/world/probes.js";
import { installProbes, mutant, sometimes } from "../../../src/platform/probes.js";

function probes(seed: string, buggify: boolean, mutants: readonly string[] = []): SimulationProbes {
  return new SimulationProbes(Choices.fromSeed(seed).stream("buggify"), { buggify, mutants }, () => {});
}

test("a buggify site is active in about a quarter of the seeds and fires about a quarter of the time then", () => {
  let active = 0;
  let fired = 0;
  for (let seed = 0; seed < 400; seed++) {
    const one = probes(String(seed), true);
    let times = 0;
    for (let i = 0; i < 100; i++) if (one.buggify("site")) times++;
    if (times > 0) active++;
    fired += times;
  }
  expect(active).toBeGreaterThan(60);
  expect(active).toBeLessThan(140);
  expect(fired / active).toBeGreaterThan(20);
  expect(fired / active).toBeLessThan(30);
});

test("buggify sites are silent in seeds without buggify", () => {
  const one = probes("1", false);
  for (let i = 0; i < 1000; i++) expect(one.buggify(`site ${i % 50}`)).toBe(false);
});

test("only the mutants that were asked for are on", () => {
  const one = probes("1", false, ["W1-ack-before-sync"]);
  expect(one.mutant("W1-ack-before-sync")).toBe(true);
  expect(one.mutant("W2-other")).toBe(false);
  expect([...one.mutantSites]).toEqual([["W1-ack-before-sync", 1]]);
});

test("hits of crash points are counted, and told", () => {
  const told: string[] = [];
  const options = { buggify: false, mutants: [] };
  const one = new SimulationProbes(Choices.fromSeed("1").stream("buggify"), options, (id) => told.push(id));
  one.crashPoint("a");
  one.crashPoint("b");
  one.crashPoint("a");
  expect([...one.hits]).toEqual([
    ["a", 2],
    ["b", 1],
  ]);
  expect(told).toEqual(["a", "b", "a"]);
});

test("marks are counted, where they hold; places of mutants that are off, where they are watched", () => {
  const options = { buggify: false, mutants: [], watchesMutants: true };
  const one = new SimulationProbes(Choices.fromSeed("1").stream("buggify"), options, () => {});
  const before = installProbes(one);
  try {
    sometimes("a");
    sometimes("a", true);
    sometimes("b", false);
    expect(mutant("W1-ack-before-sync")).toBe(false);
  } finally {
    installProbes(before);
  }
  sometimes("a");
  expect([...one.marks]).toEqual([["a", 2]]);
  expect([...one.mutantSites]).toEqual([["W1-ack-before-sync", 1]]);
});
