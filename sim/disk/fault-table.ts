/**
 * The table of faults: every row of the model (simulation.md B3, B6), what it asks of the store, and whether it is
 * built. Reports print it whole, so that a fault that never struck, or is not there, is seen; oracles ask it what a run
 * that suffered certain faults may do. Contract classes:
 *
 *   R  recover: nothing acknowledged is lost, and the store does not refuse
 *   D  detect: a typed error and never wrong data; the run may end in a refusal
 *   L  live on: progress again once the fault ends, nothing lost
 *
 * Does not own: the faults, nor the counting.
 */
import type { FaultKind } from "./counters.js";

export type Contract = "R" | "D" | "L";

export interface FaultRow {
  readonly id: string;
  readonly name: string;
  readonly contract: Contract;
  /** Why it is not built, in a few words; null where it is. */
  readonly off: string | null;
}

export const FAULT_ROWS: readonly FaultRow[] = [
  row("S1", "torn write", "R"),
  row("S2", "lost unsynced write", "R"),
  row("S3", "writes persist out of order", "R"),
  row("S4", "intermediate version persists", "R"),
  row("S5", "size apart from data", "R"),
  row("S6", "unsynced create lost", "R"),
  row("S7", "unsynced unlink undone", "R"),
  row("S8", "unlink before an earlier operation", "R"),
  row("S9", "rename undone, or without data", "R"),
  row("S10", "rename not atomic", "D"),
  row("S11", "truncate undone", "R"),
  row("S12", "collateral damage in a sector", "R"),
  row("S13", "read error", "R"),
  row("S14", "latent sector error", "D"),
  row("S15", "bit rot", "D"),
  row("S16", "wrong bytes from one read", "D"),
  row("S17", "wrong bytes written", "D"),
  row("S18", "misdirected write", "D"),
  row("S19", "misdirected read", "D"),
  row("S20", "confirmed write never made", "D"),
  row("S21", "write error", "R"),
  row("S22", "sync error", "R"),
  row("S23", "close error", "R"),
  row("S24", "no space", "L"),
  row("S25", "quota, file too big", "L"),
  row("S26", "too many open files", "L"),
  row("S27", "denied from some time on", "L"),
  row("S28", "busy files (Windows)", "R"),
  row("S29", "EINTR, EAGAIN", "R"),
  row("S30", "short read", "R"),
  row("S31", "short write", "R"),
  row("S32", "error reported, operation done", "R"),
  row("S33", "latency, stalls", "L"),
  row("S34", "completions out of order", "R"),
  row("S35", "stuck I/O", "L"),
  row("S36", "slow window", "L"),
  row("S37", "older copy of the disk", "D", "one node cannot tell: it is a store of the past"),
  row("S38", "wiped disk", "D", "one node has nothing to recover from; refusal tested"),
  row("S39", "stolen lock, second opener", "D"),
  row("S40", "stray files", "R"),
  row("S41", "readdir order, duplicates", "R", "VFS contract: lists are sorted"),
  row("S42", "stale size", "R"),
  row("S43", "allocation failure", "R"),
  row("T1", "order of tasks", "R"),
  row("T2", "injected yields", "R"),
  row("T3", "buggify", "R"),
  row("T4", "clock jumps, drift", "R"),
  row("T5", "long pause", "R"),
  row("T6", "crash in recovery", "R"),
  row("T7", "reopening with other options", "R"),
  row("T8", "crash loop at one site", "L"),
  row("T9", "unknown outcome", "R"),
];

function row(id: string, name: string, contract: Contract, off: string | null = null): FaultRow {
  return { id, name, contract, off };
}

/** Kinds whose class is not that of their row: a sync that lies is not one that fails. */
const OWN_CLASS: Readonly<Partial<Record<FaultKind, Contract>>> = {
  "S22 reported late": "D",
  "S22 not reported": "D",
  "S22 sync lied": "D",
};

/** What a fault of this kind asks of the store. */
export function contractOf(kind: FaultKind): Contract {
  const own = OWN_CLASS[kind];
  if (own !== undefined) return own;
  return FAULT_ROWS.find(({ id }) => id === rowOf(kind))?.contract ?? "R";
}

/** The row that a kind belongs to: "S22" of "S22 sync error". Eviction shows what S22 did. */
export function rowOf(kind: FaultKind): string {
  return kind === "B5 eviction" ? "S22" : (kind.split(" ")[0] as string); // a text has a first part
}
