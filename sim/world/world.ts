/**
 * The simulated machine: one disk, one clock, and a sequence of process lives on them. `live` runs one life until its
 * main task settles, the machine crashes, or the life is stuck, and always says which.
 *
 * Promises:
 * - One task at a time, then a barrier: every promise continuation that became ready has run before the next task.
 * - A crash is exact: it happens inside one VFS call, at one crash point or between two tasks; nothing of that life
 *   runs afterwards but the unwinding of the stack, and every call it still makes ends in `SimulatedCrash`.
 * - Never a hang, as far as can be told from within: nothing left to run, too many steps or too much virtual time
 *   without progress, and too many VFS calls within one turn end the life as `stuck`, with all that was pending. A turn
 *   that loops without a call is seen by the watchdog only (`sim/run/ensemble.ts`).
 *
 * Does not own what the main task does (workload) or what must hold afterwards (oracles).
 */
import { assert } from "../../src/platform/assert.js";
import { UNHEARD_CHANNELS } from "../../src/platform/event-sink.js";
import type { Clock, Platform, Random } from "../../src/platform/platform.js";
import { installProbes } from "../../src/platform/probes.js";
import type { VFS } from "../../src/platform/vfs.js";
import type { Choices } from "../choices/choices.js";
import { SimulatedCrash } from "../disk/errors.js";
import type { CrashKind, DiskTimers, SimulationDisk, VFSOperation } from "../disk/simulation-disk.js";
import type { Trace } from "../trace/trace.js";
import { ProcessClock, SimulationClock } from "./clock.js";
import { CrashPlan } from "./crash-plan.js";
import { Disturbances } from "./disturbances.js";
import { noWorldFaults, type WorldFaults } from "./faults.js";
import { SimulationProbes } from "./probes.js";
import { SimulationRandom } from "./random.js";
import type { RunRecorder } from "./run-recorder.js";
import { type SchedulePolicy, SimulationScheduler } from "./scheduler.js";

/** What one turn and one VFS call cost in virtual time, so that waiting by yielding cannot stop the clock. */
const STEP_US = 10;
const CALL_US = 5;
/** No turn that ends makes so many calls: those that read a whole store make some thousands. */
const CALLS_IN_TURN_MAX = 400_000;

export interface WorldOptions {
  readonly schedule: SchedulePolicy;
  readonly buggify: boolean;
  readonly faults: WorldFaults;
  readonly mutants: readonly string[];
  /** Whether places of mutants that are off are counted. */
  readonly watchesMutants?: boolean;
  /** A life that takes this many steps without `progress()` is stuck. */
  readonly stepsMax: number;
  /** All lives together may take so many; the one that takes more is stuck. */
  readonly stepsInAllMax: number;
  /** A life in which this much virtual time passes without `progress()` is stuck. */
  readonly quietMsMax: number;
}

/** The part of the simulated disk that a machine needs; see `sim/disk`. */
export type MachineDisk = Pick<SimulationDisk, "mount" | "crash" | "onCall">;

export type StuckReason =
  | "nothing left to run"
  | "too many steps"
  | "too much virtual time"
  | "too many VFS calls in one turn";

/** How a process ended. */
export type LifeEnd<T> =
  | { readonly kind: "finished"; readonly value: T }
  | { readonly kind: "crashed"; readonly how: CrashKind; readonly where: string }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "stuck"; readonly reason: StuckReason; readonly pending: readonly string[] };

/** One process life: what its main task gets. */
export class Life {
  readonly number: number;
  readonly platform: Platform;
  readonly scheduler: SimulationScheduler;
  readonly clock: ProcessClock;
  crashed = false;

  constructor(number: number, platform: Platform, scheduler: SimulationScheduler, clock: ProcessClock) {
    this.number = number;
    this.platform = platform;
    this.scheduler = scheduler;
    this.clock = clock;
  }
}

/** The engine's view of the simulated world. Without threads: background work runs in beats on the scheduler. */
export function simulationPlatform(
  vfs: VFS,
  clock: Clock,
  random: Random,
  scheduler: SimulationScheduler,
): Platform {
  return { vfs, clock, random, scheduler, workers: null, events: UNHEARD_CHANNELS };
}

