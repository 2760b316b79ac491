/**
 * The turns of one process life: which task runs next is a choice of the seed. Timers wait in a heap by (time, order
 * of arrival); when they are due they join the ready queue, from which the policy picks one task at a time. A task that
 * is ready may first be put off (T2): then others run before it, those too that only the next timer makes ready.
 *
 * Promises: a task runs at most once, never before its time, and never after `end()` (the life's crash). No policy
 * starves: a task that was passed over for `FAIR_PICKS` turns is next, and one is put off once, for a number of turns
 * and at most `PUT_OFF_MS_MAX`. Does not own the barrier between tasks (`world.ts`) nor the clock.
 */
import type { Scheduler, Timer } from "../../src/platform/platform.js";
import type { ChoiceStream } from "../choices/choices.js";
import type { SimulationClock } from "./clock.js";
import { PUT_OFF_MS_MAX, type WorldFaultCounts } from "./faults.js";
import { Lanes } from "./lanes.js";
import { capped } from "./report-lines.js";

/** `priorities` and `starve`: see `lanes.ts`. */
export const SCHEDULE_POLICIES = ["fifo", "lifo", "random", "priorities", "starve"] as const;
export type SchedulePolicy = (typeof SCHEDULE_POLICIES)[number];

/** Last-in-first-out would let a task that defers itself starve all others; each such pick takes the oldest instead. */
const LIFO_FAIR_PICK = 8;
/** Picks that may pass over the oldest task under `priorities`. */
const FAIR_PICKS = 64;
/** Turns by which a starved task is put off. */
const STARVED_TURNS = 40;

/** How turns and timers are disturbed; absent in a calm world. */
export interface SchedulerFaults {
  readonly priorityChanges: number;
  readonly putOffProbability: number;
  readonly putOffTurnsMax: number;
  readonly lateTimerProbability: number;
  readonly lateTimerMsMax: number;
  /** Streams of their own, so that what they decide does not shift the picks. */
  readonly yields: ChoiceStream;
  readonly lateness: ChoiceStream;
  readonly counts: WorldFaultCounts;
}

class Task implements Timer {
  readonly order: number;
  readonly atUs: number;
  readonly lane: number;
  run: (() => void) | null;
  /** The pick at which it became ready, or until which it is put off. */
  pick = 0;
  putOffUntilUs = 0;
  /** A timer of the process, as against one of the disk or the workload. */
  isOfProcess = false;

  constructor(order: number, atUs: number, lane: number, run: () => void) {
    this.order = order;
    this.atUs = atUs;
    this.lane = lane;
    this.run = run;
  }

  cancel(): void {
    this.run = null;
  }
}

export class SimulationScheduler implements Scheduler {
  readonly #clock: SimulationClock;
  readonly #policy: SchedulePolicy;
  readonly #choices: ChoiceStream;
  readonly #ready: Task[] = [];
  /** Binary heap, earliest first. Cancelled timers stay until they come up. */
  readonly #timers: Task[] = [];
  /** Ready but put off, in order of arrival. */
  #putOff: Task[] = [];
  #faults: SchedulerFaults | null;
  readonly #lanes: Lanes | null;
  #order = 0;
  #picks = 0;
  #ended = false;

  constructor(
    clock: SimulationClock,
    policy: SchedulePolicy,
    choices: ChoiceStream,
    faults: SchedulerFaults | null = null,
  ) {
    this.#clock = clock;
    this.#policy = policy;
    this.#choices = choices;
    this.#faults = faults;
    this.#lanes =
      policy === "priorities" || policy === "starve"
        ? new Lanes(choices, policy === "starve" ? -1 : (faults?.priorityChanges ?? 0))
        : null;
  }

