/**
 * One transaction of a scrub of a flat index, in either phase (features DF-44). It reads what it looks through at one version,
 * without conflicts, so that it holds up nobody and nobody it; what looks wrong there is read again with conflicts, row and item
 * both, before it is repaired. So a repair commits only if neither was written meanwhile: no live write is ever repaired away.
 *
 * | phase   | looks at                | finds                                                                    |
 * |---|---|---|
 * | entries | each row, then its item | rows of no item, of what an item was, with another value; shared values |
 * | items   | each item, then its rows | rows that are missing, or have another value                            |
 *
 * Owns no loop, waits for nothing. An item that cannot be decoded ends the scrub with its own error: that is no matter of an index.
 */
import { compareKeys } from "../../engine/format/bytes.js";
import { pack } from "../../keyspace/tuple.js";
import type { TupleElement } from "../../keyspace/tuple-elements.js";
import { mutant } from "../../platform/probes.js";
import type { RecordItem } from "../../record/item.js";
import type { ItemStore } from "../../record/item-store.js";
import type { KeyValue, ReadTransaction, Transaction } from "../../transaction/transaction.js";
import { rangeBehind } from "../build/item-scan.js";
import type { EntrySource, IndexEntry } from "../kind.js";
import { type MaintainedIndex, selected } from "../maintenance.js";
import { CountedReads } from "./counted-reads.js";
import type { ScrubState } from "./scrub-progress.js";

export type ScrubProblem = "dangling" | "missing" | "wrong";

/** One row that is not as it should be. */
export interface ScrubFinding {
  readonly problem: ScrubProblem;
  readonly collection: string;
  readonly index: string;
  /** Undefined for a row whose key is none of the index, and for a group. */
  readonly primaryKey: TupleElement | undefined;
  /** Of the row. */
  readonly key: Uint8Array;
  readonly isRepaired: boolean;
}

/** What is scrubbed. */
export interface FlatScrub {
  readonly index: MaintainedIndex;
  readonly entries: EntrySource;
  readonly items: ItemStore;
  readonly repair: boolean;
}

export interface ScrubLimits {
  readonly entries: number;
  readonly bytes: number;
  /** Whether time is up. */
  isLate(): boolean;
}

export interface ScrubBatch {
  readonly state: ScrubState;
  readonly findings: readonly ScrubFinding[];
  /** Nothing is left of this phase. */
  readonly isLast: boolean;
}

/** From rows to items. */
export async function scrubEntries(
  scrub: FlatScrub,
  transaction: Transaction,
  state: ScrubState,
  limits: ScrubLimits,
): Promise<ScrubBatch> {
  const { space } = scrub.index.maintainer.context;
  const reader = new CountedReads(transaction.snapshot);
  const { begin, end } = space.range();
  const from = state.position.length === 0 ? begin : Buffer.concat([space.prefix, state.position, NEXT]);
  const limit = limits.entries + (mutant("I23-scrub-position-ahead") ? 1 : 0);
  const findings: ScrubFinding[] = [];
  let { scanned, sharedValues, values, isShared, position } = state;
  let isLast = true;
  let done = 0;
  for await (const row of reader.getRange(from, end, { limit })) {
    position = row[0].subarray(space.prefix.length);
    if (done === limits.entries) break;
    const judged = await judgeRow(scrub, reader, row);
    if (judged.problem !== null) {
      findings.push(await settled(scrub, transaction, row[0], judged));
    } else if (scrub.index.stored.declaration.unique === true) {
      const own = row[0].subarray(space.prefix.length, judged.expected?.valueBytes);
      const isSame = compareKeys(own, values) === 0;
      if (isSame && !isShared) sharedValues++;
      isShared = isSame;
      values = own;
    }
    done++;
    scanned++;
    isLast = done < limits.entries && reader.bytes < limits.bytes && !limits.isLate();
    if (!isLast && !mutant("I23-scrub-position-ahead")) break;
  }
  return {
    state: { ...counted(state, findings), scanned, sharedValues, values, isShared, position },
    findings,
    isLast,
  };
}

