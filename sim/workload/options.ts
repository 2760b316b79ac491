/**
 * Everything that a run may vary, as one value: drawn whole from the seed, printed in full with every report and kept
 * in every case. Swarm testing (Groce et al., ISSTA 2012): features are switched fully off in half of the seeds, not
 * just made rare, so that rare combinations get the room to build up. Store sizes are tiny, so that flushes and
 * compactions happen within a few hundred operations.
 * Does not own: what the numbers do (generator, disk, engine).
 */
import type { StoreOptions } from "../../src/engine/options.js";
import type { ChoiceStream } from "../choices/choices.js";
import type { DiskOptions } from "../disk/options.js";
import type { CrashRequest } from "../world/crash-plan.js";
import type { WorldFaults } from "../world/faults.js";
import { SCHEDULE_POLICIES, type SchedulePolicy } from "../world/scheduler.js";
import { DiskDraw, FAULT_NAMES, type FaultName, mayDamage } from "./disk-options.js";
import { Draw, round } from "./draw.js";
import { isLevelWorkload, LEVEL_WORKLOADS } from "./level-workloads.js";
import { isReaderWorkload, READER_WORKLOADS } from "./reader-workloads.js";
import { isRecordWorkload, RECORD_WORKLOADS } from "./record-workloads.js";
import {
  drawTransactions,
  NO_TRANSACTIONS,
  SLOW_LIFE_OPERATIONS,
  type TransactionOptions,
} from "./transaction-options.js";
import { isLayerWorkload, isTransactionWorkload, TRANSACTION_WORKLOADS } from "./transaction-workloads.js";
import {
  BACKUP_WORKLOADS,
  OPERATION_FAMILIES,
  type OperationFamily,
  STORE_WORKLOADS,
  WORKLOADS,
  type WorkloadName,
} from "./workloads.js";
import { drawWorld } from "./world-options.js";

export { FAULT_NAMES, type FaultName, parseFaults } from "./disk-options.js";

export interface KeySpaceOptions {
  readonly count: number;
  /** The hot ones among them, and how often a key is taken from those. */
  readonly hot: number;
  readonly hotProbability: number;
  /** Whether a few keys are hundreds of bytes long. */
  readonly long: boolean;
}

export interface CrashOptions {
  /** Mean number of operations between crash requests; 0 is never. */
  readonly everyOperations: number;
  readonly powerLossProbability: number;
  /** How probable it is that the recovery after a crash crashes too, and so on. */
  readonly nestedProbability: number;
  readonly atCalls: boolean;
  readonly atPoints: boolean;
  readonly atTimes: boolean;
}

/** Everything that a seed decides before the run begins. */
export interface SimulationOptions {
  readonly workload: WorkloadName;
  readonly operations: number;
  readonly schedule: SchedulePolicy;
  readonly buggify: boolean;
  /** Relative frequency of each family of operations; 0 is off. */
  readonly weights: Readonly<Record<OperationFamily, number>>;
  /** Relative frequency of mutations within commits. */
  readonly mutations: { readonly put: number; readonly delete: number; readonly deleteRange: number };
  readonly batchMutationsMax: number;
  readonly valueBytesMax: number;
  /** Commits that may be in flight while the workload goes on. */
  readonly committersMax: number;
  /** How often a commit overrides the durability of the store, and how often it goes through writeSync. */
  readonly durabilityOverrideProbability: number;
  readonly blockingProbability: number;
  readonly keys: KeySpaceOptions;
  readonly crashes: CrashOptions;
  readonly store: StoreOptions;
  readonly disk: DiskOptions;
  /** How probable it is that a crash is followed by rot in a log record that must not be lost. */
  readonly logRotProbability: number;
  /** Crashes of the first lives, before any operation: while the store is created. In cases only, never drawn. */
  readonly firstCrashes: readonly CrashRequest[];
  /** What happens to time, turns and the process. */
  readonly world: WorldFaults;
  /** What each later process opens the store with, in turn, as changes of `store` (T7). Empty: always the same. */
  readonly reopenings: readonly StoreOptions[];
  /** How probable it is that a mutation has a key or value of the greatest length, or a key that is too long. */
  readonly extremeProbability: number;
  readonly transactions: TransactionOptions;
}

/** What the caller of a run decides; the seed decides the rest. */
export interface SwarmLimits {
  readonly workloads: readonly WorkloadName[];
  readonly faults: readonly FaultName[];
}

