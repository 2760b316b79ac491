/**
 * Cycles among dependencies, each under its name. A class of cycles is a kind of edge that it must have and the kinds that the
 * rest of it may have; classes are tried from the gravest on, and what is entangled is reported once, by the smallest cycle found
 * of the first class that it belongs to.
 *
 * Promise: no cycle of the asked kinds means none is reported; if there are some, at least one is, unless the budget ran out, which
 * `isExhaustive` tells. Without cycles O(nodes + edges).
 */
import type { Anomaly } from "./anomaly.js";
import { type Dependencies, PHANTOM, PROCESS, REALTIME, RW, WR, WW } from "./dependencies.js";
import type { Components, KindMask } from "./graph.js";
import { type CycleClass, type CycleName, forbids, type Model } from "./models.js";

/** Edges looked at for one class, all its components together. */
const EDGES_PER_CLASS_MAX = 20_000_000;
const NO_STATE = -1;

interface SearchClass {
  readonly model: Model;
  /** One edge of these kinds, */
  readonly first: KindMask;
  /** the others of these, */
  readonly rest: KindMask;
  /** and no two reads that missed a write in a row. */
  readonly nonadjacent: boolean;
}

const ORDERS: readonly { readonly suffix: "" | "-process" | "-realtime"; readonly kinds: KindMask }[] = [
  { suffix: "", kinds: 0 },
  { suffix: "-process", kinds: PROCESS },
  { suffix: "-realtime", kinds: PROCESS | REALTIME },
];
const CLASSES: readonly (Omit<SearchClass, "model"> & { readonly name: CycleClass })[] = [
  { name: "G0", first: WW, rest: WW, nonadjacent: false },
  { name: "G1c", first: WR, rest: WW | WR, nonadjacent: false },
  { name: "G-single", first: RW | PHANTOM, rest: WW | WR, nonadjacent: false },
  { name: "G-nonadjacent", first: RW | PHANTOM, rest: WW | WR | RW | PHANTOM, nonadjacent: true },
  { name: "G2-item", first: RW, rest: WW | WR | RW, nonadjacent: false },
  { name: "G2", first: PHANTOM, rest: WW | WR | RW | PHANTOM, nonadjacent: false },
];

export interface CyclesResult {
  readonly anomalies: readonly Anomaly[];
  readonly isExhaustive: boolean;
}

/** `told`: groups of transactions of which something graver is known already. */
export function findCycles(
  dependencies: Dependencies,
  model: Model,
  told: readonly (readonly number[])[],
): CyclesResult {
  const { graph } = dependencies;
  const anomalies: Anomaly[] = [];
  const groups = [...told];
  let isExhaustive = true;
  for (const { suffix, kinds } of ORDERS) {
    for (const { name, first, rest, nonadjacent } of CLASSES) {
      if (!forbids(model, `${name}${suffix}`)) continue;
      const components = graph.components(first | rest | kinds);
      if (components.sizes.length === graph.nodes) continue;
      const search = new Search(dependencies, components, { first, rest: rest | kinds, nonadjacent });
      const found = search.run(groups);
      isExhaustive &&= !search.isOutOfBudget;
      for (const cycle of found) {
        anomalies.push(cycle);
        groups.push(cycle.transactions);
      }
    }
  }
  return { anomalies, isExhaustive };
}

class Search {
  readonly #dependencies: Dependencies;
  readonly #components: Components;
  readonly #kinds: Omit<SearchClass, "model">;
  /** What can be reached by the rest of a cycle alone, so that hopeless ways are not gone. */
  readonly #order: Int32Array;
  /** By state: node, and with `nonadjacent` whether the last read missed a write. The round in which it was seen. */
  readonly #seen: Int32Array;
  /** The edge by which the state was reached, and the state from which. */
  readonly #came: Int32Array;
  readonly #parent: Int32Array;
  #round = 0;
  #budget = EDGES_PER_CLASS_MAX;

  constructor(dependencies: Dependencies, components: Components, kinds: Omit<SearchClass, "model">) {
    const { graph } = dependencies;
    this.#dependencies = dependencies;
    this.#components = components;
    this.#kinds = kinds;
    this.#order = graph.components(kinds.rest).component;
    this.#seen = new Int32Array(graph.nodes * 2);
    this.#came = new Int32Array(graph.nodes * 2);
    this.#parent = new Int32Array(graph.nodes * 2);
  }

  get isOutOfBudget(): boolean {
    return this.#budget <= 0;
  }