/** From items to rows. */
export async function scrubItems(
  scrub: FlatScrub,
  transaction: Transaction,
  state: ScrubState,
  limits: ScrubLimits,
): Promise<ScrubBatch> {
  const { items } = scrub;
  const reader = new CountedReads(transaction.snapshot);
  const findings: ScrubFinding[] = [];
  let { scanned, position } = state;
  let isLast = true;
  let done = 0;
  for await (const item of items.scan(reader, {
    ...rangeBehind(items.space, position),
    limit: limits.entries,
  })) {
    position = pack([item.primaryKey]);
    const expected = expectedRows(scrub, item);
    const stored = await Promise.all(expected.map(({ key }) => reader.get(key)));
    for (const [at, entry] of expected.entries()) {
      const value = stored[at];
      if (value !== undefined && compareKeys(value, entry.value) === 0) continue;
      const problem = value === undefined ? "missing" : "wrong";
      const judged = { problem, primaryKey: item.primaryKey, expected: entry } as const;
      findings.push(await settled(scrub, transaction, entry.key, judged));
    }
    done++;
    scanned++;
    isLast = done < limits.entries && reader.bytes < limits.bytes && !limits.isLate();
    if (!isLast) break;
  }
  return { state: { ...counted(state, findings), scanned, position }, findings, isLast };
}

const NEXT = Uint8Array.of(0x00);

interface Judged {
  /** Null: as it should be. */
  readonly problem: ScrubProblem | null;
  readonly primaryKey: TupleElement | undefined;
  /** What should be there; undefined for nothing. */
  readonly expected: IndexEntry | undefined;
}

async function judgeRow(scrub: FlatScrub, reader: ReadTransaction, [key, value]: KeyValue): Promise<Judged> {
  const primaryKey = ownerOf(scrub, key);
  if (primaryKey === undefined) return { problem: "dangling", primaryKey, expected: undefined };
  const item = await scrub.items.read(reader, primaryKey);
  const expected =
    item === undefined ? undefined : expectedRows(scrub, item).find((row) => compareKeys(row.key, key) === 0);
  if (expected === undefined) return { problem: "dangling", primaryKey, expected };
  return { problem: compareKeys(expected.value, value) === 0 ? null : "wrong", primaryKey, expected };
}

/** `undefined` for a key that is none of this index, or that no primary key can have. */
function ownerOf({ entries, items }: FlatScrub, key: Uint8Array): TupleElement | undefined {
  try {
    const primaryKey = entries.primaryKeyOf(key);
    items.keyOf(primaryKey);
    return primaryKey;
  } catch {
    // What is wrong with it does not matter: such a row is damage whatever it is.
    return undefined;
  }
}

function expectedRows({ index, entries }: FlatScrub, item: RecordItem): readonly IndexEntry[] {
  const held = mutant("I24-scrub-forgets-the-condition") ? item : selected(index.stored, item);
  return held === null ? [] : entries.of(held);
}

/** The finding; repaired if that is asked for. */
async function settled(
  scrub: FlatScrub,
  transaction: Transaction,
  key: Uint8Array,
  { problem, primaryKey, expected }: Judged,
): Promise<ScrubFinding> {
  const { collection, index } = scrub.index.maintainer.context;
  if (scrub.repair) {
    // The version is the same, so this shows nothing new; but now the commit fails if either is written meanwhile.
    const reader = mutant("I5-scrubber-repairs-a-live-write-away") ? transaction.snapshot : transaction;
    await reader.get(key);
    if (primaryKey !== undefined) await scrub.items.read(reader, primaryKey);
    if (expected === undefined) transaction.clear(key);
    else transaction.set(key, expected.value);
  }
  // Only called for what is wrong.
  return { problem: problem as ScrubProblem, collection, index, primaryKey, key, isRepaired: scrub.repair };
}

export function counted(state: ScrubState, findings: readonly ScrubFinding[]): ScrubState {
  const of = (problem: ScrubProblem) => findings.filter((one) => one.problem === problem).length;
  return {
    ...state,
    dangling: state.dangling + of("dangling"),
    missing: state.missing + of("missing"),
    wrong: state.wrong + of("wrong"),
    repaired: state.repaired + findings.filter(({ isRepaired }) => isRepaired).length,
  };
}
