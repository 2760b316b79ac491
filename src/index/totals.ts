/**
 * Sums by groups that many writers add to at once: one row for each group, a number in little-endian two's complement, changed by
 * atomic additions alone, so that two writers never conflict over it. A row that becomes zero is removed within the same commit.
 *
 * Not idempotent: telling it of an item twice counts it twice. Promise: after every commit the number of a group is the sum of the
 * amounts of the documents in it, and a group without documents has no row, as long as no document's amount is zero.
 * Does not own: what a document amounts to, and what the number means (the kinds).
 */

import { mutant } from "../platform/probes.js";
import type { IndexValue } from "../record/index-value.js";
import type { RecordItem } from "../record/item.js";
import type { ReadTransaction, Transaction } from "../transaction/transaction.js";
import type { Aggregate, AggregateReads, GroupScan } from "./aggregate.js";
import { damagedRow, type Groups } from "./groups.js";
import type { IndexContext, IndexMaintainer } from "./kind.js";

/** What a kind says of its numbers. */
export interface TotalRules<Value> {
  /** Of a row. */
  readonly bytes: number;
  readonly groups: Groups;
  /** What a document adds to each of its groups; null for nothing. Never zero. */
  amountOf(document: unknown): bigint | null;
  /** What a number means; null for one that no documents can make. */
  valueOf(total: bigint): Value | null;
}

export class TotalsMaintainer<Value> implements IndexMaintainer, AggregateReads<Value> {
  readonly isIdempotent = false;
  readonly context: IndexContext;
  readonly #rules: TotalRules<Value>;

  constructor(context: IndexContext, rules: TotalRules<Value>) {
    this.context = context;
    this.#rules = rules;
  }

  get aggregates(): AggregateReads<Value> {
    return this;
  }

  update(transaction: Transaction, before: RecordItem | null, after: RecordItem | null): void {
    const changes = new Map<string, { readonly key: Uint8Array; amount: bigint }>();
    // The new ones first: they may be refused.
    this.#collect(changes, after, 1n);
    if (!(mutant("I20-group-not-left-on-update") && after !== null)) this.#collect(changes, before, -1n);
    const zero = new Uint8Array(this.#rules.bytes);
    for (const { key, amount } of changes.values()) {
      if (amount === 0n) continue;
      transaction.atomic("add", key, littleEndian(amount, this.#rules.bytes));
      if (amount < 0n && !mutant("I21-empty-group-kept")) transaction.atomic("compareAndClear", key, zero);
    }
  }

  async one(reader: ReadTransaction, group: readonly IndexValue[]): Promise<Value | undefined> {
    const key = this.#rules.groups.keyOfGroup(group);
    const stored = await reader.get(key);
    return stored === undefined ? undefined : this.#valueOf(key, stored);
  }

  async all(reader: ReadTransaction, scan: GroupScan): Promise<Aggregate<Value>[]> {
    const { groups } = this.#rules;
    const rows = await reader.getRangeAll(groups.range.begin, groups.range.end, scan);
    return rows.map(([key, stored]) => ({
      group: groups.groupOfKey(key),
      value: this.#valueOf(key, stored),
    }));
  }

  #collect(
    changes: Map<string, { readonly key: Uint8Array; amount: bigint }>,
    item: RecordItem | null,
    sign: 1n | -1n,
  ): void {
    const amount = item === null ? null : this.#rules.amountOf(item.document);
    if (item === null || amount === null) return;
    for (const key of this.#rules.groups.keysOf(item.document)) {
      const name = Buffer.from(key).toString("latin1");
      const change = changes.get(name);
      if (change === undefined) changes.set(name, { key, amount: sign * amount });
      else change.amount += sign * amount;
    }
  }

  #valueOf(key: Uint8Array, stored: Uint8Array): Value {
    const value = stored.length === this.#rules.bytes ? this.#rules.valueOf(signedNumber(stored)) : null;
    if (value === null) throw damagedRow(this.context, key);
    return value;
  }
}

function littleEndian(amount: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let rest = BigInt.asUintN(8 * length, amount);
  for (let at = 0; at < length; at++) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

function signedNumber(bytes: Uint8Array): bigint {
  let total = 0n;
  for (let at = bytes.length - 1; at >= 0; at--) total = (total << 8n) | BigInt(bytes[at] ?? 0);
  return BigInt.asIntN(8 * bytes.length, total);
}
