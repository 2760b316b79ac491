/**
 * What committed transactions read of each other: which transactions count as committed, what of their reads is the state before
 * them rather than their own work, and where they contradict themselves (internal consistency).
 *
 * A transaction with an unknown outcome counts as committed once some committed one has read what it appended; before that it
 * may not have happened, and nothing follows from it.
 */
import { type Anomaly, keyText, listText, name, valueText } from "./anomaly.js";
import type { Appends, History, HistoryOperation, List, ListValue } from "./history.js";

/** A key's list as it was outside of the reader. */
export interface ExternalRead {
  readonly reader: number;
  readonly key: string;
  readonly list: List;
  /** The key was absent from a range that was read. */
  readonly isAbsence: boolean;
  /** Does not conflict, so it may be older than its transaction. */
  readonly isSnapshot: boolean;
}

/** By transaction. */
export function findCommitted(history: History, appends: Appends): boolean[] {
  const committed = history.map(({ outcome }) => outcome === "ok");
  if (history.every(({ outcome }) => outcome !== "unknown")) return committed;
  const queue = committed.flatMap((is, index) => (is ? [index] : []));
  const look = (key: string, list: List): void => {
    const ofKey = appends.get(key);
    for (const value of list) {
      const by = ofKey?.get(value)?.transaction;
      if (by === undefined || committed[by] === true || history[by]?.outcome !== "unknown") continue;
      committed[by] = true;
      queue.push(by);
    }
  };
  for (let index = queue.pop(); index !== undefined; index = queue.pop()) {
    for (const operation of history[index]?.operations ?? []) {
      if (operation.kind === "read") look(operation.key, operation.list ?? []);
      else if (operation.kind === "range") for (const [key, list] of operation.rows ?? []) look(key, list);
    }
  }
  return committed;
}

export interface ReadsResult {
  readonly reads: readonly ExternalRead[];
  readonly internal: readonly Anomaly[];
}

/**
 * `seesItself`: the model promises that a transaction reads one state and its own writes on top of it. Without that, what
 * it reads after its own appends says nothing certain.
 */
export function collectReads(
  history: History,
  appends: Appends,
  committed: readonly boolean[],
  seesItself: boolean,
): ReadsResult {
  const keys = [...appends.keys()].sort();
  const result: { reads: ExternalRead[]; internal: Anomaly[] } = { reads: [], internal: [] };
  for (const [index, { operations }] of history.entries()) {
    if (committed[index] !== true) continue;
    const collector = new Collector(index, operations, seesItself, result);
    for (const operation of operations) collector.take(operation, keys);
  }
  return result;
}

class Collector {
  readonly #reader: number;
  readonly #seesItself: boolean;
  readonly #result: { readonly reads: ExternalRead[]; readonly internal: Anomaly[] };
  /** The state before the transaction, by key, as its reads tell. */
  readonly #before = new Map<string, List>();
  readonly #own = new Map<string, ListValue[]>();
  readonly #later = new Map<string, Set<ListValue>>();

  constructor(
    reader: number,
    operations: readonly HistoryOperation[],
    seesItself: boolean,
    result: { readonly reads: ExternalRead[]; readonly internal: Anomaly[] },
  ) {
    this.#reader = reader;
    this.#seesItself = seesItself;
    this.#result = result;
    for (const operation of operations) {
      if (operation.kind !== "append") continue;
      const values = this.#later.get(operation.key);
      if (values === undefined) this.#later.set(operation.key, new Set([operation.value]));
      else values.add(operation.value);
    }
  }

  take(operation: HistoryOperation, keys: readonly string[]): void {
    if (operation.kind === "append") {
      const { key, value } = operation;
      const own = this.#own.get(key);
      if (own === undefined) this.#own.set(key, [value]);
      else own.push(value);
      this.#later.get(key)?.delete(value);
      return;
    }
    const isSnapshot = operation.isSnapshot === true;
    if (operation.kind === "read") {
      if (operation.list !== null) this.#read(operation.key, operation.list, isSnapshot, false);
      return;
    }
    if (operation.rows === null) return;
    const rows = new Map(operation.rows);
    for (const [key, list] of rows) this.#read(key, list, isSnapshot, false);
    for (let at = lowerIndex(keys, operation.prefix); at < keys.length; at++) {
      const key = keys[at] as string;
      if (!key.startsWith(operation.prefix)) break;
      if (!rows.has(key)) this.#read(key, [], isSnapshot, true);
    }
  }

  #read(key: string, list: List, isSnapshot: boolean, isAbsence: boolean): void {
    const own = this.#own.get(key) ?? [];
    if (own.length > 0 && !this.#seesItself) return;
    const length = list.length - own.length;
    if (length < 0 || own.some((value, i) => list[length + i] !== value)) {
      this.#contradicts(
        key,
        `read ${keyText(key)} as ${listText(list)} after it had appended ${listText(own)} to it`,
      );
      return;
    }
    const outside = own.length === 0 ? list : list.slice(0, length);
    const later = this.#later.get(key);
    const early =
      later === undefined || later.size === 0 ? undefined : outside.find((value) => later.has(value));
    if (early !== undefined) {
      this.#contradicts(key, `read ${valueText(early)} in ${keyText(key)} before it appended it`);
      return;
    }
    const before = this.#before.get(key);
    if (before !== undefined && isEqual(before, outside)) {
      if (!isSnapshot) this.#add(key, outside, isSnapshot, isAbsence);
      return;
    }
    if (before !== undefined && this.#seesItself) {
      this.#contradicts(
        key,
        `found ${keyText(key)} first as ${listText(before)} and then as ${listText(outside)}, its own appends aside`,
      );
    }
    this.#before.set(key, outside);
    this.#add(key, outside, isSnapshot, isAbsence);
  }

  #add(key: string, list: List, isSnapshot: boolean, isAbsence: boolean): void {
    this.#result.reads.push({ reader: this.#reader, key, list, isAbsence, isSnapshot });
  }

  #contradicts(key: string, what: string): void {
    if (!this.#seesItself) return;
    this.#result.internal.push({
      name: "internal",
      transactions: [this.#reader],
      keys: [key],
      reasons: [`${name(this.#reader)} ${what}`],
    });
  }
}

function isEqual(a: List, b: List): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** Index of the first key that is not before `key`. */
function lowerIndex(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
