/**
 * The turns of one process life: which task runs next is a choice of the seed. Timers wait in a heap by (time, order
 * of arrival); when they are due they join the ready queue, from which the policy picks one task at a time.
 *
 * Promises: a task runs at most once, never before its time, and never after `end()` (the life's crash). Does not own
 * the barrier between tasks (`world.ts`) nor the clock.
 */
import type { Scheduler, Timer } from "../../src/platform/platform.js";
import type { ChoiceStream } from "../choices/choices.js";
import type { SimulationClock } from "./clock.js";

export const SCHEDULE_POLICIES = ["fifo", "lifo", "random"] as const;
export type SchedulePolicy = (typeof SCHEDULE_POLICIES)[number];

/** Last-in-first-out would let a task that defers itself starve all others; each such pick takes the oldest instead. */
const LIFO_FAIR_PICK = 8;

class Task implements Timer {
  readonly order: number;
  readonly atUs: number;
  run: (() => void) | null;

  constructor(order: number, atUs: number, run: () => void) {
    this.order = order;
    this.atUs = atUs;
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
  #order = 0;
  #picks = 0;
  #ended = false;

  constructor(clock: SimulationClock, policy: SchedulePolicy, choices: ChoiceStream) {
    this.#clock = clock;
    this.#policy = policy;
    this.#choices = choices;
  }

  defer(task: () => void): void {
    if (!this.#ended) this.#ready.push(new Task(this.#order++, this.#clock.nowUs, task));
  }

  after(delayMs: number, task: () => void): Timer {
    const delayUs = Math.max(0, Math.ceil(delayMs * 1000));
    const timer = new Task(this.#order++, this.#clock.nowUs + delayUs, task);
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
        const run = this.#pick().run;
        if (run !== null) return run;
      }
      const first = this.#timers[0];
      if (first === undefined) return null;
      if (first.atUs > waitUntilUs) {
        this.#clock.advanceTo(waitUntilUs);
        return null;
      }
      this.#clock.advanceTo(first.atUs);
    }
  }

  /** Drops everything; nothing of this life runs again and later requests are ignored. */
  end(): void {
    this.#ended = true;
    this.#ready.length = 0;
    this.#timers.length = 0;
  }

  /** Timers that have neither fired nor been cancelled; the leak oracle expects 0 after a clean close. */
  get timersPending(): number {
    return countLive(this.#timers);
  }

  get tasksPending(): number {
    return countLive(this.#ready);
  }

  /** Moves due timers to the ready queue. */
  #admit(): void {
    const nowUs = this.#clock.nowUs;
    for (let first = this.#timers[0]; first !== undefined && first.atUs <= nowUs; first = this.#timers[0]) {
      pop(this.#timers);
      if (first.run !== null) this.#ready.push(first);
    }
  }

  #pick(): Task {
    const ready = this.#ready;
    let index = 0;
    if (ready.length > 1) {
      if (this.#policy === "random") index = this.#choices.below(ready.length, "schedule.pick");
      else if (this.#policy === "lifo" && ++this.#picks % LIFO_FAIR_PICK !== 0) index = ready.length - 1;
    }
    const task = ready[index] as Task; // index < length by construction
    if (index === ready.length - 1) ready.pop();
    else ready.splice(index, 1);
    return task;
  }
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
