/** What one run did, in numbers that add up over runs. Plain data. */
import { FAULT_KINDS, type FaultKind } from "../disk/counters.js";
import { VFS_OPERATIONS, type VFSOperation } from "../disk/disk-state.js";
import { ORACLE_IDS, type OracleId } from "../oracles/failure.js";
import { OPERATION_KINDS, type OperationKind } from "../workload/operation.js";
import { noWorldFaults, type WorldFaultKind } from "../world/faults.js";

/** What runs have done and met, in numbers that can be added up. */
export interface RunCounts {
  operations: number;
  commits: number;
  acknowledged: number;
  processKills: number;
  powerLosses: number;
  crashStates: number;
  recoveries: number;
  reopens: number;
  /** Runs that ended early because damage was found, as it must be. */
  refusals: number;
  steps: number;
  vfsCalls: number;
  virtualMs: number;
  readonly operationKinds: Record<OperationKind, number>;
  readonly faults: Record<FaultKind, number>;
  readonly worldFaults: Record<WorldFaultKind, number>;
  readonly oracles: Record<OracleId, number>;
  /** Crash points reached, and those at which the machine went down. */
  readonly crashPointHits: Record<string, number>;
  readonly crashPointCrashes: Record<string, number>;
  /** Coverage marks reached, and buggify sites that took their rare branch. */
  readonly marks: Record<string, number>;
  readonly buggifySites: Record<string, number>;
  /** Places of mutants reached, switched on or not; empty unless they are watched. */
  readonly mutantSites: Record<string, number>;
  /** VFS calls of the engine, by kind. */
  readonly vfsOperations: Record<VFSOperation, number>;
  /** Errors that reached the workload, by code. */
  readonly errors: Record<string, number>;
  /** Syncs by the place that asks for them; empty unless they are counted. */
  readonly syncSites: Record<string, number>;
}

export function emptyCounts(): RunCounts {
  return {
    operations: 0,
    commits: 0,
    acknowledged: 0,
    processKills: 0,
    powerLosses: 0,
    crashStates: 0,
    recoveries: 0,
    reopens: 0,
    refusals: 0,
    steps: 0,
    vfsCalls: 0,
    virtualMs: 0,
    operationKinds: zeros(OPERATION_KINDS),
    faults: zeros(FAULT_KINDS),
    worldFaults: noWorldFaults(),
    oracles: zeros(ORACLE_IDS),
    crashPointHits: {},
    crashPointCrashes: {},
    marks: {},
    buggifySites: {},
    mutantSites: {},
    vfsOperations: zeros(VFS_OPERATIONS),
    errors: {},
    syncSites: {},
  };
}

/** Adds `more` to `sum`, in place. */
export function addCounts(sum: RunCounts, more: RunCounts): void {
  const target = sum as unknown as Record<string, number | Record<string, number>>;
  for (const [name, value] of Object.entries(
    more as unknown as Record<string, number | Record<string, number>>,
  )) {
    if (typeof value === "number") target[name] = (target[name] as number) + value;
    else addInto(target[name] as Record<string, number>, value);
  }
}

function addInto(sum: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + value;
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}
