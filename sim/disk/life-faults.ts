/**
 * What befalls a whole process life: from some time on everything that changes files is denied (S27), asynchronous calls
 * hang (S35), or for a while they are slow (S36). Decided once, when the life begins; counts for as long as faults are
 * on. Does not own: what a denied or a stuck call does.
 */
import type { DiskOptions, LIFE_FAULTS } from "./options.js";
import type { CrashKind } from "./simulation-disk.js";

/** Lives are short in virtual time, so most of these begin early. */
const BEGIN_MS_MAX = 2000;
const SLOW_MS_MAX = 500;
/** How long a call may hang before a watchdog ends the life. */
export const WATCHDOG_MS = 3000;

export type DenialErrno = "EROFS" | "EACCES" | "EPERM";
const DENIALS: readonly DenialErrno[] = ["EROFS", "EACCES", "EPERM"];

export interface LifeFaults {
  readonly deniedFromMs: number;
  /** EROFS is for everything, the others for calls on names: who has a file open may use it. */
  readonly denial: DenialErrno;
  readonly stuckFromMs: number;
  /** How the watchdog ends a life that is stuck. */
  readonly stuckEndsIn: CrashKind;
  readonly slowFromMs: number;
  readonly slowToMs: number;
}

const NEVER = Number.POSITIVE_INFINITY;
export const UNHARMED: LifeFaults = {
  deniedFromMs: NEVER,
  denial: "EROFS",
  stuckFromMs: NEVER,
  stuckEndsIn: "process-kill",
  slowFromMs: NEVER,
  slowToMs: NEVER,
};

/** The fault that was rolled for a life which begins now. */
export function lifeFaults(
  fault: (typeof LIFE_FAULTS)[number] | null,
  detail: number,
  nowMs: number,
): LifeFaults {
  if (fault === null) return UNHARMED;
  const fromMs = nowMs + BEGIN_MS_MAX * (((detail >> 4) % 1024) / 1024) ** 3;
  if (fault === "accessDenied") {
    // Of three kinds, any detail says one.
    return { ...UNHARMED, deniedFromMs: fromMs, denial: DENIALS[detail % DENIALS.length] as DenialErrno };
  }
  if (fault === "stuckCalls") {
    return {
      ...UNHARMED,
      stuckFromMs: fromMs,
      stuckEndsIn: detail % 2 === 0 ? "process-kill" : "power-loss",
    };
  }
  return { ...UNHARMED, slowFromMs: fromMs, slowToMs: fromMs + ((detail >> 14) / 64) * SLOW_MS_MAX };
}

/** The longest that the disk's options may keep an asynchronous call, stuck ones apart. */
export function slowestCallMs({ latency, faults }: DiskOptions): number {
  const { minimumMs, meanMs, stallProbability, stallFactor } = latency;
  const slowest = minimumMs + Math.max(0, meanMs - minimumMs) * EXPONENTIAL_MAX;
  return slowest * (stallProbability > 0 ? stallFactor : 1) * (faults.slowWindow > 0 ? stallFactor : 1);
}

/** Latencies are drawn by inversion from 2^16 steps, so the longest is ln(2^16) times the mean. */
const EXPONENTIAL_MAX = 11.1;
