/**
 * What a transaction writes, as operations of one etcd transaction: there, no key may be touched twice, so each written key
 * is one put or one deletion, and cleared ranges are split around the keys that are put in them. To remove a key that is not
 * there changes nothing in etcd, but it counts as a write: so it leaves a trace under another key.
 */
import { assert } from "../../platform/assert.js";
import { applyAtomic } from "../../transaction/atomic.js";
import { keyText, keyTextAfter } from "../../transaction/key-text.js";
import type { RangeSet } from "../../transaction/range-set.js";
import type { CommitRequest } from "../../transaction/storage.js";
import { stampedBytes } from "../../transaction/versionstamp.js";
import type { WriteBuffer, WrittenKey } from "../../transaction/write-buffer.js";
import type { EtcdOperation } from "./client.js";
import type { Layout } from "./layout.js";

/** The values that pending operations build on. Absent keys are in it, as undefined. */
export type Bases = ReadonlyMap<string, Uint8Array | undefined>;

export interface WriteParts {
  readonly bases: Bases;
  /** Of the version that the commit will have. */
  readonly stamp: Uint8Array;
  /** Of the traces of removed keys; null when no key is removed. */
  readonly lease: string | null;
  readonly layout: Layout;
}

export function writeOperations(
  { writes, writeConflicts }: Pick<CommitRequest, "writes" | "writeConflicts">,
  { bases, stamp, lease, layout }: WriteParts,
): EtcdOperation[] {
  const puts = new Map<string, Uint8Array>();
  const gone: string[] = [];
  for (const [key, written] of writes.writes) {
    const value = valueOf(written, bases.get(key), stamp);
    if (value !== undefined) puts.set(key, value);
    else if (!writes.cleared.has(key)) gone.push(key);
  }
  for (const { key, value, offset, clearedAfter } of writes.stampedKeys) {
    const at = keyText(stampedBytes(key, offset, stamp));
    if (!clearedAfter.has(at)) puts.set(at, value);
  }
  const operations: EtcdOperation[] = [];
  for (const [begin, end] of withoutKeys(writes.cleared, [...puts.keys()].sort())) {
    operations.push({ request_delete_range: { key: layout.data(begin), range_end: layout.data(end) } });
  }
  for (const key of gone) {
    if (puts.has(key)) continue;
    operations.push({ request_delete_range: { key: layout.data(key) } });
    if (!writeConflicts.has(key)) continue;
    assert(lease !== null, "who may remove a key has a lease");
    operations.push({ request_put: { key: layout.trace(key), value: NO_BYTES, lease } });
  }
  for (const [key, value] of puts) {
    operations.push({ request_put: { key: layout.data(key), value: Buffer.from(value) } });
  }
  return operations;
}

const NO_BYTES = Buffer.alloc(0);

/** Whether any single key may be removed. */
export function mayRemove(writes: WriteBuffer): boolean {
  for (const written of writes.writes.values()) {
    if (written.kind === "known" && written.value === undefined) return true;
    if (written.kind === "pending" && written.steps.some(({ operation }) => operation === "compareAndClear"))
      return true;
  }
  return false;
}

/** Keys whose value after the commit depends on the value before. */
export function pendingKeys(writes: WriteBuffer): string[] {
  const keys: string[] = [];
  for (const [key, written] of writes.writes) {
    if (written.kind === "pending" && written.steps[0]?.operation !== "setStamped") keys.push(key);
  }
  return keys.sort();
}

/** Whether anything that is written depends on the version of the commit. */
export function isStamped(writes: WriteBuffer): boolean {
  if (writes.stampedKeys.length > 0) return true;
  for (const written of writes.writes.values()) {
    if (written.kind === "pending" && written.steps.some(({ operation }) => operation === "setStamped"))
      return true;
  }
  return false;
}

function valueOf(
  written: WrittenKey,
  base: Uint8Array | undefined,
  stamp: Uint8Array,
): Uint8Array | undefined {
  if (written.kind === "known") return written.value;
  let value = base;
  for (const step of written.steps) {
    value =
      step.operation === "setStamped"
        ? stampedBytes(step.operand, step.offset, stamp)
        : applyAtomic(step.operation, value, step.operand);
  }
  return value;
}

/** The ranges, which ascend, without the keys, which do too. */
function* withoutKeys(
  ranges: RangeSet,
  keys: readonly string[],
): IterableIterator<readonly [begin: string, end: string]> {
  let next = 0;
  for (const [begin, end] of ranges) {
    let from = begin;
    for (; next < keys.length && (keys[next] as string) < end; next++) {
      const key = keys[next] as string;
      if (key < from) continue;
      if (from < key) yield [from, key];
      from = keyTextAfter(key);
    }
    if (from < end) yield [from, end];
  }
}
