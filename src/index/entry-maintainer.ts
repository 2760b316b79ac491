/**
 * The maintainer of every flat kind: from what an item's rows were and what they are now, the rows to remove and to set.
 * Idempotent, since setting a row twice is setting it once. Does not own: which rows an item has (the kind's `EntrySource`).
 */
import { compareKeys } from "../engine/format/bytes.js";
import { pack } from "../keyspace/tuple.js";
import { mutant } from "../platform/probes.js";
import type { RecordItem } from "../record/item.js";
import type { Transaction } from "../transaction/transaction.js";
import type { EntrySource, IndexContext, IndexEntry, IndexMaintainer } from "./kind.js";

export class EntryMaintainer implements IndexMaintainer {
  readonly isIdempotent = true;
  readonly context: IndexContext;
  readonly entries: EntrySource;
  readonly #told = new Map<string, RecordItem | null>();

  constructor(context: IndexContext, entries: EntrySource) {
    this.context = context;
    this.entries = entries;
  }

  update(transaction: Transaction, before: RecordItem | null, after: RecordItem | null): void {
    const isGuessed = mutant("R14-entry-kept-after-same-value-overwrite");
    changeEntries(transaction, this.entries, isGuessed ? this.#guessed(before, after) : before, after);
  }

  /** The planted bug: what it was told last in place of what is there, though that may have been rolled back. */
  #guessed(before: RecordItem | null, after: RecordItem | null): RecordItem | null {
    const name = Buffer.from(pack([(after ?? before)?.primaryKey ?? null])).toString("latin1");
    const last = this.#told.get(name);
    this.#told.set(name, after);
    return last === undefined ? before : last;
  }
}

/**
 * Returns the rows that the item has now and had not before. Every row is written, also those it had: one that was lost comes back
 * with the next write of its item.
 */
export function changeEntries(
  transaction: Transaction,
  source: EntrySource,
  before: RecordItem | null,
  after: RecordItem | null,
): IndexEntry[] {
  const old = before === null ? NONE : source.of(before);
  const fresh = after === null ? NONE : source.of(after);
  const isLeft = !(mutant("I1-entry-not-removed-on-overwrite") && after !== null);
  const isFresh = membership(fresh);
  const wasThere = membership(old);
  for (const entry of old) if (isLeft && !isFresh(entry)) transaction.clear(entry.key);
  for (const entry of fresh) transaction.set(entry.key, entry.value);
  return fresh.filter((entry) => !wasThere(entry));
}

const NONE: readonly IndexEntry[] = [];

/** Up to here, comparing with each is faster than a set. */
const FEW = 8;

function membership(entries: readonly IndexEntry[]): (entry: IndexEntry) => boolean {
  if (entries.length <= FEW) return ({ key }) => entries.some((entry) => compareKeys(entry.key, key) === 0);
  const names = new Set(entries.map(({ key }) => nameOf(key)));
  return ({ key }) => names.has(nameOf(key));
}

function nameOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}
