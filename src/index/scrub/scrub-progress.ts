/**
 * How far the scrub of an index has come, and what it has found: one row, written by the transaction that has looked and repaired,
 * so that whoever goes on neither leaves anything out nor counts it twice.
 *
 *     (scrubs, index id) → (generation, phase, position, scanned, dangling, missing, wrong, shared, repaired, values, is shared)
 *
 * A position is a key behind its subspace: of the last row in the first phase and in a comparison, of the last item in the second.
 */
import type { Subspace } from "../../keyspace/subspace.js";
import { pack, unpack } from "../../keyspace/tuple.js";
import { KEYSPACE } from "../../record/keyspace.js";
import { RecordError } from "../../record/record-error.js";
import type { ReadTransaction, Transaction } from "../../transaction/transaction.js";

/** From rows to items, from items to rows; of two copies of an aggregation, group by group. */
export type ScrubPhase = "entries" | "items" | "comparison";

const PHASES: readonly ScrubPhase[] = ["entries", "items", "comparison"];

export interface ScrubTotals {
  /** Rows and items, or groups. */
  readonly scanned: number;
  /** Rows that belong to no item, or not to what it is now. */
  readonly dangling: number;
  /** Rows that an item should have, and has not. */
  readonly missing: number;
  /** Rows with another value than they should have. */
  readonly wrong: number;
  /** Values of a unique index that several items have. */
  readonly sharedValues: number;
  /** Rows that were removed, added or changed. */
  readonly repaired: number;
}

export interface ScrubState extends ScrubTotals {
  /** Of the copy that is scrubbed. */
  readonly generation: number;
  readonly phase: ScrubPhase;
  readonly position: Uint8Array;
  /** Of the row at the position: its values, and whether they have been counted as shared. */
  readonly values: Uint8Array;
  readonly isShared: boolean;
}

const NONE = new Uint8Array(0);

export function firstState(generation: number, phase: ScrubPhase): ScrubState {
  return {
    generation,
    phase,
    position: NONE,
    scanned: 0,
    dangling: 0,
    missing: 0,
    wrong: 0,
    sharedValues: 0,
    repaired: 0,
    values: NONE,
    isShared: false,
  };
}

export class ScrubProgress {
  readonly #key: Uint8Array;

  constructor(root: Subspace, indexId: number) {
    this.#key = root.pack([KEYSPACE.scrubs, indexId]);
  }

  /** Undefined: none is under way. Throws `CORRUPTION`. */
  async read(reader: ReadTransaction): Promise<ScrubState | undefined> {
    const stored = await reader.get(this.#key);
    return stored === undefined ? undefined : decoded(stored);
  }

  write(transaction: Transaction, state: ScrubState): void {
    const { generation, phase, position, scanned, dangling, missing, wrong, sharedValues, repaired } = state;
    const counts = [scanned, dangling, missing, wrong, sharedValues, repaired];
    transaction.set(
      this.#key,
      pack([generation, PHASES.indexOf(phase), position, ...counts, state.values, state.isShared]),
    );
  }

  clear(transaction: Transaction): void {
    transaction.clear(this.#key);
  }
}

function decoded(stored: Uint8Array): ScrubState {
  const [generation, phase, position, ...rest] = unpack(stored);
  const [scanned, dangling, missing, wrong, sharedValues, repaired, values, isShared] = rest;
  const counts = [scanned, dangling, missing, wrong, sharedValues, repaired, generation];
  const name = typeof phase === "number" ? PHASES[phase] : undefined;
  const isState =
    counts.every((count) => typeof count === "number") &&
    position instanceof Uint8Array &&
    values instanceof Uint8Array &&
    typeof isShared === "boolean";
  if (!isState || name === undefined) {
    throw new RecordError(
      "CORRUPTION",
      "the position of a scrub cannot be read. Scrub with the option restart.",
    );
  }
  const totals = { scanned, dangling, missing, wrong, sharedValues, repaired } as ScrubTotals;
  return { ...totals, generation: generation as number, phase: name, position, values, isShared };
}
