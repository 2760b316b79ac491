/**
 * Who must come before whom, as a graph over the transactions: a write follows a write (ww), a read follows the write that it
 * saw (wr), a write follows a read that did not see it (rw; phantom if the read was of a range and the key absent), a process's
 * transactions follow each other, and what began after something had ended follows it (realtime). Every edge can say why.
 *
 * Appends of committed transactions that are in no read come after the longest list that was read. Where many edges would lead
 * from many transactions to many, helper nodes keep their number linear.
 */
import { keyText, listText, name, valueText } from "./anomaly.js";
import { Graph, type KindMask } from "./graph.js";
import { type Appends, byProcess, type History, type ListValue } from "./history.js";
import type { KeyVersions } from "./version-order.js";

export const WW = 1;
export const WR = 2;
export const RW = 4;
export const PHANTOM = 8;
export const PROCESS = 16;
export const REALTIME = 32;
/** Edges out of helpers are of every kind: what leads into the helper tells. */
const ANY: KindMask = 63;

const KIND_TEXTS = new Map([
  [WW, "ww"],
  [WR, "wr"],
  [RW, "rw"],
  [PHANTOM, "rw of a range"],
  [PROCESS, "process"],
  [REALTIME, "realtime"],
]);

export interface DependencyParts {
  readonly history: History;
  readonly appends: Appends;
  readonly committed: readonly boolean[];
  readonly keys: readonly KeyVersions[];
  /** Which edges the model knows beside those of data. */
  readonly hasProcesses: boolean;
  readonly hasRealTime: boolean;
}

export class Dependencies {
  readonly graph: Graph;
  readonly #parts: DependencyParts;
  /** By edge: the key it is about, and the length of the list that was read or written on. */
  readonly #facts: ({ readonly versions: KeyVersions; readonly length: number } | undefined)[] = [];

  constructor(parts: DependencyParts) {
    this.#parts = parts;
    this.graph = new Graph(parts.history.length);
    for (const versions of parts.keys) if (versions.isTrusted) this.#addKey(versions);
    if (parts.hasProcesses) this.#addProcesses();
    if (parts.hasRealTime) this.#addRealTime();
    this.graph.seal();
  }

  /** Why the transaction `to` comes after the one where `edge` begins; `to` may lie behind helpers. */
  reason(edge: number, to: number): string {
    const { graph } = this;
    const from = name(graph.from[edge] as number);
    const kind = graph.kinds[edge] as number;
    const fact = this.#facts[edge];
    const head = `${from} → ${name(to)} (${KIND_TEXTS.get(kind)}):`;
    if (fact === undefined) {
      return kind === PROCESS
        ? `${head} the same process ran ${name(to)} after ${from}`
        : `${head} ${from} had ended before ${name(to)} began`;
    }
    const { versions, length } = fact;
    const key = keyText(versions.key);
    const after = this.#valueOf(versions, length, to);
    if (kind === WW) {
      const before = valueText(versions.order[length - 1] as ListValue);
      return `${head} ${from} appended ${before} to ${key}, and ${after} came after it`;
    }
    const list = listText(versions.order.slice(0, length));
    if (kind === WR) {
      return `${head} ${name(to)} read ${key} as ${list}, where ${from} had appended ${valueText(versions.order[length - 1] as ListValue)}`;
    }
    const read = kind === PHANTOM ? `read a range in which ${key} was absent` : `read ${key} as ${list}`;
    return `${head} ${from} ${read}, before ${after}`;
  }

  /** The key that an edge is about; null for the order of processes and of real time. */
  keyOf(edge: number): string | null {
    return this.#facts[edge]?.versions.key ?? null;
  }