/** The store alone. */
export const DEFAULT_LIMITS: SwarmLimits = {
  workloads: [...Object.keys(STORE_WORKLOADS), ...Object.keys(READER_WORKLOADS)] as WorkloadName[],
  faults: FAULT_NAMES,
};

export const READER_LIMITS: SwarmLimits = {
  workloads: Object.keys(READER_WORKLOADS) as WorkloadName[],
  faults: FAULT_NAMES,
};

export const TRANSACTION_LIMITS: SwarmLimits = {
  workloads: Object.keys(TRANSACTION_WORKLOADS) as WorkloadName[],
  faults: FAULT_NAMES,
};

export const RECORD_LIMITS: SwarmLimits = {
  workloads: Object.keys(RECORD_WORKLOADS) as WorkloadName[],
  faults: FAULT_NAMES,
};

export const BACKUP_LIMITS: SwarmLimits = {
  workloads: Object.keys(BACKUP_WORKLOADS) as WorkloadName[],
  faults: FAULT_NAMES,
};

export const LEVEL_LIMITS: SwarmLimits = {
  workloads: Object.keys(LEVEL_WORKLOADS) as WorkloadName[],
  faults: FAULT_NAMES,
};

/** What `sim run` draws from. A seed whose workload is one of the store is the same run as under `DEFAULT_LIMITS`. */
export const ALL_LIMITS: SwarmLimits = {
  workloads: Object.keys(WORKLOADS) as WorkloadName[],
  faults: FAULT_NAMES,
};

/** Share of transactions among the seeds that may be either. One costs some six times a store's, so half of the time is theirs. */
const TRANSACTION_SEEDS = 0.125;

/** Share of the layers above the storage among the seeds of transactions. */
const LAYER_SEEDS = 0.2;

/** Share of records among the seeds that may be anything. */
const RECORD_SEEDS = 0.08;

/** Share of readers beside the writer among the seeds of the store. */
const READER_SEEDS = 0.08;
/** Share of backups among the seeds that may be anything. */
const BACKUP_SEEDS = 0.06;

/** Of those with clients that think for long: most of what that finds, transactions find. */
const SLOW_RECORD_SEEDS = 0.3;

/** Share of the interface of Level among the seeds of the store. */
const LEVEL_SEEDS = 0.06;

/** What the largest commits may hold: a seed is to be over within milliseconds. */
const COMMIT_BYTES = 1200;

const LOG_ROT_SEEDS = 0.05;
/** Share of seeds whose store cannot keep up. */
const PRESSED_SEEDS = 0.15;
/** Of them, those whose tables rot until compaction must stop; and how likely a read then finds a new rotten bit. */
const ROTTING_SEEDS = 0.2;
const ROT = 3e-3;

