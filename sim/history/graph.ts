/**
 * A directed graph whose edges have kinds, held in flat arrays: strongly connected components and shortest ways back, within the
 * edges of some kinds. Nodes from `transactions` on are helpers that stand for many edges at once (`dependencies.ts`); going
 * through one costs nothing. Does not own what the kinds mean.
 */
import { assert } from "../../src/platform/assert.js";

/** Kinds are bits, so that a set of kinds is a number. An edge out of a helper belongs to all of them. */
export type KindMask = number;

export class Graph {
  readonly transactions: number;
  readonly from: number[] = [];
  readonly to: number[] = [];
  readonly kinds: number[] = [];
  #nodes: number;
  /** Edges by where they begin: those of node n are `#sorted[#begin[n]]` to `#sorted[#begin[n + 1] - 1]`. */
  #begin = new Int32Array(0);
  #sorted = new Int32Array(0);

  constructor(transactions: number) {
    this.transactions = transactions;
    this.#nodes = transactions;
  }

  get nodes(): number {
    return this.#nodes;
  }

  addHelper(): number {
    return this.#nodes++;
  }

  /** The edge's number. Loops are left out: -1. */
  add(from: number, to: number, kind: number): number {
    if (from === to) return -1;
    this.from.push(from);
    this.to.push(to);
    this.kinds.push(kind);
    return this.from.length - 1;
  }

  /** To be called when all edges are there. O(nodes + edges). */
  seal(): void {
    const begin = new Int32Array(this.#nodes + 1);
    for (const node of this.from) begin[node + 1] = (begin[node + 1] as number) + 1;
    for (let node = 0; node < this.#nodes; node++) {
      begin[node + 1] = (begin[node + 1] as number) + (begin[node] as number);
    }
    const next = begin.slice();
    const sorted = new Int32Array(this.from.length);
    for (let edge = 0; edge < this.from.length; edge++) {
      const node = this.from[edge] as number;
      const at = next[node] as number;
      sorted[at] = edge;
      next[node] = at + 1;
    }
    this.#begin = begin;
    this.#sorted = sorted;
  }

  /**
   * Strongly connected components of the edges of `mask` (Tarjan 1972, without recursion). Numbers fall along every edge
   * between two components, so they are an order of what can be reached. O(nodes + edges).
   */
  components(mask: KindMask): Components {
    const component = new Int32Array(this.#nodes).fill(-1);
    const index = new Int32Array(this.#nodes).fill(-1);
    const low = new Int32Array(this.#nodes);
    const next = new Int32Array(this.#nodes);
    const open: number[] = [];
    const path: number[] = [];
    const sizes: number[] = [];
    let visited = 0;
    const enter = (node: number): void => {
      index[node] = visited;
      low[node] = visited++;
      next[node] = this.#begin[node] as number;
      open.push(node);
      path.push(node);
    };
    for (let root = 0; root < this.#nodes; root++) {
      if (index[root] !== -1) continue;
      enter(root);
      while (path.length > 0) {
        const node = path[path.length - 1] as number;
        const at = next[node] as number;
        if (at < (this.#begin[node + 1] as number)) {
          next[node] = at + 1;
          const edge = this.#sorted[at] as number;
          if (((this.kinds[edge] as number) & mask) === 0) continue;
          const target = this.to[edge] as number;
          if (index[target] === -1) enter(target);
          else if (component[target] === -1)
            low[node] = Math.min(low[node] as number, index[target] as number);
          continue;
        }
        path.pop();
        const parent = path[path.length - 1];
        if (parent !== undefined) low[parent] = Math.min(low[parent] as number, low[node] as number);
        if (low[node] !== index[node]) continue;
        const number = sizes.length;
        let size = 0;
        for (;;) {
          const member = open.pop();
          assert(member !== undefined, "a component ends at its root");
          component[member] = number;
          size++;
          if (member === node) break;
        }
        sizes.push(size);
      }
    }
    return { component, sizes };
  }

  /** Numbers of the edges out of `node`. */
  edgesOf(node: number): Int32Array {
    return this.#sorted.subarray(this.#begin[node], this.#begin[node + 1]);
  }
}

export interface Components {
  /** By node. */
  readonly component: Int32Array;
  /** By component: how many nodes. */
  readonly sizes: readonly number[];
}
