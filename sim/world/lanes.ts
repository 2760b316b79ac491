/**
 * Who a task belongs to, for the policies that treat tasks unequally for longer than one turn. Our tasks are callbacks
 * that run once, so what other runtimes call a thread is here a *lane*: the first task that a running task asks for
 * carries its lane on, each further one begins a new lane.
 *
 * - `priorities` is PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte: "A Randomized Scheduler with Probabilistic
 *   Guarantees of Finding Bugs", ASPLOS 2010) on lanes: each has a random priority, the highest one runs, and at d
 *   random moments the lane that would run falls below all others.
 * - `starve` puts off every task of one lane as long as may be, then of another one.
 *
 * Does not own: the bound after which a task runs whatever its lane is (`scheduler.ts`).
 */
import type { ChoiceStream } from "../choices/choices.js";

const PRIORITIES = 1 << 16;
/** Turns with a choice between two changes of priority, at most: there are some hundred in a long life. */
const CHANGE_WITHIN_TURNS = 60;
/** The victim is one of so many lanes begun next, for so many of its tasks, or until so many lanes have begun after it. */
const VICTIM_WITHIN_LANES = 12;
const VICTIM_TASKS = 30;
const VICTIM_LANES = 60;

export class Lanes {
  readonly #choices: ChoiceStream;
  readonly #priorities: number[] = [];
  readonly #ranks: boolean;
  #running = -1;
  #successors = 0;
  #changesLeft: number;
  #changeIn: number;
  #changesMade = 0;
  #victim = -1;
  #victimTasks = 0;

  /** `priorityChanges`: of this life; -1 for the policy that starves. */
  constructor(choices: ChoiceStream, priorityChanges: number) {
    this.#choices = choices;
    this.#ranks = priorityChanges >= 0;
    this.#changesLeft = Math.max(0, priorityChanges);
    this.#changeIn = this.#nextChange();
    if (!this.#ranks) this.#chooseVictim();
  }

  /** The lane of a task that is being asked for now. */
  laneOfNew(): number {
    if (this.#running >= 0 && this.#successors++ === 0) return this.#running;
    const lane = this.#priorities.length;
    this.#priorities.push(this.#ranks ? this.#choices.below(PRIORITIES, "schedule.priority") : 0);
    if (!this.#ranks && lane > this.#victim + VICTIM_LANES) this.#chooseVictim();
    return lane;
  }

  /** A task of this lane is about to run. */
  runs(lane: number): void {
    this.#running = lane;
    this.#successors = 0;
  }

  /** Higher runs first. */
  priority(lane: number): number {
    return this.#priorities[lane] as number; // lanes are made here
  }

  /** Counts a turn; true when the lane that would run now is to fall below all others. */
  changesNow(): boolean {
    if (this.#changesLeft === 0 || --this.#changeIn > 0) return false;
    this.#changesLeft--;
    this.#changeIn = this.#nextChange();
    return true;
  }

  demote(lane: number): void {
    this.#priorities[lane] = -++this.#changesMade;
  }

  /** Whether this task of `lane` is to be starved. */
  starves(lane: number): boolean {
    if (this.#ranks || lane !== this.#victim) return false;
    if (++this.#victimTasks >= VICTIM_TASKS) this.#chooseVictim();
    return true;
  }

  #chooseVictim(): void {
    this.#victim = this.#priorities.length + this.#choices.below(VICTIM_WITHIN_LANES, "schedule.victim");
    this.#victimTasks = 0;
  }

  #nextChange(): number {
    return this.#changesLeft === 0 ? 0 : 1 + this.#choices.below(CHANGE_WITHIN_TURNS, "schedule.change");
  }
}