/** Draws the options of a seed. Every draw is made whatever the limits are, so that limits do not shift the others. */
export function drawOptions(choices: ChoiceStream, limits: SwarmLimits): SimulationOptions {
  const draw = new Draw(choices);
  const ofStore = limits.workloads.filter(isOfStore);
  const workload = draw.one(ofStore.length === 0 ? DEFAULT_LIMITS.workloads : ofStore);
  const factors = {} as Record<OperationFamily, number>;
  for (const family of DRAWN_FAMILIES) {
    const weight = 1 + draw.upTo(9);
    const on = draw.half();
    factors[family] = on || ALWAYS_ON.includes(family) ? weight : 0;
  }
  if (!limits.faults.includes("noSpace")) factors.space = 0;
  const weights = weightsOf(workload, factors);
  const mutations = {
    put: draw.half() ? 1 + draw.upTo(9) : 0,
    delete: draw.half() ? 1 + draw.upTo(5) : 0,
    deleteRange: draw.half() ? 1 + draw.upTo(2) : 0,
  };
  // Without puts there is nothing to delete.
  mutations.put = Math.max(mutations.put, 3);
  const count = 10 + draw.upTo(190);
  const valueBytesMax = draw.one([100, 0, 8, 32, 32, 100, 400, 1000, 3000]);
  const batchMutationsMax = draw.one([1, 1, 2, 4, 8, 24]);
  const disk = new DiskDraw(draw, limits.faults);
  const drawn = {
    workload,
    operations: shortMostly(draw.upTo(400)),
    schedule: draw.one(SCHEDULE_POLICIES),
    buggify: !draw.chance(0.2),
    weights,
    mutations,
    batchMutationsMax: Math.min(batchMutationsMax, Math.ceil(COMMIT_BYTES / (valueBytesMax + 20))),
    valueBytesMax,
    committersMax: draw.half() ? 1 : 2 + draw.upTo(6),
    durabilityOverrideProbability: draw.half() ? draw.fraction() : 0,
    blockingProbability: draw.half() ? 0 : draw.fraction() / 2,
    keys: {
      count,
      hot: 1 + draw.upTo(Math.floor(count / 4)),
      hotProbability: draw.one([0, 0.5, 0.8, 0.95]),
      long: draw.chance(0.25),
    },
    crashes: drawCrashes(draw),
    store: drawStore(draw),
    disk: disk.first(),
    logRotProbability: draw.chance(LOG_ROT_SEEDS) && limits.faults.includes("logRot") ? 0.5 : 0,
    firstCrashes: [],
    world: drawWorld(draw, limits.faults),
    reopenings: drawReopenings(draw, limits.faults),
    extremeProbability: draw.chance(EXTREME_SEEDS) ? 0.01 : 0,
    transactions: NO_TRANSACTIONS,
  };
  const options: SimulationOptions = { ...drawn, disk: disk.later(drawn.disk) };
  const pressed = draw.chance(PRESSED_SEEDS);
  const rots = draw.chance(ROTTING_SEEDS) && limits.faults.includes("bitRot");
  const complete = pressed ? underPressure(draw, options, rots) : options;
  const layered = withRecords(draw, withTransactions(draw, complete, limits, factors), limits, factors);
  const above = withReaders(draw, layered, limits, factors);
  const whole = above === complete ? withBackups(draw, complete, limits, factors) : above;
  const onMachine = { ...whole, disk: disk.machine(whole.disk) };
  return withBlockingSyncs(withLevel(draw, onMachine, limits, factors));
}

/**
 * Half of the seeds sync commits that come one by one on the caller's thread, whatever the disk takes. Told by a number that is drawn
 * anyway, so that no other draw moves.
 */
function withBlockingSyncs(options: SimulationOptions): SimulationOptions {
  const blockingSyncMicros = options.keys.count % 2 === 0 ? 1_000_000 : 0;
  return { ...options, store: { ...options.store, blockingSyncMicros } };
}

function isOfStore(name: WorkloadName): boolean {
  const isOther = [
    isTransactionWorkload,
    isRecordWorkload,
    isReaderWorkload,
    isBackupWorkload,
    isLevelWorkload,
  ];
  return !isOther.some((is) => is(name));
}

/** Drawn behind everything, as each addition is. */
function withReaders(
  draw: Draw,
  options: SimulationOptions,
  limits: SwarmLimits,
  factors: Readonly<Record<OperationFamily, number>>,
): SimulationOptions {
  const names = limits.workloads.filter(isReaderWorkload);
  const chosen = draw.chance(READER_SEEDS) || names.length === limits.workloads.length;
  if (names.length === 0 || !chosen || !isOfStore(options.workload)) return options;
  const workload = draw.one(names);
  return { ...options, workload, weights: weightsOf(workload, factors) };
}

function isBackupWorkload(name: WorkloadName): boolean {
  return Object.hasOwn(BACKUP_WORKLOADS, name);
}

/** Drawn behind the store's workloads, so that the draws of those stay where they are. */
function withTransactions(
  draw: Draw,
  options: SimulationOptions,
  limits: SwarmLimits,
  factors: Readonly<Record<OperationFamily, number>>,
): SimulationOptions {
  const names = limits.workloads.filter(isTransactionWorkload);
  const ofLayers = names.filter(isLayerWorkload);
  const ofStorage = names.filter((name) => !isLayerWorkload(name));
  const isEither = limits.workloads.some(isOfStore);
  const chosen = draw.chance(TRANSACTION_SEEDS) || !isEither;
  if (names.length === 0 || !chosen) return options;
  const drawn = draw.one(ofStorage.length === 0 ? names : ofStorage);
  const transactions = drawTransactions(draw);
  const isDrawnOfLayers = draw.chance(LAYER_SEEDS);
  const isOfLayers = ofLayers.length > 0 && (isDrawnOfLayers || ofStorage.length === 0);
  const workload = isOfLayers ? draw.one(ofLayers) : drawn;
  const weights = weightsOf(workload, factors);
  return withClients({ ...options, workload, weights, transactions });
}

