/**
 * The versions of one key in their order, as reads tell: the longest list that was read is the order, and every other read must
 * be a beginning of it. Owns what single values show: aborted, intermediate and garbage reads, duplicates, orders that
 * contradict each other. A key with duplicates or two orders is not trusted, and nothing else is concluded from it.
 */
import { type Anomaly, keyText, listText, name, valueText } from "./anomaly.js";
import type { Appended, Appends, List, ListValue } from "./history.js";
import type { AnomalyName } from "./models.js";
import type { ExternalRead } from "./reads.js";

export interface KeyVersions {
  readonly key: string;
  readonly order: List;
  /** Who appended each value of the order; -1 for one that no committed transaction did. */
  readonly writers: readonly number[];
  readonly reads: readonly ExternalRead[];
  readonly isTrusted: boolean;
}

export interface VersionsResult {
  readonly keys: readonly KeyVersions[];
  readonly anomalies: readonly Anomaly[];
}

/** O(values in all lists). */
export function orderVersions(
  appends: Appends,
  committed: readonly boolean[],
  reads: readonly ExternalRead[],
): VersionsResult {
  const byKey = new Map<string, ExternalRead[]>();
  for (const read of reads) {
    const ofKey = byKey.get(read.key);
    if (ofKey === undefined) byKey.set(read.key, [read]);
    else ofKey.push(read);
  }
  const anomalies: Anomaly[] = [];
  const keys: KeyVersions[] = [];
  for (const [key, ofKey] of byKey) {
    const judge = new KeyJudge(key, appends.get(key) ?? new Map(), ofKey, anomalies);
    keys.push(judge.versions(committed));
  }
  return { keys, anomalies };
}

class KeyJudge {
  readonly #key: string;
  readonly #appends: ReadonlyMap<ListValue, Appended>;
  readonly #reads: readonly ExternalRead[];
  readonly #anomalies: Anomaly[];
  readonly #longest: ExternalRead;

  constructor(
    key: string,
    appends: ReadonlyMap<ListValue, Appended>,
    reads: readonly ExternalRead[],
    anomalies: Anomaly[],
  ) {
    this.#key = key;
    this.#appends = appends;
    this.#reads = reads;
    this.#anomalies = anomalies;
    this.#longest = reads.reduce((longest, read) =>
      read.list.length > longest.list.length ? read : longest,
    );
  }

  versions(committed: readonly boolean[]): KeyVersions {
    const order = this.#longest.list;
    const writers = order.map((value) => {
      const by = this.#appends.get(value)?.transaction;
      return by !== undefined && committed[by] === true ? by : -1;
    });
    const isOneOrder = this.#checkPrefixes();
    const isUnique = this.#checkDuplicates(this.#longest);
    this.#checkValues(committed);
    this.#checkIntermediate();
    const isInOrder = this.#checkProgramOrder();
    const isTrusted = isOneOrder && isUnique && isInOrder;
    return { key: this.#key, order, writers, reads: this.#reads, isTrusted };
  }

  #checkPrefixes(): boolean {
    const { list: order } = this.#longest;
    const other = this.#reads.find((read) => !this.#isPrefix(read));
    if (other === undefined) return true;
    if (!this.#checkDuplicates(other)) return false;
    this.#report(
      "incompatible-order",
      [other.reader, this.#longest.reader],
      `${name(other.reader)} read ${keyText(this.#key)} as ${listText(other.list)}, which is no beginning of the ${listText(order)} that ${name(this.#longest.reader)} read`,
    );
    return false;
  }

  #checkDuplicates({ reader, list }: ExternalRead): boolean {
    const seen = new Set<ListValue>();
    for (const value of list) {
      if (seen.has(value)) {
        const by = this.#appends.get(value)?.transaction;
        this.#report(
          "duplicate-elements",
          by === undefined ? [reader] : [reader, by],
          `${name(reader)} read ${keyText(this.#key)} as ${listText(list)}, with ${valueText(value)} twice, which was appended once`,
        );
        return false;
      }
      seen.add(value);
    }
    return true;
  }

  /** Values that nobody appended, or a transaction that failed; what lies on top of these. */
  #checkValues(committed: readonly boolean[]): void {
    const told = new Set<ListValue>();
    for (const read of this.#reads) {
      // Beginnings of the longest list hold nothing else than it.
      if (read !== this.#longest && this.#isPrefix(read)) continue;
      for (const [at, value] of read.list.entries()) {
        const by = this.#appends.get(value)?.transaction;
        if ((by !== undefined && committed[by] === true) || told.has(value)) continue;
        told.add(value);
        if (by === undefined) this.#reportGarbage(read, at, value);
        else this.#reportAborted(read, at, by, committed);
      }
    }
  }

  #reportGarbage(read: ExternalRead, at: number, value: ListValue): void {
    const { reader } = this.#firstWith(read, at);
    const what = `${name(reader)} read ${valueText(value)} in ${keyText(this.#key)}`;
    this.#report("garbage-read", [reader], `${what}, which nobody appended`);
  }

  #reportAborted(read: ExternalRead, at: number, by: number, committed: readonly boolean[]): void {
    const { reader } = this.#firstWith(read, at);
    const value = valueText(read.list[at] as ListValue);
    const what = `${name(reader)} read ${value} in ${keyText(this.#key)}`;
    this.#report("G1a", [reader, by], `${what}, which ${name(by)} appended, and ${name(by)} failed`);
    for (const above of read.list.slice(at + 1)) {
      const writer = this.#appends.get(above)?.transaction;
      if (writer === undefined || committed[writer] !== true) continue;
      this.#report(
        "dirty-update",
        [writer, by],
        `${name(writer)} appended ${valueText(above)} to ${keyText(this.#key)} after the ${value} of ${name(by)}, which failed`,
      );
      return;
    }
  }

  /** A read that shows what `read` does at its place `at`; the first such, if `read` is the longest. */
  #firstWith(read: ExternalRead, at: number): ExternalRead {
    if (read !== this.#longest) return read;
    return this.#reads.find((one) => one.list.length > at && this.#isPrefix(one)) ?? read;
  }

  #isPrefix({ list }: ExternalRead): boolean {
    const { list: order } = this.#longest;
    return list.every((value, i) => value === order[i]);
  }

  #checkIntermediate(): void {
    for (const { reader, list } of this.#reads) {
      const last = list.at(-1);
      const appended = last === undefined ? undefined : this.#appends.get(last);
      if (last === undefined || appended === undefined || appended.place === appended.count - 1) continue;
      const { transaction: by } = appended;
      this.#report(
        "G1b",
        [reader, by],
        `${name(reader)} read ${keyText(this.#key)} as ${listText(list)}, which ends in ${valueText(last)}, but ${name(by)} appended more to it after that`,
      );
    }
  }

  /** What one transaction appends comes in the order in which it did. */
  #checkProgramOrder(): boolean {
    const places = new Map<number, number>();
    for (const value of this.#longest.list) {
      const appended = this.#appends.get(value);
      if (appended === undefined) continue;
      const { transaction: by, place } = appended;
      if (place < (places.get(by) ?? -1)) {
        this.#report(
          "incompatible-order",
          [this.#longest.reader, by],
          `${name(this.#longest.reader)} read ${keyText(this.#key)} as ${listText(this.#longest.list)}, but ${name(by)} appended ${valueText(value)} earlier than that`,
        );
        return false;
      }
      places.set(by, place);
    }
    return true;
  }

  #report(anomaly: AnomalyName, transactions: number[], reason: string): void {
    this.#anomalies.push({ name: anomaly, transactions, keys: [this.#key], reasons: [reason] });
  }
}
