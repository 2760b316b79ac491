/**
 * One process life in order: open and judge what recovery brought back; carry out operations; in the end, with faults
 * off, show that everything finishes, and close. Returns whether another life follows. A crash ends it anywhere.
 */
import { SimulatedCrash } from "../disk/errors.js";
import { slowestCallMs } from "../disk/life-faults.js";
import type { Commit } from "../model/commit.js";
import type { Model } from "../model/model.js";
import { CrashLoop, useOf } from "../oracles/crash-loop.js";
import { checkFailureTold } from "../oracles/error-honesty.js";
import { OracleFailure } from "../oracles/failure.js";
import { checkNoOrphans } from "../oracles/file-lifetime.js";
import { checkNoLeaks } from "../oracles/leaks.js";
import { checkRecoveredVersion } from "../oracles/manifest-monotonicity.js";
import { checkOnceStored } from "../oracles/once-stored.js";
import { judgeRecovery } from "../oracles/recovery.js";
import type { OperationSource, WorkloadState } from "../workload/generator.js";
import { CRASH_LOOP_LENGTH, OPERATION_KINDS } from "../workload/operation.js";
import type { CrashRequest } from "../world/crash-plan.js";
import { latenessMs } from "../world/faults.js";
import type { Life } from "../world/world.js";
import { checkDurableState, checkSealLeft, checkStructure, FRESH_KEY, readAll } from "./checks.js";
import { checkUnfinishedCopy, examineCutOffCheckpoint } from "./copies.js";
import { DurableWatch } from "./durable-watch.js";
import { Executor } from "./executor.js";
import { callLate, checkClosedReaders, willCallLate } from "./late-calls.js";
import { comeToRest } from "./liveness-phase.js";
import { rotLog } from "./log-rot.js";
import { openStore } from "./opening.js";
import { explainLiveness } from "./pending.js";
import { QuietOpening } from "./quiet-opening.js";
import { disturbClosing, disturbOpening, losesPowerAtRest } from "./rare-moments.js";
import { RunSegments } from "./segments.js";
import { DamageFound, type Session } from "./session.js";
import { checkForeignFiles, plantStrays } from "./strays.js";

/** `done`: the run is over. */
export type AfterLife = "another" | "done";

/** How often a store is opened before the faults that prevent it are switched off. */
const OPEN_ATTEMPTS_MAX = 5;
/** After a recovery from a crash: how probable another crash is before anything is written (O13). */
const CRASH_AGAIN = 0.1;
/** The same when the life before had stopped, for then the disk and the page cache may differ. */
const CRASH_AFTER_STOP = 0.3;
const LAST_TURNS_MS = 1;
const LAST_TURNS_MAX = 100;

export class LifeCycle {
  readonly #session: Session;
  readonly #source: OperationSource;
  readonly #executor: Executor;
  #phase: "safety" | "liveness" | "last" = "safety";
  /** Crashes that wait for the next recoveries. */
  #nested: CrashRequest[] = [];
  #afterCrash = false;
  #afterStop = false;
  #powerLost = false;
  /** Whether the trace of commits is that of this life: what a crash has taken, the model forgets when it judges the recovery. */
  #isJudged = false;
  #hasRestarted = false;
  #logIsRotten = false;
  readonly #segments: RunSegments;
  readonly #watch: DurableWatch;
  readonly #crashLoop: CrashLoop;
  readonly #quietOpening: QuietOpening;

  constructor(session: Session, source: OperationSource) {
    this.#session = session;
    this.#source = source;
    this.#executor = new Executor(session);
    this.#segments = new RunSegments(session);
    this.#watch = new DurableWatch(session);
    this.#crashLoop = new CrashLoop(session.ledger);
    this.#quietOpening = new QuietOpening(session);
    this.#nested = [...session.options.firstCrashes];
  }

  /** Everything is off by now that could be in the way of progress. */
  get showsLiveness(): boolean {
    return this.#phase !== "safety";
  }