/** Drawn last, so that all other seeds stay what they were. */
function withRecords(
  draw: Draw,
  options: SimulationOptions,
  limits: SwarmLimits,
  factors: Readonly<Record<OperationFamily, number>>,
): SimulationOptions {
  const names = limits.workloads.filter(isRecordWorkload);
  const chosen = draw.chance(RECORD_SEEDS) || names.length === limits.workloads.length;
  if (names.length === 0 || !chosen) return options;
  const workload = draw.one(names);
  const weights = weightsOf(workload, factors);
  const transactions = drawTransactions(draw);
  // Each writes a dozen keys and has all of them judged.
  const operations = Math.ceil(options.operations / 2);
  const complete = { ...options, workload, weights, transactions, operations };
  return draw.chance(SLOW_RECORD_SEEDS)
    ? withClients(complete)
    : { ...complete, transactions: { ...transactions, longThinkProbability: 0 } };
}

/** Of seeds of the store alone, and behind all other draws, so that the rest stays what it was. */
function withBackups(
  draw: Draw,
  options: SimulationOptions,
  limits: SwarmLimits,
  factors: Readonly<Record<OperationFamily, number>>,
): SimulationOptions {
  const names = limits.workloads.filter(isBackupWorkload);
  const chosen = draw.chance(BACKUP_SEEDS) || names.length === limits.workloads.length;
  if (names.length === 0 || !chosen) return options;
  const workload = draw.one(names);
  return { ...options, workload, weights: weightsOf(workload, factors) };
}

/** Drawn behind those, in place of seeds of the store. */
function withLevel(
  draw: Draw,
  options: SimulationOptions,
  limits: SwarmLimits,
  factors: Readonly<Record<OperationFamily, number>>,
): SimulationOptions {
  const names = limits.workloads.filter(isLevelWorkload);
  const chosen = draw.chance(LEVEL_SEEDS) || names.length === limits.workloads.length;
  if (names.length === 0 || !chosen || !isOfStore(options.workload)) return options;
  const workload = draw.one(names);
  return { ...options, workload, weights: weightsOf(workload, factors) };
}

/** Clients that think for long need lives in which old history is forgotten. */
function withClients(options: SimulationOptions): SimulationOptions {
  if (options.transactions.longThinkProbability === 0) return options;
  return {
    ...options,
    operations: Math.max(options.operations, SLOW_LIFE_OPERATIONS),
    weights: { ...options.weights, pause: Math.max(options.weights.pause, 10) },
    crashes: { ...options.crashes, everyOperations: SLOW_LIFE_OPERATIONS },
  };
}

function weightsOf(
  workload: WorkloadName,
  factors: Readonly<Record<OperationFamily, number>>,
): Record<OperationFamily, number> {
  const { families } = WORKLOADS[workload];
  const weights = {} as Record<OperationFamily, number>;
  for (const family of DRAWN_FAMILIES) weights[family] = round(families[family] * factors[family]);
  weights.transact = families.transact;
  weights.reader = families.reader;
  weights.backup = families.backup;
  return weights;
}

/**
 * Many writers on a store that is always behind: commits that wait, stalls, segments that fill at once, full disks, and
 * closing in the midst of it. Rarely met otherwise, for each of these needs several options to be small at a time.
 */
function underPressure(draw: Draw, options: SimulationOptions, rots: boolean): SimulationOptions {
  const { weights, store, disk } = options;
  const level0StallFiles = 2 + draw.upTo(1);
  return {
    ...options,
    committersMax: 4 + draw.upTo(4),
    weights: { ...weights, reopen: 3 * weights.reopen, space: 4 * weights.space },
    store: {
      ...store,
      memtableBytes: 4096,
      immutableMemtablesMax: 1,
      level0CompactionFiles: 1,
      level0StallFiles,
      level0LimitFiles: level0StallFiles + 1 + draw.upTo(6),
      slowdownDebtBytes: draw.one([0, 4096, 65_536]),
      pendingCommitsMax: draw.one([10_000, 4]),
      beatRows: draw.one([16, 1, 4]),
    },
    disk: rots ? { ...disk, faults: { ...disk.faults, bitRot: ROT } } : disk,
  };
}

