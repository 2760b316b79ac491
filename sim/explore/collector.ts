/**
 * Gathers the crash states of a running life: at each instant at which something has changed since the last one, every
 * state that a power loss or a process kill may leave, each once. An instant lies before a VFS call, at a crash point, or
 * at the end of the run; what was acknowledged by then belongs to the state. Does not own: judging states (`judge.ts`),
 * which of several legal states there are (`crash-answers.ts`).
 */
import type { CrashItem } from "../disk/crash-items.js";
import { mix } from "../disk/fault-dice.js";
import type { CrashKind, SimulationDisk } from "../disk/simulation-disk.js";
import type { Model } from "../model/model.js";
import type { CrashMoment } from "../world/crash-plan.js";
import { type Answers, visitCrashStates } from "./crash-answers.js";

/** One crash as a case would request it. */
export interface TakenCrash {
  readonly how: CrashKind;
  /**
   * Counted from the begin of the life for a crash that follows another one, a step "kill" included, and for one while
   * the store is created; else from the first operation.
   */
  readonly at: CrashMoment;
  readonly answers: Answers;
}

/** What a crash has left, and what was promised by then. */
export interface CrashState {
  readonly disk: SimulationDisk;
  readonly model: Model;
  /** Whether a store was open before, so that there must be one. */
  readonly created: boolean;
  /** Whether the power failed, since the last recovery. */
  readonly powerLost: boolean;
  /** How many operations had begun; none of the later ones is part of a case. */
  readonly operations: number;
  /** Where a checkpoint is being taken, which is there whole or not at all. */
  readonly checkpoint: string | null;
  readonly crashes: readonly TakenCrash[];
}

/** What is promised at this moment. */
export interface Promised {
  readonly model: Model;
  readonly created: boolean;
  readonly powerLostBefore: boolean;
  readonly operations: number;
  readonly checkpoint: string | null;
  readonly crashesBefore: readonly TakenCrash[];
  /** Paths of things that nobody will ask about: they keep their newest state in every crash. */
  readonly isOver?: (path: string) => boolean;
}

export interface CollectorCounts {
  instants: number;
  /** Of these, instants at which every combination of kept and lost was taken. */
  completeInstants: number;
  /** Legal crash states, process kills included, before any was found to be the same as another. */
  states: number;
  distinctStates: number;
}

/** States that are known, by everything that their judgement depends on. Shared by runs with a common beginning. */
export type KnownStates = Set<string>;

export class Collector {
  readonly counts: CollectorCounts = { instants: 0, completeInstants: 0, states: 0, distinctStates: 0 };
  #found: CrashState[] = [];
  readonly #known: KnownStates;
  /** Choices taken at instants with this durable state and these promises: their state is known without making it. */
  #taken = new Set<number>();
  #takenFor = "";
  #changes = -1;

  constructor(known: KnownStates) {
    this.#known = known;
  }

  /** Another disk, whose instants have nothing to do with those of the last one. */
  begin(): void {
    this.#taken = new Set();
    this.#takenFor = "";
    this.#changes = -1;
  }

  /** States found since the last call. */
  take(): CrashState[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  /** An instant. The model is not kept. */
  look(disk: SimulationDisk, promised: Promised, at: CrashMoment): void {
    const { changes } = disk;
    const digest = digestOf(promised);
    const takenFor = `${disk.durableVersion} ${digest}`;
    if (changes === this.#changes && takenFor === this.#takenFor) return;
    this.#changes = changes;
    if (takenFor !== this.#takenFor) this.#taken = new Set();
    this.#takenFor = takenFor;
    this.counts.instants++;
    const items = disk
      .crashItems()
      .map((item) => (promised.isOver?.(item.path) === true ? { ...item, sequences: [] } : item));
    const { created, operations, checkpoint, crashesBefore } = promised;
    const add = (left: SimulationDisk, how: CrashKind, answers: Answers): void => {
      this.counts.distinctStates++;
      this.#found.push({
        disk: left,
        model: promised.model.copy(),
        created,
        powerLost: how === "power-loss" || promised.powerLostBefore,
        operations,
        checkpoint,
        crashes: [...crashesBefore, { how, at, answers: [...answers] }],
      });
    };
    this.counts.states++;
    // What is not durable stays so: each instant has a kill of its own.
    add(disk.crashedCopy([], "process-kill"), "process-kill", []);
    const isComplete = visitCrashStates(items, (answers) => {
      this.counts.states++;
      const choice = choiceKey(items, answers);
      if (this.#taken.has(choice)) return;
      this.#taken.add(choice);
      const left = disk.crashedCopy(answers);
      const key = `${left.hashDurable()} ${digest}`;
      if (this.#known.has(key)) return;
      this.#known.add(key);
      add(left, "power-loss", answers);
    });
    if (isComplete) this.counts.completeInstants++;
  }
}

/** Everything that a judgement depends on beside the disk. */
function digestOf({ model, created, powerLostBefore }: Promised): string {
  const commits = model.commits.map(({ operation, outcome, version, mutations }) => [
    operation,
    outcome,
    version,
    mutations,
  ]);
  const { base, resolved, resolvedVersion, floorAfterKill, floorAfterPowerLoss, versionsUsed } = model;
  const numbers = [base, resolved, resolvedVersion, floorAfterKill, floorAfterPowerLoss, versionsUsed];
  return JSON.stringify([created, powerLostBefore, numbers, commits]);
}

/** What is kept, as one number: the same for the same unsynced versions, at whatever instant. */
function choiceKey(items: readonly CrashItem[], answers: Answers): number {
  let low = 0;
  let high = 0;
  items.forEach((item, index) => {
    const answer = answers[index] as number; // as many as items
    const alternatives = item.sequences.length + 1;
    const kept = item.sequences[answer % alternatives];
    if (kept === undefined) return;
    const place = item.kind === "page" ? item.page + 2 : item.kind === "size" ? 1 : 0;
    const one = mix(mix(mix(kept, item.file), place), Math.floor(answer / alternatives));
    // Sums, so that the order of things and things that are lost do not matter.
    low = (low + one) >>> 0;
    high = (high + mix(one, 0x5bd1)) >>> 0;
  });
  return high * 0x20_0000 + (low >>> 11);
}