  /** The smallest cycle of each component that holds none of `groups`. */
  run(groups: readonly (readonly number[])[]): Anomaly[] {
    const { graph } = this.#dependencies;
    const { component, sizes } = this.#components;
    const done = new Set<number>();
    for (const group of groups) {
      const [first, ...others] = group.map((node) => component[node] as number);
      if (first !== undefined && others.every((other) => other === first)) done.add(first);
    }
    const best = new Map<number, number[]>();
    for (let edge = 0; edge < graph.from.length && this.#budget > 0; edge++) {
      if (((graph.kinds[edge] as number) & this.#kinds.first) === 0) continue;
      const from = graph.from[edge] as number;
      // Helpers' edges are of every kind; a cycle begins at a transaction.
      if (from >= graph.transactions) continue;
      const at = component[from] as number;
      if ((sizes[at] as number) < 2 || done.has(at) || component[graph.to[edge] as number] !== at) continue;
      const shortest = best.get(at);
      if (shortest !== undefined && this.#length(shortest) <= 2) continue;
      const cycle = this.#close(edge);
      if (cycle === null) continue;
      if (shortest === undefined || this.#length(cycle) < this.#length(shortest)) best.set(at, cycle);
    }
    return [...best.values()].map((edges) => this.#anomaly(edges));
  }

  /** The shortest way from the end of `first` to its beginning, with `first` in front; null if there is none. */
  #close(first: number): number[] | null {
    const { graph } = this.#dependencies;
    const { rest, nonadjacent } = this.#kinds;
    const [from, start] = [graph.from[first] as number, graph.to[first] as number];
    const component = this.#components.component[from];
    const [low, high] = [this.#order[from] as number, this.#order[start] as number];
    if (high < low) return null;
    this.#round++;
    // A state is a node twice, plus one where the last edge of data was a read that missed a write.
    let level = [start * 2 + (nonadjacent ? 1 : 0)];
    this.#reach(level[0] as number, first, NO_STATE);
    while (level.length > 0) {
      const next: number[] = [];
      // Grows while it is gone through: what lies behind a helper is as near as the helper.
      for (let i = 0; i < level.length; i++) {
        const state = level[i] as number;
        const missed = state & 1;
        const node = state >> 1;
        const edges = graph.edgesOf(node);
        this.#budget -= edges.length;
        for (const edge of edges) {
          const kind = graph.kinds[edge] as number;
          if ((kind & rest) === 0) continue;
          const to = graph.to[edge] as number;
          const order = this.#order[to] as number;
          if (this.#components.component[to] !== component || order < low || order > high) continue;
          const isHelper = node >= graph.transactions;
          const misses = nonadjacent ? (isHelper ? missed : Number((kind & (RW | PHANTOM)) !== 0)) : 0;
          if (!isHelper && misses + missed === 2) continue;
          if (to === from && misses === 0) return this.#trace(state, edge);
          const reached = to * 2 + misses;
          if (this.#seen[reached] === this.#round) continue;
          this.#reach(reached, edge, state);
          if (to >= graph.transactions) level.push(reached);
          else next.push(reached);
        }
      }
      level = next;
    }
    return null;
  }

  #reach(state: number, edge: number, parent: number): void {
    this.#seen[state] = this.#round;
    this.#came[state] = edge;
    this.#parent[state] = parent;
  }

  /** The edges of the cycle that `last`, going out of `state`, closes. */
  #trace(state: number, last: number): number[] {
    const edges = [last];
    for (let at = state; at !== NO_STATE; at = this.#parent[at] as number)
      edges.push(this.#came[at] as number);
    return edges.reverse();
  }

  #length(edges: readonly number[]): number {
    const { graph } = this.#dependencies;
    return edges.filter((edge) => (graph.from[edge] as number) < graph.transactions).length;
  }

  #anomaly(edges: readonly number[]): Anomaly {
    const { graph } = this.#dependencies;
    // What leads out of a helper says nothing of its own.
    const told = edges.filter((edge) => (graph.from[edge] as number) < graph.transactions);
    const transactions = told.map((edge) => graph.from[edge] as number);
    const reasons = told.map((edge, i) =>
      this.#dependencies.reason(edge, transactions[(i + 1) % transactions.length] as number),
    );
    const keys = told.flatMap((edge) => this.#dependencies.keyOf(edge) ?? []);
    return {
      name: nameOf(told.map((edge) => graph.kinds[edge] as number)),
      transactions,
      keys: [...new Set(keys)],
      reasons,
    };
  }
}

/** By the kinds of its edges, in their order. */
function nameOf(kinds: readonly number[]): CycleName {
  const all = kinds.reduce((mask, kind) => mask | kind, 0);
  const suffix = (all & REALTIME) !== 0 ? "-realtime" : (all & PROCESS) !== 0 ? "-process" : "";
  return `${classOf(kinds, all)}${suffix}`;
}

function classOf(kinds: readonly number[], all: KindMask): CycleClass {
  const misses = kinds.map((kind) => (kind & (RW | PHANTOM)) !== 0);
  const count = misses.filter(Boolean).length;
  if (count === 0) return (all & WR) !== 0 ? "G1c" : "G0";
  if (count === 1) return "G-single";
  const isAdjacent = misses.some((missed, i) => missed && misses[(i + 1) % misses.length] === true);
  if (!isAdjacent) return "G-nonadjacent";
  return (all & PHANTOM) !== 0 ? "G2" : "G2-item";
}
