/**
 * One seed of a user's scenario: a machine, the scenario until the machine goes down at a moment of the seed (or after
 * its end), then the check on what is left. Replays exactly from the choices that it logged. Does not own: many seeds,
 * root causes, messages (`simulate.ts`).
 */
import { type ChoiceLog, Choices } from "../choices/choices.js";
import { type DiskOptions, SOUND_DISK } from "../disk/options.js";
import { type CrashItem, type CrashKind, SimulationDisk } from "../disk/simulation-disk.js";
import { Inodes } from "../node-fs/inodes.js";
import { Trace } from "../trace/trace.js";
import { CALM_WORLD } from "../world/faults.js";
import { SCHEDULE_POLICIES } from "../world/scheduler.js";
import { type Life, type LifeEnd, World } from "../world/world.js";
import { type CheckContext, SCENARIO_DIRECTORY, type ScenarioContext, simulatedProcess } from "./scenario.js";

export interface Subject<Input, Promised> {
  readonly scenario: (context: ScenarioContext<Input, Promised>) => unknown;
  readonly check: (context: CheckContext<Input, Promised>) => unknown;
  readonly input: Input;
  readonly disk: Partial<DiskOptions>;
  readonly kinds: readonly CrashKind[];
}

/** How one seed went. */
export interface SeedRun<Promised> {
  /** Null: all is well. */
  readonly failure: SeedFailure | null;
  readonly crash: CrashKind;
  readonly where: string;
  readonly acknowledged: readonly Promised[];
  /** What was not synced when the power failed; empty after a kill. */
  readonly items: readonly CrashItem[];
  /** Calls on the disk until the machine went down. */
  readonly calls: number;
  readonly log: ChoiceLog;
  readonly traceHash: string;
}

export interface SeedFailure {
  readonly stage: "scenario" | "check";
  readonly error: unknown;
}

const STEPS_MAX = 200_000;
const QUIET_MS_MAX = 60_000;
/** While something of Node itself, such as a stream, goes on between its own ticks. */
const HEARTBEAT_MS = 10;

/** `callsMax`: the crash comes before one of so many calls; null: not before the end. */
export async function runSeed<Input, Promised>(
  subject: Subject<Input, Promised>,
  choices: Choices,
  callsMax: number | null,
): Promise<SeedRun<Promised>> {
  const options = choices.stream("options");
  const schedule = SCHEDULE_POLICIES[options.below(3, "options.schedule")] ?? "fifo";
  const kind = subject.kinds[options.below(subject.kinds.length, "options.kind")] ?? "power-loss";
  const moment = callsMax === null ? null : 1 + options.below(callsMax, "options.moment");
  const trace = new Trace();
  const disk = { ...SOUND_DISK, ...subject.disk };
  const world = new World<SimulationDisk>(
    {
      schedule,
      buggify: false,
      faults: CALM_WORLD,
      mutants: [],
      stepsMax: STEPS_MAX,
      quietMsMax: QUIET_MS_MAX,
      stepsInAllMax: STEPS_MAX,
    },
    choices,
    trace,
    (timers) => new SimulationDisk(disk, choices, trace, timers),
  );
  const inodes = new Inodes(() => world.clock.wallMs());
  await prepare(world);
  const machine: Machine = { world, inodes, choices };
  const acknowledged: Promised[] = [];
  let items: readonly CrashItem[] = [];
  world.onCrash = (how) => {
    if (how === "power-loss") items = world.disk.crashItems();
  };
  const callsBefore = world.disk.counters.calls;
  if (moment !== null) world.crashes.arm({ how: kind, at: { calls: moment } });
  const end = await liveScenario(machine, subject, acknowledged);
  const calls = world.disk.counters.calls - callsBefore;
  world.crashes.disarm();
  if (end.kind === "finished") {
    if (kind === "power-loss") items = world.disk.crashItems();
    world.disk.crash(kind);
  }
  const crash = end.kind === "crashed" ? end.how : kind;
  const where = end.kind === "crashed" ? end.where : "the end of the scenario";
  const failure =
    failureOf("scenario", end) ??
    failureOf("check", await liveCheck(machine, subject, acknowledged, crash, end.kind === "finished"));
  return { failure, crash, where, acknowledged, items, calls, log: choices.log(), traceHash: trace.hash() };
}

interface Machine {
  readonly world: World<SimulationDisk>;
  readonly inodes: Inodes;
  readonly choices: Choices;
}

/** The disk may fail this too: then again, since the scenario is promised its directory. */
async function prepare(world: World<SimulationDisk>): Promise<void> {
  for (let tries = 0; tries < PREPARE_TRIES_MAX; tries++) {
    const end = await world.live(async ({ platform: { vfs } }) => {
      if (!vfs.list("/").includes(SCENARIO_DIRECTORY.slice(1))) vfs.makeDirectory(SCENARIO_DIRECTORY);
      vfs.syncDirectory("/");
    });
    world.disk.shutdown();
    if (end.kind === "finished") return;
  }
}

const PREPARE_TRIES_MAX = 100;

function liveScenario<Input, Promised>(
  { world, inodes, choices }: Machine,
  { scenario, input }: Subject<Input, Promised>,
  acknowledged: Promised[],
): Promise<LifeEnd<unknown>> {
  return world.live(async (life) => {
    const process = simulatedProcess(life, world.disk, inodes, choices, input);
    return withHeartbeat(life, async () =>
      scenario({
        ...process,
        acknowledge: (what) => {
          if (life.crashed) return;
          acknowledged.push(what);
          world.progress();
        },
        crash: (how = "power-loss") => {
          world.crashNow(how, "crash()");
          process.vfs.stat("/");
          throw new Error("unreachable: every call of a crashed process throws");
        },
      }),
    );
  });
}

function liveCheck<Input, Promised>(
  { world, inodes, choices }: Machine,
  { check, input }: Subject<Input, Promised>,
  acknowledged: readonly Promised[],
  crash: CrashKind,
  finished: boolean,
): Promise<LifeEnd<unknown>> {
  return world.live(async (life) => {
    const process = simulatedProcess(life, world.disk, inodes, choices, input);
    return withHeartbeat(life, async () => check({ ...process, acknowledged, crash, finished }));
  });
}

/** Keeps a life from counting as stuck while ticks of Node are pending that the scheduler does not know of. */
async function withHeartbeat<T>(life: Life, main: () => Promise<T>): Promise<T> {
  let ended = false;
  const beat = () => {
    if (!ended) life.scheduler.after(HEARTBEAT_MS, beat);
  };
  beat();
  try {
    return await main();
  } finally {
    ended = true;
  }
}

function failureOf(stage: SeedFailure["stage"], end: LifeEnd<unknown>): SeedFailure | null {
  if (end.kind === "failed") return { stage, error: end.error };
  if (end.kind !== "stuck") return null;
  const message = `the ${stage} does not come to an end: ${end.reason}. Only the simulated fs, clock and scheduler go on in it, no real timer or I/O.`;
  return { stage, error: new Error(message) };
}
