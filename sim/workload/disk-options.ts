/**
 * The disk of a seed: which faults it may have, how often, and of what kind it is. Swarm: each fault is switched fully
 * off in half of the seeds, and a quarter of the seeds has none. Does not own: what the faults do (`sim/disk`).
 */
import { StillwaterError } from "../../src/platform/errors.js";
import {
  type DiskFault,
  type DiskOptions,
  type FaultProbabilities,
  type Machine,
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
  "readCorruption",
  "misdirectedRead",
  "writeCorruption",
  "fileTooBig",
  "lostWrite",
  "misdirectedWrite",
  "errorThoughDone",
  "interrupted",
  "nameError",
  "closeError",
  "staleSize",
  "accessDenied",
  "stuckCalls",
  "slowWindow",
  "splitRename",
  "openFiles",
  "delayedAllocation",
  "quota",
  "unreportedSync",
  "syncLies",
  "journal",
  "rival",
  "stray",
  "lateCall",
  "crashLoop",
  "reopening",
  // The kind of machine: others than Linux, and files that somebody has open.
  "machine",
  "fileHeld",
] as const;
/** The faults that can be asked for by name. */
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

/** Those that came later; the first ones keep their places in the order of draws. Those of lives are per life. */
const LATER_FAULT_MAX = {
  readCorruption: 1e-2,
  misdirectedRead: 1e-2,
  writeCorruption: 2e-2,
  fileTooBig: 5e-3,
  lostWrite: 5e-2,
  misdirectedWrite: 5e-2,
  errorThoughDone: 5e-3,
  interrupted: 2e-2,
  nameError: 5e-3,
  closeError: 1e-2,
  staleSize: 5e-2,
  accessDenied: 0.3,
  stuckCalls: 0.3,
  slowWindow: 0.5,
} as const satisfies Partial<FaultProbabilities>;

/** One seed in eight runs on Windows, one in sixteen on macOS. */
const DRAWN_MACHINES: readonly Machine[] = [
  ...Array.from({ length: 13 }, () => "posix" as const),
  "windows",
  "windows",
  "macos",
];
/** How probable it is that somebody looks at a file which has just been closed. */
const FILE_HELD_MAX = 0.3;
/** What emptying the cache of a drive takes at least. */
const FULL_SYNC_MS = 4;

/** Damage that no single node can repair. It may make a store refuse, so only few seeds have it. */
const DAMAGE: readonly FaultName[] = [
  "latentSector",
  "bitRot",
  "readCorruption",
  "misdirectedRead",
  "writeCorruption",
  "lostWrite",
  "misdirectedWrite",
  "splitRename",
  "unreportedSync",
  "syncLies",
];
const DAMAGE_SEEDS = 0.1;

/** Draws a disk in two parts, since what came later is drawn at the end of all. */
export class DiskDraw {
  readonly #draw: Draw;
  readonly #allowed: readonly FaultName[];
  readonly #quiet: boolean;
  readonly #damage: boolean;

  constructor(draw: Draw, allowed: readonly FaultName[]) {
    this.#draw = draw;
    this.#allowed = allowed;
    this.#quiet = draw.chance(0.25);
    this.#damage = draw.chance(DAMAGE_SEEDS);
  }

  first(): DiskOptions {
    const draw = this.#draw;
    const faults: Record<DiskFault, number> = { ...NO_FAULTS };
    this.#drawFaults(faults, FAULT_MAX);
    const collateral = this.#share("collateral");
    const stall = this.#share("stall");
    return {
      ...SOUND_DISK,
      powersafeOverwrite: collateral === 0,
      collateralProbability: round(collateral),
      tearProbability: round(this.#share("tear")),
      holeContent: draw.one(["zeros", "stale", "garbage"]),
      syncFailure: draw.one(["clean-keep", "clean-revert", "dirty-keep"]),
      faults,
      latency: {
        minimumMs: draw.one([0.1, 0, 1]),
        meanMs: draw.one([1, 0.1, 10]),
        stallProbability: stall === 0 ? 0 : 0.02,
        stallFactor: 100,
      },
      reorderCompletions: this.#share("reorder") > 0,
    };
  }

  later(first: DiskOptions): DiskOptions {
    const draw = this.#draw;
    const faults: Record<DiskFault, number> = { ...first.faults };
    this.#drawFaults(faults, LATER_FAULT_MAX);
    const journal = draw.one(["posix-strict", "posix-strict", "journal-ordered", "journal-strict"] as const);
    const lies = this.#share("syncLies") > 0 && draw.chance(0.25);
    const unreported = this.#share("unreportedSync") > 0;
    const howUnreported = draw.one(["late-report", "no-report"] as const);
    const openFiles = this.#share("openFiles");
    const openFilesMax = 3 + draw.upTo(13);
    return {
      ...first,
      faults,
      syncFailure: unreported && !lies ? howUnreported : first.syncFailure,
      personality: lies ? "sync-lies" : this.#allowed.includes("journal") ? journal : "posix-strict",
      splitRenameProbability: round(this.#share("splitRename") / 2),
      openFilesMax: openFiles === 0 ? 0 : openFilesMax,
      delayedAllocation: this.#share("delayedAllocation") > 0,
      spaceErrno: this.#share("quota") > 0 ? "EDQUOT" : "ENOSPC",
    };
  }

  /** Drawn behind everything else. What the options of the disk say for any machine, as far as this one lets them. */
  machine(disk: DiskOptions): DiskOptions {
    const draw = this.#draw;
    const drawn = draw.one(DRAWN_MACHINES);
    const links = !draw.chance(0.2);
    const fileHeld = round(FILE_HELD_MAX * this.#share("fileHeld"));
    if (drawn === "posix" || !this.#allowed.includes("machine")) return disk;
    if (drawn === "macos") {
      const { minimumMs, meanMs } = disk.latency;
      const latency = {
        ...disk.latency,
        minimumMs: minimumMs + FULL_SYNC_MS,
        meanMs: meanMs + 3 * FULL_SYNC_MS,
      };
      return { ...disk, machine: drawn, links, latency };
    }
    const faults = { ...disk.faults, fileHeld };
    return { ...disk, machine: drawn, links, personality: "journal-strict", faults };
  }

  #drawFaults(faults: Record<DiskFault, number>, most: Partial<Record<FaultName & DiskFault, number>>): void {
    for (const [name, max] of Object.entries(most) as [FaultName & DiskFault, number][]) {
      // Cubed: probabilities spread over some orders of magnitude.
      faults[name] = round(max * this.#share(name) ** 3);
    }
  }

  /** In (0, 1], or 0: off. */
  #share(name: FaultName): number {
    const on = this.#draw.half();
    const share = this.#draw.fraction();
    if (!on || this.#quiet || !this.#allowed.includes(name)) return 0;
    return DAMAGE.includes(name) && !this.#damage ? 0 : share;
  }
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

/** Whether a disk may do damage that makes a store refuse (contract class D), so that refusing is a legal end. */
export function mayDamage(disk: DiskOptions): boolean {
  const { faults, personality, syncFailure, splitRenameProbability } = disk;
  if (personality === "sync-lies" || splitRenameProbability > 0) return true;
  const isUnreported = syncFailure === "late-report" || syncFailure === "no-report";
  return (isUnreported && faults.syncError > 0) || DAMAGING.some((name) => faults[name] > 0);
}

const DAMAGING: readonly DiskFault[] = [
  "latentSector",
  "bitRot",
  "readCorruption",
  "misdirectedRead",
  "writeCorruption",
  "lostWrite",
  "misdirectedWrite",
];