  /** What `writer` appended at or after place `length`, in words. */
  #valueOf({ key, order, writers }: KeyVersions, length: number, writer: number): string {
    const at = writers.indexOf(writer, length);
    if (at !== -1) return `the ${valueText(order[at] as ListValue)} of ${name(writer)}`;
    const seen = new Set(order);
    const operation = this.#parts.history[writer]?.operations.find(
      (one) => one.kind === "append" && one.key === key && !seen.has(one.value),
    );
    const value = operation?.kind === "append" ? valueText(operation.value) : "append";
    return `the ${value} of ${name(writer)}, which is in no list that was read`;
  }

  #addKey(versions: KeyVersions): void {
    const { order, writers, reads } = versions;
    // The last committed writer below each length, and the place of the next one from it on.
    const last = new Int32Array(order.length + 1).fill(-1);
    for (let i = 0; i < order.length; i++) {
      const writer = writers[i] as number;
      last[i + 1] = writer === -1 ? (last[i] as number) : writer;
      if (writer !== -1 && last[i] !== -1)
        this.#add(last[i] as number, writer, WW, versions, this.#below(versions, i));
    }
    const next = new Int32Array(order.length + 1).fill(-1);
    for (let i = order.length - 1; i >= 0; i--) next[i] = writers[i] !== -1 ? i : (next[i + 1] as number);
    const unseen = new Fan(this.graph, this.#unseen(versions));
    const newest = last[order.length] as number;
    if (newest !== -1) {
      for (const node of unseen.entries(newest))
        this.#add(newest, node, WW, versions, this.#below(versions, order.length));
    }
    for (const { reader, list, isAbsence, isSnapshot } of reads) {
      const { length } = list;
      const writer = last[length] as number;
      if (writer !== -1) this.#add(writer, reader, WR, versions, this.#below(versions, length));
      if (isSnapshot) continue;
      const kind = isAbsence ? PHANTOM : RW;
      const at = next[length] as number;
      if (at !== -1) this.#add(reader, writers[at] as number, kind, versions, length);
      else for (const node of unseen.entries(reader)) this.#add(reader, node, kind, versions, length);
    }
  }

  /** The length up to and with the last committed value below `length`. */
  #below({ writers }: KeyVersions, length: number): number {
    let at = length;
    while (at > 0 && writers[at - 1] === -1) at--;
    return at;
  }

  /** Committed transactions that appended to the key what nobody read. */
  #unseen({ key, order }: KeyVersions): number[] {
    const seen = new Set(order);
    const unseen = new Set<number>();
    for (const [value, { transaction }] of this.#parts.appends.get(key) ?? []) {
      if (!seen.has(value) && this.#parts.committed[transaction] === true) unseen.add(transaction);
    }
    return [...unseen];
  }

  #addProcesses(): void {
    const { history, committed } = this.#parts;
    for (const ofProcess of byProcess(history).values()) {
      let before = -1;
      for (const index of ofProcess) {
        if (committed[index] !== true) continue;
        if (before !== -1) this.graph.add(before, index, PROCESS);
        // An unknown one may have taken effect at any later time.
        if (history[index]?.outcome === "ok") before = index;
      }
    }
  }

  /** One helper for each end, in a chain: it leads to all that began later. */
  #addRealTime(): void {
    const { history, committed } = this.#parts;
    const ends: { readonly index: number; readonly end: number }[] = [];
    for (const [index, { outcome, end }] of history.entries()) {
      if (outcome === "ok" && end !== undefined) ends.push({ index, end });
    }
    ends.sort((a, b) => a.end - b.end);
    const helpers = ends.map(({ index }, i) => {
      const helper = this.graph.addHelper();
      if (i > 0) this.graph.add(helper - 1, helper, ANY);
      this.graph.add(index, helper, REALTIME);
      return helper;
    });
    const starts: { readonly index: number; readonly start: number }[] = [];
    for (const [index, { start }] of history.entries()) {
      if (committed[index] === true && start !== undefined) starts.push({ index, start });
    }
    starts.sort((a, b) => a.start - b.start);
    let ended = 0;
    for (const { index, start } of starts) {
      while (ended < ends.length && (ends[ended] as { end: number }).end < start) ended++;
      if (ended > 0) this.graph.add(helpers[ended - 1] as number, index, ANY);
    }
  }

  #add(from: number, to: number, kind: number, versions: KeyVersions, length: number): void {
    const edge = this.graph.add(from, to, kind);
    if (edge !== -1) this.#facts[edge] = { versions, length };
  }
}

/**
 * Edges from anybody to all of some transactions but himself, with two chains of helpers: one leads to those before a place, one
 * to those from a place on.
 */
class Fan {
  readonly #graph: Graph;
  readonly #targets: readonly number[];
  readonly #places: ReadonlyMap<number, number>;
  #upTo: number[] | null = null;
  #from: number[] = [];

  constructor(graph: Graph, targets: readonly number[]) {
    this.#graph = graph;
    this.#targets = targets;
    this.#places = new Map(targets.map((target, place) => [target, place]));
  }

  /** Nodes that lead to every target but `source`. */
  entries(source: number): number[] {
    const count = this.#targets.length;
    if (count <= 2) return this.#targets.filter((target) => target !== source);
    this.#upTo ??= this.#makeChains();
    const place = this.#places.get(source);
    if (place === undefined) return [this.#from[0] as number];
    const entries: number[] = [];
    if (place > 0) entries.push(this.#upTo[place - 1] as number);
    if (place < count - 1) entries.push(this.#from[place + 1] as number);
    return entries;
  }

  #makeChains(): number[] {
    const make = (): number[] => this.#targets.map(() => this.#graph.addHelper());
    const [upTo, from] = [make(), make()];
    for (const [place, target] of this.#targets.entries()) {
      for (const chain of [upTo, from]) this.#graph.add(chain[place] as number, target, ANY);
      if (place === 0) continue;
      this.#graph.add(upTo[place] as number, upTo[place - 1] as number, ANY);
      this.#graph.add(from[place - 1] as number, from[place] as number, ANY);
    }
    this.#from = from;
    return upTo;
  }
}
