/**
 * Makes the next operation when it is needed, from the options and from what the run has come to: which snapshots are
 * open, which crash points were seen, whether the store has stopped. Late, because parameters fixed in advance never
 * meet the state that breaks something. What it returns is literal; the run records it, and a recorded list needs no
 * generator.
 */
import { KEY_BYTES_MAX } from "../../src/engine/format/operation.js";
import type { ChoiceStream } from "../choices/choices.js";
import type { CrashMoment, CrashRequest } from "../world/crash-plan.js";
import { VALUE_LENGTH_MAX } from "./bytes.js";
import { KeySpace } from "./key-space.js";
import { isLevelWorkload } from "./level-workloads.js";
import {
  type BackupCall,
  type Bounds,
  CRASH_LOOP_LENGTH,
  MUTATIONS_MAX,
  type Mutation,
  NESTED_CRASHES_MAX,
  type Operation,
  writerOfMutation,
} from "./operation.js";
import type { SimulationOptions } from "./options.js";
import { RecordGenerator } from "./record-generator.js";
import { isRecordWorkload } from "./record-workloads.js";
import { TransactionGenerator } from "./transaction-generator.js";
import { OPERATION_FAMILIES, type OperationFamily } from "./workloads.js";

/** Where operations come from: a generator or a recorded list. Null ends the run. */
export interface OperationSource {
  next(state: WorkloadState, number: number): Operation | null;
}

/** What the generator may look at. */
export interface WorkloadState {
  readonly openSnapshots: readonly number[];
  readonly openIterators: readonly number[];
  readonly openReaders?: readonly number[];
  /** The key at which an iterator stands, if at any. */
  iteratorAt?(id: number): string | null;
  /** The store refuses writes until it is reopened. */
  readonly failedStop: boolean;
  readonly crashArmed: boolean;
  readonly spaceLimited: boolean;
  /** Ids of crash points reached so far, in order of first sight. */
  readonly crashPointsSeen: readonly string[];
}

/** Replays a recorded list. */
export class RecordedOperations implements OperationSource {
  readonly #operations: readonly Operation[];

  constructor(operations: readonly Operation[]) {
    this.#operations = operations;
  }

  next(_state: WorkloadState, number: number): Operation | null {
    return this.#operations[number] ?? null;
  }
}

const OPEN_SNAPSHOTS_MAX = 6;
const OPEN_ITERATORS_MAX = 4;
const OPEN_READERS_MAX = 3;
/** A store that has stopped is soon reopened, but not at once: reads must go on and writes must be refused. */
const REOPEN_AFTER_STOP = 0.3;
/** What a store that has stopped is asked for beside writes. */
const MAINTAIN_AFTER_STOP = 0.2;
const GIVE_SPACE_BACK = 0.07;
const SECOND_OPENS = 0.02;
const MANY_KEYS = 0.1;
const LONG_PAUSES = 0.3;
const LONG_PAUSE_MS = 5_200;
const EMPTY_BATCHES = 0.01;
/** Creating most of all: the others need what it makes. */
const BACKUP_DRAWS: readonly BackupCall[] = [
  "create",
  "create",
  "create",
  "create",
  "restore",
  "verify",
  "delete",
  "prune",
  "damage",
];
/** So many remainders that each backup, and each byte of a small file, has its turn. */
const WHICH = 1 << 20;
const EXTREME_LETTERS = ["a", "m", "\u00ff"] as const;

export class OperationGenerator implements OperationSource {
  readonly #options: SimulationOptions;
  readonly #choices: ChoiceStream;
  readonly #keys: KeySpace;
  readonly #transactions: TransactionGenerator;
  readonly #records: RecordGenerator;
  readonly #weights: readonly number[];
  readonly #weightSum: number;