/** The machine: time, chance, turns, crashes, and the lives that processes have on it. */
export class World<Disk extends MachineDisk> {
  readonly choices: Choices;
  readonly trace: Trace;
  readonly clock = new SimulationClock();
  readonly crashes: CrashPlan;
  readonly disturbances: Disturbances;
  /** How often each fault of time and process really happened. */
  readonly faultCounts = noWorldFaults();
  readonly probes: SimulationProbes;
  readonly random: SimulationRandom;
  readonly disk: Disk;
  /** Called before every VFS call of a living process, after the crash plan: for oracles that look at each instant. */
  observer: ((operation: VFSOperation, path: string) => void) | null = null;
  /** Called when the machine goes down, before the disk decides what is left. */
  onCrash: ((how: CrashKind, where: string) => void) | null = null;
  /** Called before every task of a living process, when everything that the former one made ready has run. */
  beforeTask: (() => void) | null = null;
  /** Called at every crash point of a living process, before a crash may strike there. */
  pointObserver: ((id: string) => void) | null = null;
  /** A finding made where it could not be thrown (inside a VFS call, in an answer nobody awaits): ends the life. */
  finding: { readonly error: unknown } | null = null;
  recorder: RunRecorder | null = null;
  /** Says what the workload knows to be pending, when a life is stuck. */
  describePending: () => readonly string[] = () => [];
  lives = 0;
  steps = 0;
  readonly #options: WorldOptions;
  #life: Life | null = null;
  #isCalm = false;
  #crash: { how: CrashKind; where: string } | null = null;
  #stuck: LifeEnd<never> | null = null;
  #callsInTurn = 0;
  #quietSteps = 0;
  #quietSinceUs = 0;