/** As many sets as are drawn; a few of the options of each differ, so that their effects can be told apart. */
function drawReopenings(draw: Draw, allowed: readonly FaultName[]): readonly StoreOptions[] {
  const count = draw.half() ? 1 + draw.upTo(REOPENINGS_MAX - 1) : 0;
  const reopenings: StoreOptions[] = [];
  for (let index = 0; index < REOPENINGS_MAX; index++) {
    const other = drawStore(draw);
    const change: Record<string, unknown> = {};
    for (const group of REOPENED_TOGETHER) {
      if (draw.chance(REOPENED_SHARE)) for (const name of group) change[name] = other[name];
    }
    if (index < count && allowed.includes("reopening")) reopenings.push(change);
  }
  return reopenings;
}

const EXTREME_SEEDS = 0.1;
const REOPENINGS_MAX = 4;
const REOPENED_SHARE = 0.35;
/** Options that are changed together, since only together they are legal or make sense. */
const REOPENED_TOGETHER: readonly (readonly (keyof StoreOptions)[])[] = [
  ["durability"],
  ["memtableBytes", "immutableMemtablesMax"],
  ["blockBytes"],
  ["blockCacheBytes"],
  ["tableCacheBytes"],
  ["bloomBitsPerKey"],
  ["compression"],
  ["checksum"],
  ["groupCommitsMax"],
  ["bufferedSyncMs"],
  ["pendingCommitsMax"],
  ["compaction", "levelRatio"],
  ["levelBaseBytes"],
  ["tableBytes"],
  ["level0CompactionFiles", "level0StallFiles", "level0LimitFiles"],
  ["slowdownDebtBytes"],
  ["beatRows"],
];

/** From [0, 400]: 20 to 148 operations in four of five seeds, up to 468 in the fifth. Many short runs find more a second. */
function shortMostly(drawn: number): number {
  return drawn <= 320 ? 20 + Math.floor(drawn * 0.4) : 148 + 4 * (drawn - 320);
}

/** What a workload of its own is about: always on there, and no draw of the others. */
const OWN_FAMILIES: readonly OperationFamily[] = ["transact", "reader", "backup"];
const DRAWN_FAMILIES = OPERATION_FAMILIES.filter((family) => !OWN_FAMILIES.includes(family));
/** A run that writes nothing or reads nothing proves nothing. */
const ALWAYS_ON: readonly OperationFamily[] = ["write", "get"];

function drawCrashes(draw: Draw): CrashOptions {
  return {
    everyOperations: draw.one([30, 8, 15, 20, 30, 60]),
    powerLossProbability: 0.7,
    nestedProbability: draw.half() ? 0 : draw.fraction() / 2,
    atCalls: draw.half(),
    atPoints: draw.half(),
    atTimes: draw.half(),
  };
}

function drawStore(draw: Draw): StoreOptions {
  const level0CompactionFiles = 1 + draw.upTo(3);
  const level0StallFiles = level0CompactionFiles + 1 + draw.upTo(4);
  return {
    durability: draw.one(["sync", "sync", "sync", "buffered", "buffered", "none"]),
    memtableBytes: draw.one([4096, 4096, 4096, 8192, 16_384, 65_536]),
    immutableMemtablesMax: 1 + draw.upTo(2),
    blockBytes: 256 << draw.upTo(4),
    blockCacheBytes: draw.one([16_384, 0, 4096, 65_536]),
    tableCacheBytes: draw.one([0, 4096, 65_536, 1_048_576]),
    bloomBitsPerKey: draw.one([10, 0, 1, 4, 16]),
    compression: draw.chance(0.04) ? "deflate" : "none",
    checksum: draw.chance(0.01) ? "blake3" : "crc32",
    groupCommitsMax: draw.one([512, 1, 2, 8]),
    bufferedSyncMs: draw.one([100, 1, 5, 20, 1000]),
    pendingCommitsMax: draw.one([10_000, 10_000, 10_000, 1, 4]),
    compaction: draw.chance(0.25) ? "tiered" : "leveled",
    levelBaseBytes: 4096 << draw.upTo(3),
    levelRatio: 2 + draw.upTo(4),
    tableBytes: 2048 << draw.upTo(3),
    level0CompactionFiles,
    level0StallFiles,
    level0LimitFiles: level0StallFiles + 1 + draw.upTo(4),
    slowdownDebtBytes: draw.one([268_435_456, 0, 16_384]),
    beatRows: draw.one([512, 1, 4, 16, 64]),
  };
}

/** Whether damage may make the store refuse, so that refusing is a legal end. */
export function mayRefuse(options: SimulationOptions): boolean {
  return mayDamage(options.disk) || options.logRotProbability > 0;
}
