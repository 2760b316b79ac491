/**
 * The disk of a seed: which faults it may have, how often, and of what kind it is. Swarm: each fault is switched fully
 * off in half of the seeds, and a quarter of the seeds has none. Does not own: what the faults do (`sim/disk`).
 */
import { StillwaterError } from "../../src/platform/errors.js";
import {
  type DiskFault,
  type DiskOptions,
  type FaultProbabilities,
  NO_FAULTS,
  SOUND_DISK,
} from "../disk/options.js";
import { type Draw, round } from "./draw.js";

/** Names of the faults that `--faults` takes; all of them is `default`. */
export const FAULT_NAMES = [
  "readError",
  "latentSector",
  "bitRot",
  "shortRead",
  "shortWrite",
  "writeError",
  "syncError",
  "eviction",
  "collateral",
  "tear",
  "stall",
  "reorder",
  "noSpace",
  "logRot",
  // Of time, turns and the process: `world-options.ts`.
  "putOff",
  "lateTimer",
  "clock",
  "pause",
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

/** Highest sensible probability per call for each fault that is decided call by call (simulation.md B3). */
const FAULT_MAX = {
  readError: 1e-2,
  latentSector: 1e-3,
  bitRot: 1e-3,
  shortRead: 1e-1,
  shortWrite: 1e-1,
  writeError: 5e-3,
  syncError: 5e-3,
  eviction: 1e-2,
} as const satisfies Partial<FaultProbabilities>;

/** Damage that no single node can repair. It may make a store refuse, so only few seeds have it. */
const DAMAGE: readonly FaultName[] = ["latentSector", "bitRot"];
const DAMAGE_SEEDS = 0.1;

export function drawDisk(draw: Draw, allowed: readonly FaultName[]): DiskOptions {
  const quiet = draw.chance(0.25);
  const damage = draw.chance(DAMAGE_SEEDS);
  const drawn = (name: FaultName): number => {
    const on = draw.half();
    const share = draw.fraction();
    if (!on || quiet || !allowed.includes(name) || (DAMAGE.includes(name) && !damage)) return 0;
    return share;
  };
  const faults: Record<DiskFault, number> = { ...NO_FAULTS };
  for (const name of Object.keys(FAULT_MAX) as (keyof typeof FAULT_MAX)[]) {
    // Cubed: probabilities spread over some orders of magnitude.
    faults[name] = round(FAULT_MAX[name] * drawn(name) ** 3);
  }
  const collateral = drawn("collateral");
  const stall = drawn("stall");
  return {
    ...SOUND_DISK,
    powersafeOverwrite: collateral === 0,
    collateralProbability: round(collateral),
    tearProbability: round(drawn("tear")),
    holeContent: draw.one(["zeros", "stale", "garbage"]),
    syncFailure: draw.one(["clean-keep", "clean-revert", "dirty-keep"]),
    faults,
    latency: {
      minimumMs: draw.one([0.1, 0, 1]),
      meanMs: draw.one([1, 0.1, 10]),
      stallProbability: stall === 0 ? 0 : 0.02,
      stallFactor: 100,
    },
    reorderCompletions: drawn("reorder") > 0,
  };
}

/** Parses the value of `--faults`. Throws `INVALID_ARGUMENT` for a name that is none. */
export function parseFaults(text: string): readonly FaultName[] {
  if (text === "none") return [];
  if (text === "default") return FAULT_NAMES;
  return text.split(",").map((name) => {
    const fault = FAULT_NAMES.find((known) => known === name);
    if (fault !== undefined) return fault;
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `there is no fault "${name}". Known: none, default, ${FAULT_NAMES.join(", ")}.`,
    );
  });
}
