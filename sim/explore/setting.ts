/**
 * The machine that explored workloads run on: no faults but crashes, one order of turns, no rare branches, so that a
 * workload is one run and everything that varies is the crash. The store is as small as its options allow, so that logs
 * rotate, tables come to be and levels are merged within three steps.
 */
import type { StoreOptions } from "../../src/engine/options.js";
import { Choices } from "../choices/choices.js";
import { SimulationDisk } from "../disk/simulation-disk.js";
import { Trace } from "../trace/trace.js";
import type { SimulationOptions } from "../workload/options.js";
import { PLAIN_OPTIONS } from "../workload/plain-options.js";
import { World } from "../world/world.js";
import type { Profile } from "./workloads.js";

/** Names the streams of a case; with an empty log no number is ever drawn from it. */
export const EXPLORE_SEED = "explore";

/** A life that takes this many turns, or this much virtual time, on one operation is stuck. */
const STEPS_MAX = 200_000;
const QUIET_MS_MAX = 600_000;
/** Steps in flight at once: the one that is going on, and the one before it when that is not awaited. */
const COMMITTERS_MAX = 2;

const STORE: StoreOptions = {
  memtableBytes: 4096,
  immutableMemtablesMax: 2,
  blockBytes: 256,
  blockCacheBytes: 16_384,
  tableCacheBytes: 65_536,
  bufferedSyncMs: 5,
  // Two steps may be in flight, and share syncs as they come.
  blockingSyncMicros: 0,
  levelBaseBytes: 1024,
  levelRatio: 2,
  tableBytes: 1024,
  level0CompactionFiles: 2,
  level0StallFiles: 4,
  level0LimitFiles: 8,
};

/** The plainest run, with a tiny store. */
export function exploreOptions(profile: Profile): SimulationOptions {
  return { ...PLAIN_OPTIONS, committersMax: COMMITTERS_MAX, store: { ...STORE, durability: profile } };
}

/** A machine whose disk is new, or the copy of another one. */
export function exploreWorld(
  options: SimulationOptions,
  mutants: readonly string[],
  origin: SimulationDisk | null,
): World<SimulationDisk> {
  const choices = Choices.fromLog(EXPLORE_SEED, {});
  const trace = new Trace();
  const world = {
    schedule: options.schedule,
    buggify: options.buggify,
    mutants,
    faults: options.world,
    stepsMax: STEPS_MAX,
    quietMsMax: QUIET_MS_MAX,
    stepsInAllMax: Number.POSITIVE_INFINITY,
  };
  return new World(world, choices, trace, (timers) =>
    origin === null
      ? new SimulationDisk(options.disk, choices, trace, timers)
      : origin.fork(choices, trace, timers),
  );
}
