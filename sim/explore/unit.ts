/**
 * Explores one unit: runs each of its workloads once without a crash, gathers the crash states of the last step, and
 * judges each distinct one. Promise: the result depends on the unit and the configuration alone, not on threads or time.
 */
import type { VFSOperation } from "../disk/simulation-disk.js";
import { OracleFailure, type OracleId, OracleLedger } from "../oracles/failure.js";
import { stuckFailure } from "../oracles/liveness.js";
import { LifeCycle } from "../run/life.js";
import { Session } from "../run/session.js";
import type { OperationSource } from "../workload/generator.js";
import type { Operation } from "../workload/operation.js";
import type { CrashMoment } from "../world/crash-plan.js";
import {
  Collector,
  type CollectorCounts,
  type CrashState,
  type KnownStates,
  type Promised,
  type TakenCrash,
} from "./collector.js";
import { type BrokenState, type JudgeSetting, judgeState } from "./judge.js";
import { exploreOptions, exploreWorld } from "./setting.js";
import { operationsOf, type Profile, type Unit, type Workload, workloadText } from "./workloads.js";

export interface UnitConfig {
  readonly mutants: readonly string[];
  /** 2: also crashes during the recovery of each state. */
  readonly depth: 1 | 2;
}

/** A broken promise and the way to it. Plain data, so that it crosses threads. */
export interface ExploredFailure {
  readonly profile: Profile;
  /** In words. */
  readonly workload: string;
  readonly operations: readonly Operation[];
  /** How many of them had begun when the first crash struck. */
  readonly begun: number;
  readonly crashes: readonly TakenCrash[];
  readonly oracle: OracleId;
  readonly message: string;
}

export interface UnitCounts extends Readonly<CollectorCounts> {
  readonly workloads: number;
  /** Distinct states of crashes in recoveries; part of `distinctStates`. */
  readonly statesInRecovery: number;
  readonly recoveries: number;
}

export interface UnitResult {
  readonly counts: UnitCounts;
  readonly oracles: OracleLedger["evaluations"];
  readonly failures: readonly ExploredFailure[];
}

/** Says that a workload is over. Thrown into the life, which has shown what it was run for. */
class WorkloadOver extends Error {}

/** Where the operation `checkpoint` takes one, followed by its number. */
const CHECKPOINTS = "/checkpoint-";
/** Openings of a store by one judgement. */
const RECOVERIES_PER_STATE = 3;

export async function exploreUnit(unit: Unit, config: UnitConfig): Promise<UnitResult> {
  const explorer = new UnitExplorer(config);
  await amongAbandonedLives(async () => {
    for (const workload of unit.workloads) await explorer.explore(workload);
  });
  return explorer.result(unit.workloads.length);
}

/**
 * Lives are left where they have shown what they were run for; what their promises come to is of no interest. Stacks of
 * errors are not taken: a failure is replayed as a case.
 */
async function amongAbandonedLives(explore: () => Promise<void>): Promise<void> {
  const before = process.rawListeners("unhandledRejection") as ((...given: unknown[]) => void)[];
  const ignore = (): void => {};
  const limit = Error.stackTraceLimit;
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", ignore);
  Error.stackTraceLimit = 0;
  try {
    await explore();
  } finally {
    Error.stackTraceLimit = limit;
    process.removeListener("unhandledRejection", ignore);
    for (const listener of before) process.on("unhandledRejection", listener);
  }
}

class UnitExplorer {
  readonly #config: UnitConfig;
  readonly #known: KnownStates = new Set();
  readonly #collector = new Collector(this.#known);
  readonly #inRecovery = new Collector(this.#known);
  readonly #ledger = new OracleLedger();
  readonly #failures: ExploredFailure[] = [];
  #recoveries = 0;

  constructor(config: UnitConfig) {
    this.#config = config;
  }

