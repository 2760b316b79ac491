/**
 * How large a case is, in what a reader has to take in: operations first, then faults (decisions that inject something
 * or lose something at a crash; the crash itself is an operation), other decisions, the bulk of the operations, options.
 */
import type { SimulationCase } from "../cases/case.js";
import { shortOptions } from "../cases/short-options.js";

/** How much there is in a case, for comparing. */
export interface CaseSize {
  readonly operations: number;
  readonly faults: number;
  /** Decisions about order, time and the like. */
  readonly decisions: number;
  /** Characters of the operations, and fields of the options that are not plain. */
  readonly characters: number;
  readonly options: number;
}

/** Streams whose answers do harm; the others decide about order, time and rare branches. */
export function isFaultStream(stream: string): boolean {
  return stream.startsWith("disk.") || stream === "crash" || stream === "clock" || stream === "lateness";
}

export function sizeOf(one: SimulationCase): CaseSize {
  let faults = 0;
  let decisions = 0;
  for (const [stream, entries] of Object.entries(one.choices)) {
    if (isFaultStream(stream)) faults += entries.length;
    else decisions += entries.length;
  }
  return {
    operations: one.operations.length,
    faults,
    decisions,
    characters: JSON.stringify(one.operations).length,
    options: countLeaves(shortOptions(one.options)),
  };
}

/** Negative when `a` is smaller. The first number that differs decides. */
export function compareSizes(a: CaseSize, b: CaseSize): number {
  return (
    a.operations - b.operations ||
    a.faults - b.faults ||
    a.decisions - b.decisions ||
    a.options - b.options ||
    a.characters - b.characters
  );
}

function countLeaves(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, part) => sum + countLeaves(part), 0);
}