  /** To be called when a life has ended in a crash. */
  crashed(how: CrashRequest["how"]): void {
    const { faultCounts } = this.#session.world;
    if (this.#afterCrash) faultCounts["T6 nested crash"]++;
    this.#crashLoop.crashed(useOf(this.#session.storeDirectory));
    if (this.#crashLoop.length === CRASH_LOOP_LENGTH) faultCounts["T8 crash loop"]++;
    faultCounts["T9 unknown outcome"] += this.#session.model.commits.filter(isUndecided).length;
    this.#afterCrash = true;
    this.#quietOpening.crashed();
    if (how === "power-loss" || this.#session.failStop.logIsLost) this.#powerLost = true;
    this.promiseBuffered(this.#session.model);
    if (how === "power-loss") {
      this.#session.readers.powerLost();
      checkUnfinishedCopy(this.#session);
    }
    this.#session.copyBeingMade = null;
    if (this.#phase === "last") this.#phase = "liveness";
    if (how === "power-loss") this.#watch.powerLost();
    this.#watch.compareWith(checkDurableState(this.#session));
    const { world, disk, options } = this.#session;
    const choices = world.choices.stream("crash");
    if (
      this.#phase === "safety" &&
      how === "power-loss" &&
      !this.#logIsRotten &&
      !disk.lossShows &&
      choices.chance(options.logRotProbability, "crash.rots")
    ) {
      this.#logIsRotten = rotLog(disk, choices);
      if (this.#logIsRotten) this.#watch.logRots();
    }
  }

  /** A buffered commit is promised to be durable after a while, as long as the log can be written. */
  promiseBuffered(model: Model): void {
    const { world, options, storeOptions, failStop, hasStore } = this.#session;
    if (!this.#isJudged || !hasStore || failStop.stopped || this.#session.store.inspect().failedStop) return;
    if (this.#session.disk.wasStuck) return;
    const windowMs =
      (storeOptions.bufferedSyncMs ?? BUFFERED_SYNC_MS) +
      // One sync that was under way already, and the one that covers what came meanwhile.
      2 * slowestCallMs(options.disk) +
      TURNS_MS +
      latenessMs(options.world, options.schedule);
    model.promiseBuffered(world.runningUs / 1000 - windowMs);
  }

  async run(life: Life): Promise<AfterLife> {
    const session = this.#session;
    session.beginLife(life);
    this.#isJudged = false;
    const request = this.#phase === "safety" ? this.#nested.shift() : undefined;
    // Not into a loop of crashes, whose own leftovers are being counted.
    if (this.#phase === "safety" && this.#crashLoop.length < 2) plantStrays(session);
    if (request !== undefined) session.world.crashes.arm(request);
    if (this.#phase === "safety") {
      disturbOpening(session);
    }
    await this.#open();
    await this.#judgeRecovery();
    if (this.#phase === "safety") {
      const after = await this.#operate();
      if (after === "reopen") {
        await this.#close();
        return "another";
      }
      this.#phase = "liveness";
      this.#segments.operationsEnd();
      if (session.world.crashes.armed !== null) this.#crashNow(session.world.crashes.armed.how);
    }
    if (this.#phase === "liveness") {
      this.#endFaults();
      // They hold files that have no name any more, and space is to be there.
      await session.readers.end();
      const rested = await this.#showLiveness();
      this.#hasRestarted ||= !rested;
      await this.#close();
      if (rested) this.#phase = "last";
      return "another";
    }
    // Nothing was lost by closing in order, and nothing is left behind: the recovery has compared the content.
    checkNoOrphans(session.ledger, session.store.inspect(), session.listStore());
    await this.#close();
    return "done";
  }

  async #open(): Promise<void> {
    const session = this.#session;
    const { disk, options, world } = session;
    session.doing = "opening the store";
    if (this.#phase !== "safety") this.#endFaults();
    if (session.storeOptions !== options.store) world.faultCounts["T7 other options"]++;
    for (let attempt = 1; ; attempt++) {
      session.fileNumbers.opening();
      const checkQuiet = this.#quietOpening.opening(attempt, this.#powerLost);
      try {
        const store = await openStore(session);
        session.checkAlive();
        session.opened(store);
        checkQuiet(store);
        if (this.#logIsRotten) {
          throw new OracleFailure(
            "O23",
            "the store opens though a record of its log that was durable has rotted",
          );
        }
        break;
      } catch (error) {
        const verdict = session.judge(error, "open");
        if (verdict === "damage") {
          session.ledger.count("O23");
          throw new DamageFound("open");
        }
        if (attempt > OPEN_ATTEMPTS_MAX) {
          if (disk.damage.length > 0) throw new DamageFound("open");
          throw new OracleFailure("O15", `the store does not open though no fault is left: ${error}`, error);
        }
        if (attempt === OPEN_ATTEMPTS_MAX) this.#endFaults();
        session.world.progress();
      }
    }
    if (this.#phase === "safety") {
      session.faultsAreOn = true;
      disk.faultsOn();
    }
  }

  async #judgeRecovery(): Promise<void> {
    const session = this.#session;
    const { store, model, ledger, world, counts, idempotence } = session;
    session.doing = "reading what recovery brought back";
    const rows = await session.retrying("a scan after recovery", () => readAll(store));
    if (session.disk.lossShows) {
      checkOnceStored(ledger, session.operations, rows, FRESH_KEY, session.transactor.hasStored);
      throw new DamageFound("a recovery after a loss that no store could prevent");
    }
    const { shortest, longest } = judgeRecovery(ledger, model, rows, this.#powerLost);
    checkRecoveredVersion(ledger, model, shortest, store.version);
    model.resolve(longest, store.version);
    this.#isJudged = true;
    session.transactor.opened(rows, longest);
    idempotence.recovered(rows, store.version);
    if (session.transactor.layers !== null) await session.transactor.layers.check("after a recovery");
    checkStructure(session);
    await examineCutOffCheckpoint(session);
    await session.backups.recovered();
    await session.retrying("reading the files of others", () => checkForeignFiles(session));
    world.trace.event(TRACE_RECOVERED, longest, store.version, rows.length);
    if (world.trace.recording) world.trace.line(`recovered to commit ${longest}, version ${store.version}`);
    world.recorder?.happens("note", `recovered to commit ${longest}, version ${store.version}`);
    this.#powerLost = false;
    this.#crashLoop.recovered();
    counts.recoveries++;
    const { probability, choices } = this.#afterCrash
      ? { probability: CRASH_AGAIN, choices: world.choices.stream("crash") }
      : { probability: this.#afterStop ? CRASH_AFTER_STOP : 0, choices: world.choices.stream("rest") };
    this.#afterCrash = false;
    this.#afterStop = false;
    if (this.#phase !== "safety") return;
    if (choices.chance(probability, "crash.again")) {
      this.#crashNow(choices.chance(0.5, "crash.again-how") ? "power-loss" : "process-kill");
    }
  }

  /** Runs operations until the source ends, or asks for a new process. */
  async #operate(): Promise<"reopen" | "end"> {
    const session = this.#session;
    const { world, operations, counts } = session;
    const { trace } = world;
    for (;;) {
      session.checkAlive();
      world.progress();
      const number = operations.length;
      const operation = this.#source.next(this.#workloadState(), number);
      if (operation === null) return "end";
      operations.push(operation);
      this.#segments.operation(number, operation.kind === "crash");
      counts.operations++;
      counts.operationKinds[operation.kind]++;
      trace.event(TRACE_OPERATION, number, OPERATION_KINDS.indexOf(operation.kind), 0);
      if (trace.recording) trace.line(`operation ${number} ${JSON.stringify(operation)}`);
      session.doing = `operation ${number} (${operation.kind})`;
      if (operation.kind === "crash") this.#nested = [...operation.nested];
      if ((await this.#executor.run(operation, number)) === "reopen") return "reopen";
    }
  }

  /** Before a missing answer is called the engine's fault, the world is shown to allow one. */
  async #showLiveness(): Promise<boolean> {
    try {
      return await comeToRest(this.#session, this.#executor, !this.#hasRestarted);
    } catch (error) {
      throw explainLiveness(this.#session, error);
    }
  }

  /** Clean end of the process: nothing is lost, nothing left open. */
  async #close(): Promise<void> {
    const session = this.#session;
    const { store, model, world, inFlight, ledger, disk, counts, life } = session;
    session.doing = "closing the store";
    await session.level?.close();
    const callsLate = willCallLate(session);
    if (!callsLate) {
      for (const { snapshot } of session.snapshots.values()) snapshot.close();
      for (const { iterator } of session.iterators.values()) iterator.close();
    }
    if (this.#phase === "safety") disturbClosing(session);
    let clean = true;
    session.closing = true;
    const stoppedBefore = store.inspect().failedStop;
    try {
      session.transactor.closing();
      const closing = store.close();
      if (callsLate) {
        // Judged when it is awaited, below.
        closing.catch(() => undefined);
        await callLate(session, closing);
      }
      await closing;
    } catch (error) {
      session.judge(error, "close");
      clean = false;
    }
    session.checkAlive();
    if (callsLate) checkClosedReaders(session);
    const { failedStop, minWalNumber } = store.inspect();
    if (clean) checkFailureTold(ledger, stoppedBefore, failedStop);
    this.#afterStop = failedStop;
    this.#quietOpening.closed(clean && !failedStop, minWalNumber);
    session.closed();
    await inFlight.waitBelow(0);
    session.checkAlive();
    // A failed sync may take from the page cache what it should have kept, and a store that logs nothing until a
    // memtable is sealed has only its memory: for both, ending after a failure is like losing power.
    const { failStop, storeOptions } = session;
    if (failStop.logIsLost || (failStop.stopped && storeOptions.durability === "none"))
      this.#powerLost = true;
    if (clean) {
      model.durableUpTo(model.acknowledgedUpTo());
      session.onPromise?.({ kind: "close", what: `close after commit ${model.acknowledgedUpTo()}` });
    }
    world.trace.text("close", clean ? "clean" : "with an error");
    // What the store has deferred already may still run, to find that there is nothing to do.
    for (let round = 0; round === 0 || (life.scheduler.tasksPending > 0 && round < LAST_TURNS_MAX); round++) {
      await session.pause(LAST_TURNS_MS);
    }
    session.checkAlive();
    const tasks = life.scheduler.tasksPending - session.readers.tasksPending;
    checkNoLeaks(ledger, disk.shutdown(), life.scheduler.timersPending, tasks);
    counts.reopens++;
    if (!clean || failedStop) checkSealLeft(session);
    // What closing has promised must not be in the page cache only.
    if (!losesPowerAtRest(session)) return;
    session.readers.powerLost();
    this.#powerLost = true;
    this.#watch.powerLost();
    this.#watch.compareWith(checkDurableState(session));
  }

  #endFaults(): void {
    const session = this.#session;
    const { disk, world, options } = session;
    world.crashes.disarm();
    world.calm();
    session.faultsAreOn = false;
    disk.faultsOff();
    disk.setCapacity(options.disk.capacityBytes);
    session.spaceLimited = false;
  }

  #crashNow(how: CrashRequest["how"]): never {
    this.#session.world.crashNow(how, this.#session.doing);
    throw new SimulatedCrash();
  }

  #workloadState(): WorkloadState {
    const { snapshots, iterators, readers, level, failStop, world, spaceLimited } = this.#session;
    return {
      openSnapshots: level?.openSnapshots ?? [...snapshots.keys()],
      openIterators: level?.openIterators ?? [...iterators.keys()],
      openReaders: readers.ids,
      iteratorAt: (id) => level?.iteratorAt(id) ?? iterators.get(id)?.position?.key ?? null,
      failedStop: failStop.stopped,
      crashArmed: world.crashes.armed !== null,
      spaceLimited,
      crashPointsSeen: [...world.probes.hits.keys()],
    };
  }
}

function isUndecided({ outcome }: Commit): boolean {
  return outcome === "pending" || outcome === "unknown";
}

/** The default of the store, for options that do not say. */
const BUFFERED_SYNC_MS = 100;
/** What turns of the scheduler may add to a window. */
const TURNS_MS = 20;

const TRACE_OPERATION = 1000;
const TRACE_RECOVERED = 1003;