  constructor(
    options: WorldOptions,
    choices: Choices,
    trace: Trace,
    createDisk: (timers: DiskTimers) => Disk,
  ) {
    this.#options = options;
    this.choices = choices;
    this.trace = trace;
    this.crashes = new CrashPlan(this.clock);
    this.disturbances = new Disturbances(options.faults, this.faultCounts, this.clock, choices);
    this.random = new SimulationRandom(choices.stream("random"));
    this.probes = new SimulationProbes(choices.stream("buggify"), options, (id) => {
      if (this.recorder !== null && this.#living()) this.recorder.happens("crash-point", id);
      if (this.pointObserver !== null && this.#living()) this.pointObserver(id);
      if (this.#living() && this.crashes.onPoint(id)) {
        this.#goDown(`crash point ${id}`);
        throw new SimulatedCrash(`the simulated machine went down at crash point ${id}`);
      }
    });
    this.disk = createDisk({
      after: (delayMs, task) => {
        this.#life?.scheduler.afterExactly(delayMs, task);
      },
      nowMs: () => this.clock.nowMs(),
    });
    this.disk.onCall = (operation, path) => this.#onCall(operation, path);
  }

  /** The main task tells that it gets on; resets the limits that tell a stuck life. */
  progress(): void {
    this.#quietSteps = 0;
    this.#quietSinceUs = this.runningUs;
  }

  /** True time without the pauses of the process (T5): what a process can be held to. */
  get runningUs(): number {
    return this.clock.nowUs - this.disturbances.pausedUs;
  }

  /** The liveness phase: turns come in order and in time. The policy of the scheduler stays, which starves nobody. */
  calm(): void {
    this.disturbances.calm();
    this.#isCalm = true;
    this.#life?.scheduler.calm();
  }

  get isCalm(): boolean {
    return this.#isCalm;
  }

  /** Runs one process life. Lives never overlap. */
  live<T>(main: (life: Life) => Promise<T>): Promise<LifeEnd<T>> {
    assert(this.#life === null, "one process life at a time");
    const scheduler = this.#createScheduler();
    const clock = new ProcessClock(this.clock);
    const platform = simulationPlatform(this.disk.mount(), clock, this.random, scheduler);
    const life = new Life(++this.lives, platform, scheduler, clock);
    this.recorder?.happens("life", `process ${life.number}`);
    this.#life = life;
    this.#crash = null;
    this.#stuck = null;
    this.progress();
    const probesBefore = installProbes(this.probes);
    const run = new LifeRun(this, life, main);
    return run.end.finally(() => {
      scheduler.end();
      installProbes(probesBefore);
      this.#life = null;
    });
  }

  /** One step of the current life: crash if due, else run one task. Null: go on. */
  step(life: Life): LifeEnd<never> | null {
    if (this.#crash === null && this.beforeTask !== null) this.beforeTask();
    if (this.finding !== null) return { kind: "failed", error: this.finding.error };
    if (this.#stuck !== null) return this.#stuck;
    if (this.#crash !== null) return { kind: "crashed", ...this.#crash };
    if (this.clock.nowUs >= this.crashes.dueUs) {
      this.#goDown(`time ${this.clock.nowMs()} ms`);
      return null;
    }
    const { stepsMax, stepsInAllMax } = this.#options;
    if (++this.#quietSteps > stepsMax || this.steps >= stepsInAllMax)
      return this.#stuckAt(life, "too many steps");
    if (this.runningUs - this.#quietSinceUs > this.#options.quietMsMax * 1000) {
      return this.#stuckAt(life, "too much virtual time");
    }
    const task = life.scheduler.next(this.crashes.dueUs);
    if (task === null) {
      if (this.clock.nowUs >= this.crashes.dueUs) return null;
      return this.#stuckAt(life, "nothing left to run");
    }
    this.steps++;
    if (this.recorder !== null) this.recorder.turn();
    this.#callsInTurn = 0;
    this.clock.advance(STEP_US);
    this.disturbances.onTurn(life.clock);
    try {
      task();
    } catch (error) {
      if (!life.crashed) return { kind: "failed", error };
    }
    return null;
  }

  /** Ends the current life from outside a VFS call, between two tasks. */
  crashNow(how: CrashKind, where: string): void {
    this.crashes.arm({ how, at: { afterMs: 0 } });
    this.#goDown(where);
  }

  #createScheduler(): SimulationScheduler {
    const { schedule, faults } = this.#options;
    const { choices } = this;
    const disturbed = this.#isCalm
      ? null
      : {
          ...faults,
          yields: choices.stream("yields"),
          lateness: choices.stream("lateness"),
          counts: this.faultCounts,
        };
    return new SimulationScheduler(this.clock, schedule, choices.stream("schedule"), disturbed);
  }

  #living(): boolean {
    return this.#life !== null && !this.#life.crashed;
  }

  #onCall(operation: VFSOperation, path: string): void {
    if (!this.#living()) return;
    this.clock.advance(CALL_US);
    if (++this.#callsInTurn > CALLS_IN_TURN_MAX) {
      this.#giveUp();
      return;
    }
    if (this.crashes.onCall()) {
      this.#goDown(`VFS call ${operation} ${path}`);
      return;
    }
    if (this.observer !== null) this.observer(operation, path);
  }

  #stuckAt(life: Life, reason: StuckReason): LifeEnd<never> {
    const pending = [...this.describePending(), ...life.scheduler.describe()];
    return { kind: "stuck", reason, pending };
  }

  /** Within a call, of a turn that does not end: the process is killed, so that each further call of it throws. */
  #giveUp(): void {
    const life = this.#life;
    assert(life !== null, "a process lives");
    this.#stuck = this.#stuckAt(life, "too many VFS calls in one turn");
    life.crashed = true;
    life.scheduler.end();
    this.disk.crash("process-kill");
  }

  #goDown(where: string): void {
    const request = this.crashes.armed;
    assert(request !== null && this.#life !== null, "a crash is armed and a process lives");
    this.crashes.disarm();
    this.#life.crashed = true;
    this.#life.scheduler.end();
    this.#crash = { how: request.how, where };
    this.trace.text("crash", `${request.how} at ${where}`);
    this.recorder?.happens("crash", where);
    if (this.onCrash !== null) this.onCrash(request.how, where);
    this.disk.crash(request.how);
  }
}

/** Steps one life. The barrier is microtask, then `process.nextTick`: the tick runs when no continuation is left. */
class LifeRun<T> {
  readonly end: Promise<LifeEnd<T>>;
  readonly #world: World<MachineDisk>;
  readonly #life: Life;
  #resolve: (end: LifeEnd<T>) => void = () => {};
  #settled: LifeEnd<T> | null = null;

  constructor(world: World<MachineDisk>, life: Life, main: (life: Life) => Promise<T>) {
    this.#world = world;
    this.#life = life;
    this.end = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    main(life).then(
      (value) => {
        this.#settled = { kind: "finished", value };
      },
      (error: unknown) => {
        this.#settled = { kind: "failed", error };
      },
    );
    this.#barrier();
  }

  readonly #barrier = (): void => queueMicrotask(this.#afterMicrotask);

  readonly #afterMicrotask = (): void => process.nextTick(this.#step);

  /** What the simulator itself throws, by options that contradict each other, must reach whoever runs it. */
  #stepped(): LifeEnd<never> | null {
    try {
      return this.#world.step(this.#life);
    } catch (error) {
      return { kind: "failed", error };
    }
  }

  readonly #step = (): void => {
    let end: LifeEnd<T> | null = null;
    if (this.#settled !== null && !this.#life.crashed && this.#world.finding === null) end = this.#settled;
    else end = this.#stepped();
    if (end === null) this.#barrier();
    else this.#resolve(end);
  };
}
