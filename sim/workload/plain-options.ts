/**
 * The plainest run there is: no faults, one commit at a time, first in first out, the store's own defaults. Cases are
 * written as their difference from it, so that they show what matters and an option that comes later needs no change
 * of any case; the shrinker goes back to it wherever the failure lets it. A new option has its benign value here.
 * To change a value here changes every case that does not say otherwise.
 */
import { SOUND_DISK } from "../disk/options.js";
import { CALM_WORLD } from "../world/faults.js";
import type { SimulationOptions } from "./options.js";
import { WORKLOADS } from "./workloads.js";

export const PLAIN_OPTIONS: SimulationOptions = {
  workload: "mixed",
  operations: 100,
  schedule: "fifo",
  buggify: false,
  weights: WORKLOADS.mixed.families,
  mutations: { put: 3, delete: 0, deleteRange: 0 },
  batchMutationsMax: 1,
  valueBytesMax: 100,
  committersMax: 1,
  durabilityOverrideProbability: 0,
  blockingProbability: 0,
  keys: { count: 10, hot: 1, hotProbability: 0, long: false },
  crashes: {
    everyOperations: 0,
    powerLossProbability: 0.7,
    nestedProbability: 0,
    atCalls: true,
    atPoints: true,
    atTimes: true,
  },
  store: {},
  disk: SOUND_DISK,
  logRotProbability: 0,
  world: CALM_WORLD,
};

/** What only the making of operations asks: in a case these are there literally. */
export const GENERATOR_OPTIONS = [
  "workload",
  "operations",
  "weights",
  "mutations",
  "batchMutationsMax",
  "valueBytesMax",
  "durabilityOverrideProbability",
  "blockingProbability",
  "keys",
  "crashes",
] as const satisfies readonly (keyof SimulationOptions)[];
