/**
 * What was lost: appends that were acknowledged and are not there afterwards (durability), and updates that were made of the same
 * state twice. Both would show as cycles too; these names say more.
 */
import { type Anomaly, keyText, listText, name, valueText } from "./anomaly.js";
import type { Appends, History, ListValue } from "./history.js";
import type { ExternalRead } from "./reads.js";
import type { KeyVersions } from "./version-order.js";

/**
 * Acknowledged appends that a final read does not show; in real time, also those that no read ever shows though one began after
 * they were acknowledged.
 */
export function findLostWrites(
  history: History,
  appends: Appends,
  keys: readonly KeyVersions[],
  hasRealTime: boolean,
): Anomaly[] {
  const lost: Anomaly[] = [];
  for (const { key, order, reads, isTrusted } of keys) {
    const current = reads.filter(({ isSnapshot }) => !isSnapshot);
    const finals = current.filter(({ reader }) => history[reader]?.isFinal === true);
    const latest = hasRealTime && isTrusted ? latestOf(history, current) : null;
    if (finals.length === 0 && latest === null) continue;
    const seen = new Set(order);
    const inFinals = finals.map((read) => ({ read, values: new Set(read.list) }));
    for (const [value, { transaction: writer }] of appends.get(key) ?? []) {
      const { outcome, end } = history[writer] ?? {};
      if (outcome !== "ok") continue;
      const final = inFinals.find(({ read, values }) => read.reader !== writer && !values.has(value))?.read;
      const isPassed = latest !== null && end !== undefined && end < latest.start && !seen.has(value);
      const witness = final ?? (isPassed ? latest.read : undefined);
      if (witness !== undefined) lost.push(lostWrite(key, value, writer, witness, final !== undefined));
    }
  }
  return lost;
}

/** Committed transactions that appended to a key after they had read the same list of it. */
export function findLostUpdates(appends: Appends, keys: readonly KeyVersions[]): Anomaly[] {
  const lost: Anomaly[] = [];
  for (const { key, reads, isTrusted } of keys) {
    if (!isTrusted) continue;
    const writers = new Set([...(appends.get(key)?.values() ?? [])].map(({ transaction }) => transaction));
    const updated = new Map<number, ExternalRead>();
    const told = new Set<number>();
    for (const read of reads) {
      const { reader, list, isSnapshot } = read;
      if (isSnapshot || !writers.has(reader)) continue;
      const other = updated.get(list.length);
      if (other === undefined) updated.set(list.length, read);
      if (other === undefined || other.reader === reader || told.has(reader)) continue;
      told.add(reader);
      lost.push({
        name: "lost-update",
        transactions: [other.reader, reader],
        keys: [key],
        reasons: [
          `${name(other.reader)} and ${name(reader)} both read ${keyText(key)} as ${listText(list)} and then appended to it`,
        ],
      });
    }
  }
  return lost;
}

interface LatestRead {
  readonly read: ExternalRead;
  readonly start: number;
}

function latestOf(history: History, reads: readonly ExternalRead[]): LatestRead | null {
  let latest: LatestRead | null = null;
  for (const read of reads) {
    const start = history[read.reader]?.start;
    if (start !== undefined && (latest === null || start > latest.start)) latest = { read, start };
  }
  return latest;
}

function lostWrite(
  key: string,
  value: ListValue,
  writer: number,
  { reader, list }: ExternalRead,
  isFinal: boolean,
): Anomaly {
  const how = isFinal ? "at the end" : `afterwards, as no list ever shows it`;
  return {
    name: "lost-write",
    transactions: [writer, reader],
    keys: [key],
    reasons: [
      `${name(writer)} was acknowledged when it had appended ${valueText(value)} to ${keyText(key)}, but ${name(reader)} read ${listText(list)} ${how}`,
    ],
  };
}