  defer(task: () => void): void {
    if (!this.#ended) this.#enter(this.#create(this.#clock.nowUs, task));
  }

  after(delayMs: number, task: () => void): Timer {
    const timer = this.afterExactly(delayMs + this.#lateMs(), task);
    timer.isOfProcess = true;
    return timer;
  }

  /** As `after`, for what is not a timer of the process: the disk, and the workload itself. Never late. */
  afterExactly(delayMs: number, task: () => void): Task {
    const delayUs = Math.max(0, Math.ceil(delayMs * 1000));
    const timer = this.#create(this.#clock.nowUs + delayUs, task);
    if (!this.#ended) push(this.#timers, timer);
    return timer;
  }

  /**
   * Takes the next task to run, moving the clock to the next timer when nothing is ready. Null when nothing is left
   * to run, ever. `waitUntilUs` bounds the jump: when the next timer lies beyond it, the clock goes there and null
   * is returned.
   */
  next(waitUntilUs = Number.POSITIVE_INFINITY): (() => void) | null {
    for (;;) {
      this.#admit();
      while (this.#ready.length > 0) {
        const task = this.#pick();
        if (task.run === null) continue;
        if (this.#lanes !== null) this.#lanes.runs(task.lane);
        return task.run;
      }
      const first = this.#timers[0];
      const [held] = this.#putOff;
      if (held !== undefined && (first === undefined || first.atUs > held.putOffUntilUs)) {
        this.#putOff.shift();
        this.#ready.push(held);
        continue;
      }
      if (first === undefined) return null;
      if (first.atUs > waitUntilUs) {
        this.#clock.advanceTo(waitUntilUs);
        return null;
      }
      this.#clock.advanceTo(first.atUs);
    }
  }

  /** The liveness phase: nothing is put off or late any more. */
  calm(): void {
    this.#faults = null;
    this.#ready.push(...this.#putOff.splice(0));
  }

  /** Drops everything; nothing of this life runs again and later requests are ignored. */
  end(): void {
    this.#ended = true;
    this.#ready.length = 0;
    this.#timers.length = 0;
    this.#putOff.length = 0;
  }

  /** Timers of the process that have neither fired nor been cancelled; the leak oracle expects 0 after a clean close. */
  get timersPending(): number {
    return countLive(this.#timers.filter(({ isOfProcess }) => isOfProcess));
  }

  get tasksPending(): number {
    return countLive(this.#ready) + countLive(this.#putOff);
  }

  /**
   * What waits to run, one line each, for the report of a stuck life: when it is due and how its callback begins, which
   * is all that is known of it.
   */
  describe(): string[] {
    const line = (task: Task, state: string): string => `${state}: ${beginningOf(task.run)}`;
    const timers = live(this.#timers).sort((a, b) => (before(a, b) ? -1 : 1));
    return [
      `it is ${this.#clock.nowMs()} ms`,
      ...capped(live(this.#ready).map((task) => line(task, "task ready"))),
      ...capped(live(this.#putOff).map((task) => line(task, "task put off"))),
      ...capped(timers.map((task) => line(task, `timer at ${task.atUs / 1000} ms`))),
    ];
  }

  #create(atUs: number, run: () => void): Task {
    return new Task(this.#order++, atUs, this.#lanes === null ? 0 : this.#lanes.laneOfNew(), run);
  }

  /** Moves due timers, and what was put off long enough, to the ready queue. */
  #admit(): void {
    const nowUs = this.#clock.nowUs;
    for (let first = this.#timers[0]; first !== undefined && first.atUs <= nowUs; first = this.#timers[0]) {
      pop(this.#timers);
      if (first.run !== null) this.#enter(first);
    }
    if (this.#putOff.length > 0) this.#release(nowUs);
  }

  #release(nowUs: number): void {
    const held = this.#putOff;
    this.#putOff = [];
    for (const task of held) {
      if (task.pick <= this.#picks || task.putOffUntilUs <= nowUs) this.#makeReady(task);
      else this.#putOff.push(task);
    }
  }

  /** A task is ready: it may have its turn, unless it is put off. */
  #enter(task: Task): void {
    const turns = this.#faults === null ? 0 : this.#turnsToPutOff(this.#faults, task.lane);
    if (turns === 0) {
      this.#makeReady(task);
      return;
    }
    task.pick = this.#picks + turns;
    task.putOffUntilUs = this.#clock.nowUs + PUT_OFF_MS_MAX * 1000;
    this.#putOff.push(task);
  }

  #makeReady(task: Task): void {
    task.pick = this.#picks;
    this.#ready.push(task);
  }

  #turnsToPutOff(faults: SchedulerFaults, lane: number): number {
    if (this.#policy === "starve" && this.#lanes?.starves(lane) === true) {
      faults.counts["T1 unfair turn"]++;
      return STARVED_TURNS;
    }
    if (faults.putOffProbability === 0 || !faults.yields.chance(faults.putOffProbability, "yield.put-off")) {
      return 0;
    }
    faults.counts["T2 put off"]++;
    return 1 + faults.yields.below(faults.putOffTurnsMax, "yield.turns");
  }

  #lateMs(): number {
    const faults = this.#faults;
    if (faults === null || faults.lateTimerProbability === 0) return 0;
    if (!faults.lateness.chance(faults.lateTimerProbability, "timer.is-late")) return 0;
    faults.counts["T4 late timer"]++;
    return (
      (faults.lateTimerMsMax * (1 + faults.lateness.below(LATENESS_STEPS, "timer.late-by"))) / LATENESS_STEPS
    );
  }

  #pick(): Task {
    const ready = this.#ready;
    const pick = ++this.#picks;
    let index = 0;
    if (ready.length > 1) {
      if (this.#policy === "random") index = this.#choices.below(ready.length, "schedule.pick");
      else if (this.#policy === "lifo" && pick % LIFO_FAIR_PICK !== 0) index = ready.length - 1;
      else if (this.#policy === "priorities" && this.#lanes !== null) index = this.#highest(this.#lanes);
    }
    const task = ready[index] as Task; // index < length by construction
    if (index === ready.length - 1) ready.pop();
    else ready.splice(index, 1);
    return task;
  }

  /** Index of the ready task whose lane has the highest priority; of several the first. */
  #highest(lanes: Lanes): number {
    const ready = this.#ready;
    const oldest = ready[0] as Task; // several are ready
    if (this.#picks - oldest.pick > FAIR_PICKS) return 0;
    let best = this.#argmax(lanes);
    if (lanes.changesNow()) {
      lanes.demote((ready[best] as Task).lane); // best < length
      if (this.#faults !== null) this.#faults.counts["T1 priority change"]++;
      best = this.#argmax(lanes);
    }
    if (best !== 0 && this.#faults !== null) this.#faults.counts["T1 unfair turn"]++;
    return best;
  }

  #argmax(lanes: Lanes): number {
    let best = 0;
    let priority = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < this.#ready.length; index++) {
      const own = lanes.priority((this.#ready[index] as Task).lane); // index < length
      if (own <= priority) continue;
      priority = own;
      best = index;
    }
    return best;
  }
}

const LATENESS_STEPS = 100;
const CALLBACK_SHOWN_CHARACTERS = 70;

function beginningOf(run: (() => void) | null): string {
  const text = String(run).replaceAll(/\s+/g, " ");
  if (text.includes("[native code]")) return "the continuation of a promise";
  return text.length > CALLBACK_SHOWN_CHARACTERS ? `${text.slice(0, CALLBACK_SHOWN_CHARACTERS)}…` : text;
}

function live(tasks: readonly Task[]): Task[] {
  return tasks.filter((task) => task.run !== null);
}

function countLive(tasks: readonly Task[]): number {
  let live = 0;
  for (const task of tasks) if (task.run !== null) live++;
  return live;
}

function before(a: Task, b: Task): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);
}

function push(heap: Task[], task: Task): void {
  let at = heap.length;
  heap.push(task);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Task; // parent < at < length
    if (!before(task, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = task;
}

/** Removes the root. Requires a heap that is not empty. */
function pop(heap: Task[]): void {
  const last = heap.pop() as Task; // not empty by precondition
  const length = heap.length;
  if (length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= length) break;
    if (child + 1 < length && before(heap[child + 1] as Task, heap[child] as Task)) child++;
    const below = heap[child] as Task; // child < length
    if (!before(below, last)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = last;
}
