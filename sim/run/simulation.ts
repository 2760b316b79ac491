/**
 * One run of one seed or case: builds the machine, lets life follow life, and reports what came of it. Never throws for
 * what the engine did; a failure is part of the result. Does not own: drawing options, repeating for determinism
 * (`seed.ts`), many seeds (`ensemble.ts`).
 */
import { installProbes } from "../../src/platform/probes.js";
import { type ChoiceLog, type Choices, STREAM_NAMES } from "../choices/choices.js";
import { VFS_OPERATIONS } from "../disk/disk-state.js";
import type { PowerLossReport } from "../disk/power-loss-report.js";
import { SimulationDisk } from "../disk/simulation-disk.js";
import { singIfAsked } from "../mutants/canary.js";
import { ENGINE_SITES } from "../mutants/engine-sites.js";
import { Sabotage } from "../mutants/sabotage.js";
import type { RunFingerprint } from "../oracles/determinism.js";
import { OracleFailure, type OracleId } from "../oracles/failure.js";
import { stuckFailure } from "../oracles/liveness.js";
import { Trace } from "../trace/trace.js";
import type { OperationSource } from "../workload/generator.js";
import type { Operation } from "../workload/operation.js";
import { mayRefuse, type SimulationOptions } from "../workload/options.js";
import type { RunRecorder } from "../world/run-recorder.js";
import { World } from "../world/world.js";
import { checkDamagedStore } from "./checks.js";
import type { RunCounts } from "./counts.js";
import { prepareLevel } from "./level-loader.js";
import { LifeCycle } from "./life.js";
import { blameWorldFirst } from "./pending.js";
import type { CrashNote } from "./segments.js";
import { DamageFound, Session } from "./session.js";

/** A life that takes this many turns, or this much virtual time, on one operation is stuck. */
const STEPS_MAX = 200_000;
const QUIET_MS_MAX = 600_000;

/** Everything that one run is made of. */
export interface SimulationSetup {
  readonly options: SimulationOptions;
  readonly choices: Choices;
  readonly source: OperationSource;
  /** Ids of planted bugs, of automatic mutants (`sim/mutants/sabotage.ts`), or the canary's. */
  readonly mutants: readonly string[];
  /** Whether places of mutants that are off are counted. */
  readonly watchesMutants?: boolean;
  /** Counts syncs by the place that asks for them, which costs time. */
  readonly countsSyncs?: boolean;
  /** Whether lines of the trace are kept. */
  readonly recording: boolean;
  /** Hears of everything, for a page (`sim/viewer`). Changes nothing about the run. */
  readonly recorder?: RunRecorder;
  /** Turns that the whole run may take before it counts as stuck; by default there is no end. */
  readonly stepsInAllMax?: number;
  /** Called once before the first life, for lints that listen to the run. */
  readonly onSession?: (session: Session) => void;
  /** Hears of each power loss, what was not synced and what became of it. */
  readonly onPowerLoss?: (report: PowerLossReport) => void;
}

export interface SimulationFailure {
  /** Null: not an oracle but the simulator itself failed. */
  readonly oracle: OracleId | null;
  readonly message: string;
  readonly stack: string;
}

/** What one run has come to. */
export interface SimulationResult {
  readonly failure: SimulationFailure | null;
  readonly operations: readonly Operation[];
  readonly choices: ChoiceLog;
  readonly counts: RunCounts;
  readonly fingerprint: RunFingerprint;
  readonly traceLines: readonly string[];
  /** For comparing this run with another one event by event. */
  readonly trace: Trace;
  /** In order. */
  readonly crashes: readonly CrashNote[];
}

export async function simulate(setup: SimulationSetup): Promise<SimulationResult> {
  const { options, choices } = setup;
  const trace = new Trace(setup.recording);
  const world = new World(
    {
      schedule: options.schedule,
      buggify: options.buggify,
      faults: options.world,
      mutants: setup.mutants,
      watchesMutants: setup.watchesMutants ?? false,
      stepsMax: STEPS_MAX,
      stepsInAllMax: setup.stepsInAllMax ?? Number.POSITIVE_INFINITY,
      quietMsMax: QUIET_MS_MAX,
    },
    choices,
    trace,
    (timers) => new SimulationDisk(options.disk, choices, trace, timers),
  );
  world.recorder = setup.recorder ?? null;
  world.disk.recorder = setup.recorder?.disk ?? null;
  const sabotage = new Sabotage(ENGINE_SITES, setup.mutants);
  if (sabotage.isArmed || setup.countsSyncs === true) world.disk.sabotage = sabotage;
  if (mayRefuse(options)) world.disk.damageAllowed = (path) => path.endsWith(".sst");
  world.disk.onPowerLoss = setup.onPowerLoss ?? null;
  await prepareLevel(options.workload);
  const session = new Session(world, options);
  const cycle = new LifeCycle(session, setup.source);
  setup.onSession?.(session);
  let failure: SimulationFailure | null = null;
  const restore = catchStrayRejections(session);
  try {
    await liveOn(session, cycle);
    singIfAsked(session.ledger, setup.mutants);
  } catch (error) {
    if (error instanceof DamageFound && mayRefuse(options)) session.counts.refusals++;
    else failure = describeFailure(error);
  } finally {
    restore();
  }
  trace.text("end", failure === null ? "passed" : failure.message);
  gather(session);
  for (const [id, times] of sabotage.struck) session.counts.mutantSites[id] = times;
  if (setup.countsSyncs === true) Object.assign(session.counts.syncSites, Object.fromEntries(sabotage.calls));
  return {
    failure,
    operations: session.operations,
    choices: choices.log(),
    counts: session.counts,
    fingerprint: fingerprintOf(session),
    traceLines: trace.lines(),
    trace,
    crashes: session.crashes,
  };
}