  async explore(workload: Workload): Promise<void> {
    const { mutants, depth } = this.#config;
    const options = exploreOptions(workload.profile);
    const setting: JudgeSetting = { options, mutants };
    const { operations } = operationsOf(workload);
    const fails = ({ failure, crashes }: BrokenState, begun: number): void => {
      const { oracle, message } = failure;
      const { profile } = workload;
      const text = workloadText(workload);
      this.#failures.push({ profile, workload: text, operations, begun, crashes, oracle, message });
    };
    this.#collector.begin();
    const failure = await new WorkloadRun(workload, setting, this.#collector).run();
    if (failure !== null) fails({ failure, crashes: [] }, operations.length);
    for (const state of this.#collector.take()) {
      const nested = depth === 1 ? null : this.#observeRecovery(state);
      this.#recoveries += RECOVERIES_PER_STATE;
      const broken = await judgeState(state, setting, this.#ledger, nested);
      if (broken !== null) fails(broken, state.operations);
    }
    for (const state of this.#inRecovery.take()) {
      this.#recoveries += RECOVERIES_PER_STATE;
      const broken = await judgeState(state, setting, this.#ledger);
      if (broken !== null) fails(broken, state.operations);
    }
  }

  #observeRecovery(state: CrashState): Parameters<typeof judgeState>[3] {
    const promised: Promised = {
      model: state.model,
      created: state.created,
      powerLostBefore: state.powerLost,
      operations: state.operations,
      checkpoint: state.checkpoint,
      crashesBefore: state.crashes,
    };
    this.#inRecovery.begin();
    return (world, calls, points) => {
      const at = points === null ? { calls } : { point: "*", hits: points };
      this.#inRecovery.look(world.disk, promised, at);
    };
  }

  result(workloads: number): UnitResult {
    const { counts } = this.#collector;
    const nested = this.#inRecovery.counts;
    return {
      counts: {
        workloads,
        instants: counts.instants + nested.instants,
        completeInstants: counts.completeInstants + nested.completeInstants,
        states: counts.states + nested.states,
        distinctStates: counts.distinctStates + nested.distinctStates,
        statesInRecovery: nested.distinctStates,
        recoveries: this.#recoveries,
      },
      oracles: this.#ledger.evaluations,
      failures: this.#failures,
    };
  }
}

/** One run of a workload, without a crash, looked at from its last step on. */
class WorkloadRun {
  readonly #workload: Workload;
  readonly #setting: JudgeSetting;
  readonly #collector: Collector;

  constructor(workload: Workload, setting: JudgeSetting, collector: Collector) {
    this.#workload = workload;
    this.#setting = setting;
    this.#collector = collector;
  }

  /** What is broken without any crash, or null. */
  async run(): Promise<OracleFailure | null> {
    const { options, mutants } = this.#setting;
    const { operations, lastStepAt } = operationsOf(this.#workload);
    const world = exploreWorld(options, mutants, null);
    const session = new Session(world, options);
    const source = new WorkloadSource(operations);
    const cycle = new LifeCycle(session, source);
    const watch = new Watch(this.#collector, source, session, cycle);
    const observeStructure = world.observer;
    // What is durable is looked at in every crash state; seen here already, it would end the run before them.
    world.beforeTask = null;
    world.observer = (operation, path) => {
      if (operation === "removeFile") observeStructure?.(operation, path);
      watch.onCall(operation, path, source.begun > lastStepAt || this.#workload.steps.length === 0);
    };
    world.pointObserver = () => watch.onPoint(source.begun > lastStepAt || this.#workload.steps.length === 0);
    try {
      for (;;) {
        const end = await world.live((life) => cycle.run(life));
        if (end.kind === "stuck") return stuckFailure(end.reason, [session.doing]);
        if (end.kind === "crashed") {
          cycle.crashed(end.how);
          watch.onKill();
        }
        if (end.kind !== "failed") continue;
        if (!(end.error instanceof WorkloadOver)) throw end.error;
        watch.onEnd();
        return null;
      }
    } catch (error) {
      if (error instanceof OracleFailure) return error;
      throw error;
    }
  }
}

class WorkloadSource implements OperationSource {
  /** Operations that have begun. */
  begun = 0;
  readonly #operations: readonly Operation[];

  constructor(operations: readonly Operation[]) {
    this.#operations = operations;
  }

  next(_state: unknown, number: number): Operation {
    this.begun = number + 1;
    const operation = this.#operations[number];
    if (operation === undefined) throw new WorkloadOver();
    return operation;
  }
}

/** Tells the collector of the instants of a run, and counts calls and crash points as a request for a crash would. */
class Watch {
  readonly #collector: Collector;
  readonly #source: WorkloadSource;
  readonly #session: Session;
  readonly #cycle: LifeCycle;
  #calls = 0;
  #points = 0;
  #hasBegun = false;
  /** The operation that has opened a copy of the store: the rest of what it does is the copy's. */
  #copying = -1;

  constructor(collector: Collector, source: WorkloadSource, session: Session, cycle: LifeCycle) {
    this.#collector = collector;
    this.#source = source;
    this.#session = session;
    this.#cycle = cycle;
  }

  onCall(operation: VFSOperation, path: string, isWatched: boolean): void {
    this.#count();
    this.#calls++;
    if (operation === "lockDirectory" && path.startsWith(CHECKPOINTS)) this.#copying = this.#source.begun;
    if (isWatched) this.#look({ calls: this.#calls });
  }

  onPoint(isWatched: boolean): void {
    this.#count();
    this.#points++;
    if (isWatched) this.#look({ point: "*", hits: this.#points });
  }

  /** In a case the crash is requested by the one before it, and counted from the next life on. */
  onKill(): void {
    this.#calls = 0;
    this.#points = 0;
  }

  onEnd(): void {
    this.#look({ calls: this.#calls + 1 });
  }

  /** Counting begins anew with the first operation, in whose place a case requests its crash. */
  #count(): void {
    if (this.#hasBegun || this.#source.begun === 0) return;
    this.#hasBegun = true;
    this.onKill();
  }

  #look(at: CrashMoment): void {
    const { begun } = this.#source;
    if (this.#copying === begun && begun > 0) return;
    const { model, created, world } = this.#session;
    const copy = model.copy();
    this.#cycle.promiseBuffered(copy);
    const isCheckpoint = this.#session.operations.at(-1)?.kind === "checkpoint";
    const promised: Promised = {
      model: copy,
      created,
      powerLostBefore: false,
      operations: begun,
      checkpoint: isCheckpoint ? `${CHECKPOINTS}${begun - 1}` : null,
      crashesBefore: [],
      // What is left of a checkpoint that has been compared and removed is never synced again, nor asked for.
      isOver: (path) => !isCheckpoint && path.startsWith(CHECKPOINTS),
    };
    this.#collector.look(world.disk, promised, at);
  }
}
