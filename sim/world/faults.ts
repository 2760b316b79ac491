/**
 * What may go wrong with time, turns and the process itself, as plain data: drawn by the runner, printed with every run
 * and kept in every case; and the names under which what happened is counted. The numbers are those of the design
 * (simulation.md B6, and S39, S40, S43 of B3). Does not own: the mechanisms.
 */

export interface WorldFaults {
  /** T1: changes of priority in one life, for the policy `priorities`: the d of PCT. */
  readonly priorityChanges: number;
  /** T2: how probable it is that a task which is ready is put off, and by how many turns at most. */
  readonly putOffProbability: number;
  readonly putOffTurnsMax: number;
  /** T4: how probable it is that a timer of the process fires late, and by how much at most. */
  readonly lateTimerProbability: number;
  readonly lateTimerMsMax: number;
  /** T4: mean number of turns between disturbances of the clocks that the process reads; 0 is never. */
  readonly clockEveryTurns: number;
  /** T5: mean number of turns between pauses of the whole process, and the longest; 0 is never. */
  readonly pauseEveryTurns: number;
  readonly pauseMsMax: number;
  /** S39: how probable it is that an open has a rival, and, a fiftieth of it, that an operation is a second open. */
  readonly rivalProbability: number;
  /** S40: how probable it is that a reopened directory holds files of others. */
  readonly strayProbability: number;
  /** T8: how probable it is that a crash is followed by ten more in a row, at one site of recovery. */
  readonly crashLoopProbability: number;
  /** How probable it is that a closing store is called, with iterators and snapshots left open. */
  readonly lateCallProbability: number;
}

export const CALM_WORLD: WorldFaults = {
  priorityChanges: 0,
  putOffProbability: 0,
  putOffTurnsMax: 0,
  lateTimerProbability: 0,
  lateTimerMsMax: 0,
  clockEveryTurns: 0,
  pauseEveryTurns: 0,
  pauseMsMax: 0,
  rivalProbability: 0,
  strayProbability: 0,
  crashLoopProbability: 0,
  lateCallProbability: 0,
};

/** Every kind of fault that the world can inflict, by its row in the fault table. */
export const WORLD_FAULT_KINDS = [
  "T1 unfair turn",
  "T1 priority change",
  "T2 put off",
  "T3 buggify",
  "T4 wall clock jump",
  "T4 drift",
  "T4 freeze",
  "T4 late timer",
  "T5 pause",
  "T6 nested crash",
  "T7 other options",
  "T8 crash loop",
  "T9 unknown outcome",
  "S39 second opener",
  "S40 stray file",
  "S43 allocation failure",
] as const;

export type WorldFaultKind = (typeof WORLD_FAULT_KINDS)[number];

export type WorldFaultCounts = Record<WorldFaultKind, number>;

export function noWorldFaults(): WorldFaultCounts {
  return Object.fromEntries(WORLD_FAULT_KINDS.map((kind) => [kind, 0])) as WorldFaultCounts;
}

/** A task that is put off waits for virtual time at most so long, however few turns have passed. */
export const PUT_OFF_MS_MAX = 5;

/**
 * How much later than by its own reckoning a process may have made a commit durable because turns and timers came late:
 * the way from a commit to the end of its sync has at most so many tasks and timers.
 */
export function latenessMs(faults: WorldFaults, schedule: string): number {
  const putsOff = faults.putOffProbability > 0 || schedule === "starve";
  const lateMs = faults.lateTimerProbability > 0 ? faults.lateTimerMsMax : 0;
  return (putsOff ? TASKS_TO_DURABILITY * PUT_OFF_MS_MAX : 0) + TIMERS_TO_DURABILITY * lateMs;
}

const TASKS_TO_DURABILITY = 8;
const TIMERS_TO_DURABILITY = 3;