  constructor(options: SimulationOptions, choices: ChoiceStream) {
    this.#options = options;
    this.#choices = choices;
    this.#keys = new KeySpace(options.keys, choices, isLevelWorkload(options.workload));
    this.#transactions = new TransactionGenerator(options, choices);
    this.#records = new RecordGenerator(options, choices);
    this.#weights = OPERATION_FAMILIES.map((family) => Math.round(options.weights[family] * 100));
    this.#weightSum = this.#weights.reduce((sum, weight) => sum + weight, 0);
  }

  next(state: WorkloadState, number: number): Operation | null {
    if (number >= this.#options.operations) return null;
    if (state.failedStop && this.#chance(REOPEN_AFTER_STOP)) return { kind: "reopen", settles: true };
    if (state.failedStop && this.#chance(MAINTAIN_AFTER_STOP))
      return { kind: this.#one(["flush", "compact"] as const), waits: this.#chance(0.5) };
    if (state.spaceLimited && this.#chance(GIVE_SPACE_BACK)) return { kind: "limitSpace", freeBytes: null };
    const { rivalProbability } = this.#options.world;
    if (rivalProbability > 0 && this.#chance(rivalProbability * SECOND_OPENS)) return { kind: "openSecond" };
    const migration = this.#records.migrationDue();
    if (migration !== null) return migration;
    const crash = state.crashArmed ? null : this.#crash(state);
    return crash ?? this.#ofFamily(this.#family(), state, number);
  }

  #family(): OperationFamily {
    let left = this.#below(this.#weightSum);
    let index = 0;
    while (left >= (this.#weights[index] as number)) left -= this.#weights[index++] as number; // left < sum
    return OPERATION_FAMILIES[index] as OperationFamily;
  }

  #ofFamily(family: OperationFamily, state: WorkloadState, number: number): Operation {
    switch (family) {
      case "write":
        return this.#write(number);
      case "get":
        if (this.#chance(MANY_KEYS)) {
          const keys = Array.from({ length: this.#below(9) }, () => this.#keys.place());
          return { kind: "getMany", keys, ...this.#snapshotOf(state) };
        }
        return {
          kind: "get",
          key: this.#keys.place(),
          blocking: this.#chance(0.5),
          ...this.#snapshotOf(state),
        };
      case "scan":
        return {
          kind: "scan",
          ...this.#bounds(),
          ...(this.#chance(0.5) ? { limit: this.#below(20) } : {}),
          ...this.#snapshotOf(state),
          ...(this.#chance(0.3) ? { awaited: true } : {}),
        };
      case "snapshot":
        return this.#snapshot(state, number);
      case "iterator":
        return this.#iterator(state, number);
      case "flush":
        return { kind: "flush", waits: this.#chance(0.5) };
      case "compact":
        return { kind: "compact", waits: this.#chance(0.5) };
      case "checkpoint":
        return { kind: "checkpoint", restores: this.#chance(0.5) };
      case "verify":
        return { kind: "verify" };
      case "checkAll":
        return { kind: "checkAll" };
      case "settle":
        return { kind: "settle" };
      case "pause":
        // Beside clients who think for that long, everything that they have read must be forgotten.
        if (this.#options.transactions.longThinkProbability > 0 && this.#chance(LONG_PAUSES))
          return { kind: "pause", ms: LONG_PAUSE_MS };
        return { kind: "pause", ms: this.#one([1, 0.1, 5, 20, 200]) };
      case "reopen":
        return { kind: "reopen", settles: this.#chance(0.5) };
      case "space":
        return { kind: "limitSpace", freeBytes: this.#below(this.#one([64, 8])) * 4096 };
      case "dropCaches":
        return { kind: "dropCaches" };
      case "backup":
        return this.#backup();
      case "transact":
        return isRecordWorkload(this.#options.workload)
          ? this.#records.next(state.crashArmed)
          : this.#transactions.next(number);
      case "reader":
        return this.#reader(state, number);
    }
  }

  #reader(state: WorkloadState, number: number): Operation {
    const open = state.openReaders ?? [];
    const waits = this.#chance(0.5);
    const pick = this.#below(20);
    if (pick === 0) return { kind: "openSecond", waitsMs: 1 + this.#below(5) };
    if (open.length === 0 || (pick < 4 && open.length < OPEN_READERS_MAX))
      return { kind: "reader", id: number, does: "open", waits };
    const does = pick < 12 ? "refresh" : pick < 15 ? "pin" : pick < 19 ? "read" : "close";
    return { kind: "reader", id: this.#one(open), does, waits };
  }

  #backup(): Operation {
    const call = this.#one(BACKUP_DRAWS);
    return { kind: "backup", call, which: this.#below(WHICH), waits: this.#chance(0.4) };
  }

  #write(number: number): Operation {
    const { batchMutationsMax, durabilityOverrideProbability, blockingProbability } = this.#options;
    const isEmpty = this.#chance(EMPTY_BATCHES);
    const count = isEmpty ? 0 : Math.min(MUTATIONS_MAX, 1 + this.#below(batchMutationsMax));
    const mutations: Mutation[] = [];
    for (let index = 0; index < count; index++)
      mutations.push(this.#mutation(writerOfMutation(number, index)));
    const blocking = this.#chance(blockingProbability);
    const single = count === 1 && this.#chance(0.5);
    const overrides = this.#chance(durabilityOverrideProbability);
    const durability = this.#chance(0.5) ? "buffered" : "sync";
    const requires = this.#chance(0.02);
    const ahead = this.#below(3);
    return {
      kind: "write",
      call: blocking ? "blocking" : single ? "single" : "batch",
      mutations,
      ...(overrides ? { durability } : {}),
      ...(requires ? { requireAhead: ahead } : {}),
    };
  }

  #mutation(writer: number): Mutation {
    const { extremeProbability } = this.#options;
    const { put, delete: remove, deleteRange } = this.#options.mutations;
    if (extremeProbability > 0 && this.#chance(extremeProbability)) return this.#extreme(writer);
    const pick = this.#below(put + remove + deleteRange);
    if (pick < put) return ["put", this.#keys.pick(), writer, this.#valueBytes()];
    if (pick < put + remove) return ["delete", this.#keys.pick()];
    const [begin, end] = this.#keys.range();
    return ["deleteRange", begin, end];
  }

  /** The longest key, the longest value of a workload, or a key that is longer than keys may be. */
  #extreme(writer: number): Mutation {
    const shape = this.#below(4);
    if (shape >= 2) return ["put", this.#keys.pick(), writer, VALUE_LENGTH_MAX];
    const key = this.#one(EXTREME_LETTERS).repeat(KEY_BYTES_MAX + shape);
    return this.#chance(0.3) ? ["delete", key] : ["put", key, writer, this.#valueBytes()];
  }

  #valueBytes(): number {
    const max = Math.min(this.#options.valueBytesMax, VALUE_LENGTH_MAX);
    const shape = this.#below(8);
    if (shape === 7) return 0;
    return shape === 6 ? max : this.#below(max + 1);
  }

  #snapshot(state: WorkloadState, number: number): Operation {
    const open = state.openSnapshots;
    const full = open.length >= OPEN_SNAPSHOTS_MAX;
    if (open.length === 0 || (!full && this.#chance(0.6))) return { kind: "openSnapshot", id: number };
    return { kind: "closeSnapshot", id: this.#one(open) };
  }

  #iterator(state: WorkloadState, number: number): Operation {
    const open = state.openIterators;
    const pick = this.#below(10);
    if (open.length === 0 || (pick < 2 && open.length < OPEN_ITERATORS_MAX)) {
      return { kind: "openIterator", id: number, ...this.#bounds(), ...this.#snapshotOf(state) };
    }
    const id = this.#one(open);
    if (pick < 7) return { kind: "stepIterator", id, count: 1 + this.#below(10) };
    if (pick < 9) {
      const key = this.#keys.place();
      // Half of the time to where it stands already, which is a place of its own.
      return { kind: "seekIterator", id, key: pick === 8 ? (state.iteratorAt?.(id) ?? key) : key };
    }
    return { kind: "closeIterator", id };
  }

  #bounds(): Bounds {
    const reverse = this.#chance(0.5) ? { reverse: true } : {};
    const shape = this.#below(6);
    const [low, high] = this.#keys.range();
    if (shape === 0) return reverse;
    if (shape === 1) return { ...reverse, gte: low };
    if (shape === 2) return { ...reverse, lt: high };
    if (shape === 3) return { ...reverse, gt: low, lte: high };
    if (shape === 4) return { ...reverse, gte: low, lte: high };
    return { ...reverse, gte: low, lt: high };
  }

  #snapshotOf(state: WorkloadState): { readonly snapshot?: number } {
    if (state.openSnapshots.length === 0 || !this.#chance(0.4)) return {};
    return { snapshot: this.#one(state.openSnapshots) };
  }

  #crash(state: WorkloadState): Operation | null {
    const { everyOperations, nestedProbability } = this.#options.crashes;
    if (everyOperations === 0 || !this.#chance(1 / everyOperations)) return null;
    const moment = this.#moment(state);
    if (moment === null) return null;
    const { crashLoopProbability } = this.#options.world;
    if (crashLoopProbability > 0 && this.#chance(crashLoopProbability)) {
      const again: CrashRequest = { how: this.#crashKind(), at: this.#momentOfRecovery(state) };
      const nested = Array.from({ length: CRASH_LOOP_LENGTH }, () => again);
      return { kind: "crash", how: this.#crashKind(), at: moment, nested };
    }
    const nested: CrashRequest[] = [];
    while (nested.length < NESTED_CRASHES_MAX && this.#chance(nestedProbability)) {
      nested.push({ how: this.#crashKind(), at: this.#momentOfRecovery(state) });
    }
    return { kind: "crash", how: this.#crashKind(), at: moment, nested };
  }

  #crashKind(): CrashRequest["how"] {
    return this.#chance(this.#options.crashes.powerLossProbability) ? "power-loss" : "process-kill";
  }

  #moment(state: WorkloadState): CrashMoment | null {
    const { atCalls, atPoints, atTimes } = this.#options.crashes;
    const possible: ("calls" | "point" | "time")[] = [];
    if (atCalls) possible.push("calls");
    if (atPoints) possible.push("point");
    if (atTimes) possible.push("time");
    if (possible.length === 0) return null;
    const kind = this.#one(possible);
    if (kind === "calls") return { calls: 1 + this.#below(this.#one([4, 16, 64, 256])) };
    if (kind === "time") return { afterMs: this.#below(1000) / this.#one([10, 100, 1000]) };
    const seen = state.crashPointsSeen;
    const named = seen.length > 0 && this.#chance(0.7);
    // By name first, so that points which are seldom reached are crashed at as often as the others.
    if (named) return { point: this.#one(seen), hits: 1 + this.#below(3) };
    return { point: "*", hits: 1 + this.#below(20) };
  }

  /** A recovery makes few calls and reaches few points, so most moments of ordinary work would never come. */
  #momentOfRecovery(state: WorkloadState): CrashMoment {
    const seen = state.crashPointsSeen.filter((id) => /^(recovery|manifest|sstable)\./.test(id));
    if (seen.length === 0 || this.#chance(0.3)) return { calls: 1 + this.#below(64) };
    return { point: this.#one(seen), hits: 1 + this.#below(2) };
  }

  #below(n: number): number {
    return this.#choices.below(n, "workload.below");
  }

  #chance(probability: number): boolean {
    return this.#choices.chance(probability, "workload.chance");
  }

  #one<T>(values: readonly T[]): T {
    return values[this.#choices.below(values.length, "workload.one")] as T; // below(n) < n
  }
}