/** Runs life after life until one says that it was the last. */
async function liveOn(session: Session, cycle: LifeCycle): Promise<void> {
  const { world, counts } = session;
  for (;;) {
    const end = await world.live((life) => cycle.run(life));
    if (end.kind === "crashed") {
      if (end.how === "power-loss") counts.powerLosses++;
      else counts.processKills++;
      const point = /^crash point (.*)$/.exec(end.where)?.[1];
      if (point !== undefined) counts.crashPointCrashes[point] = (counts.crashPointCrashes[point] ?? 0) + 1;
      cycle.crashed(end.how);
      continue;
    }
    if (end.kind === "stuck") {
      const failure = stuckFailure(end.reason, end.pending);
      throw cycle.showsLiveness ? blameWorldFirst(session, failure) : failure;
    }
    if (end.kind === "failed") {
      if (end.error instanceof DamageFound) await examineDamage(session);
      throw end.error;
    }
    if (end.value === "done") return;
  }
}

/**
 * Damage ends a run; what can still be read must be right. Needs no running process: reads are synchronous. A client may
 * say what it has found while the store is being closed, and then there is nothing left to read.
 */
async function examineDamage(session: Session): Promise<void> {
  if (!session.hasStore || session.closing) return;
  const before = installProbes(session.world.probes);
  try {
    checkDamagedStore(session);
  } finally {
    installProbes(before);
  }
}

/**
 * While a run goes on, promises that are rejected without a handler are a finding (or, after a crash, the remains of a
 * dead process), not the end of this process. Returns how to go back.
 */
function catchStrayRejections(session: Session): () => void {
  const before = process.rawListeners("unhandledRejection") as ((...given: unknown[]) => void)[];
  const onStray = (reason: unknown): void => {
    if (session.ended()) return;
    session.found(new OracleFailure("O16", `a promise was rejected and nobody was told: ${reason}`, reason));
  };
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", onStray);
  return () => {
    process.removeListener("unhandledRejection", onStray);
    for (const listener of before) process.on("unhandledRejection", listener);
  };
}

export function describeFailure(error: unknown): SimulationFailure {
  if (error instanceof OracleFailure) {
    return { oracle: error.oracle, message: error.message, stack: stackOf(error) };
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { oracle: null, message, stack: stackOf(error) };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const own = error.stack ?? "";
  return error.cause === undefined ? own : `${own}\ncaused by ${stackOf(error.cause)}`;
}

/** Moves what others counted into the counts of the run. */
function gather(session: Session): void {
  const { counts, world, ledger, honesty, disk } = session;
  counts.steps = world.steps;
  counts.virtualMs = world.clock.nowMs();
  counts.vfsCalls = disk.counters.calls;
  counts.crashStates = disk.counters.crashStates;
  Object.assign(counts.faults, disk.counters.faults);
  Object.assign(counts.worldFaults, world.faultCounts);
  for (const times of world.probes.fired.values()) counts.worldFaults["T3 buggify"] += times;
  Object.assign(counts.oracles, ledger.evaluations);
  for (const [id, hits] of world.probes.hits) counts.crashPointHits[id] = hits;
  for (const [id, hits] of world.probes.marks) counts.marks[id] = hits;
  for (const [id, hits] of world.probes.fired) counts.buggifySites[id] = hits;
  for (const [id, hits] of world.probes.mutantSites) counts.mutantSites[id] = hits;
  VFS_OPERATIONS.forEach((operation, index) => {
    counts.vfsOperations[operation] = disk.counters.callsOf[index] ?? 0;
  });
  for (const [code, times] of honesty.surfaced) counts.errors[code] = times;
}

function fingerprintOf(session: Session): RunFingerprint {
  const { world } = session;
  const streams: Record<string, readonly [number, number]> = {};
  for (const name of STREAM_NAMES) {
    const stream = world.choices.stream(name);
    streams[name] = [stream.next, stream.random.peekUint32()];
  }
  return {
    traceHash: world.trace.hash(),
    traceLength: world.trace.length,
    durableHash: world.disk.hashDurable(),
    clockUs: world.clock.nowUs,
    streams,
  };
}
