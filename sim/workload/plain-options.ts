/**
 * The plainest run there is: no faults, one commit at a time, first in first out, a store as small as can be. Cases are
 * written as their difference from it, so that they show what matters and an option that comes later needs no change
 * of any case; the shrinker goes back to it wherever the failure lets it. A new option has its benign value here.
 * To change a value here changes every case that does not say otherwise.
 */
import type { StoreOptions } from "../../src/engine/options.js";
import { SOUND_DISK } from "../disk/options.js";
import { CALM_WORLD } from "../world/faults.js";
import type { SimulationOptions } from "./options.js";
import { NO_TRANSACTIONS } from "./transaction-options.js";
import { WORKLOADS } from "./workloads.js";

/** The smallest store, so that a handful of operations flushes and compacts, and a run costs next to nothing. */
const PLAIN_STORE: StoreOptions = {
  durability: "sync",
  memtableBytes: 4096,
  immutableMemtablesMax: 1,
  blockBytes: 256,
  blockCacheBytes: 16_384,
  tableCacheBytes: 16_384,
  bloomBitsPerKey: 10,
  compression: "none",
  checksum: "crc32",
  groupCommitsMax: 512,
  blockingSyncMicros: 0,
  bufferedSyncMs: 100,
  pendingCommitsMax: 10_000,
  compaction: "leveled",
  levelBaseBytes: 8192,
  levelRatio: 2,
  tableBytes: 4096,
  level0CompactionFiles: 2,
  level0StallFiles: 4,
  level0LimitFiles: 6,
  slowdownDebtBytes: 268_435_456,
  beatRows: 512,
};

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
  store: PLAIN_STORE,
  disk: SOUND_DISK,
  logRotProbability: 0,
  firstCrashes: [],
  world: CALM_WORLD,
  reopenings: [],
  extremeProbability: 0,
  transactions: NO_TRANSACTIONS,
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
  "extremeProbability",
] as const satisfies readonly (keyof SimulationOptions)[];
