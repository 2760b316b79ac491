/**
 * Histories that a serial executor really made: transactions begin, take effect one after the other at some moment between
 * beginning and end, and end. Unknown ones take effect or not, failed ones do not. For the properties of the checker.
 */
import fc from "fast-check";
import type { HistoryOperation, HistoryTransaction, ListValue } from "../../../sim/history/history.js";

export interface Recipe {
  readonly operations: readonly { readonly kind: number; readonly key: number }[];
  readonly outcome: number;
  readonly process: number;
  /** Which of the open transactions moves on. */
  readonly pick: number;
}

const KEYS = ["a/1", "a/2", "a/3", "b", "b/1"];

export const recipes = fc.array(
  fc.record({
    operations: fc.array(fc.record({ kind: fc.nat(9), key: fc.nat(KEYS.length - 1) }), {
      minLength: 1,
      maxLength: 5,
    }),
    outcome: fc.nat(9),
    process: fc.nat(3),
    pick: fc.nat(),
  }),
  { minLength: 1, maxLength: 40 },
);

export interface SerialHistory {
  readonly history: HistoryTransaction[];
  /** Indices in the order in which they took effect. */
  readonly order: readonly number[];
}

/**
 * Runs the recipes, at most one transaction of each process at a time. `lag`: how many effects back snapshot reads may see, which
 * they all of one transaction do alike.
 */
export function runSerially(all: readonly Recipe[]): SerialHistory {
  const machine = new Machine();
  const waiting = [...all];
  let turn = 0;
  while (waiting.length > 0 || machine.open.size > 0) {
    const recipe = waiting[0];
    turn = (turn * 31 + (recipe?.pick ?? 7)) % 1_000_003;
    if (
      recipe !== undefined &&
      !machine.open.has(recipe.process) &&
      (turn % 2 === 0 || machine.open.size === 0)
    ) {
      waiting.shift();
      machine.begin(recipe);
    } else {
      const processes = [...machine.open.keys()];
      const needed = recipe !== undefined && machine.open.has(recipe.process) ? recipe.process : undefined;
      machine.step(needed ?? (processes[turn % processes.length] as number));
    }
  }
  return { history: machine.history(), order: machine.order };
}

interface Open {
  readonly index: number;
  readonly recipe: Recipe;
  readonly start: number;
  /** What snapshot reads see: the state when it began. */
  readonly snapshot: ReadonlyMap<string, readonly ListValue[]>;
  done: readonly HistoryOperation[] | null;
}

class Machine {
  readonly open = new Map<number, Open>();
  readonly order: number[] = [];
  readonly #ended: (HistoryTransaction | undefined)[] = [];
  #state = new Map<string, readonly ListValue[]>();
  #now = 0;
  #values = 0;
  #begun = 0;

  begin(recipe: Recipe): void {
    const index = this.#begun++;
    this.open.set(recipe.process, { index, recipe, start: ++this.#now, snapshot: this.#state, done: null });
  }

  /** The transaction takes effect, or ends. */
  step(process: number): void {
    const one = this.open.get(process) as Open;
    const { outcome } = one.recipe;
    if (one.done === null) {
      one.done = this.#run(one);
      return;
    }
    this.open.delete(process);
    const isUnknown = outcome === 1 || outcome === 2;
    this.#ended[one.index] = {
      outcome: isUnknown ? "unknown" : outcome === 0 ? "failed" : "ok",
      process,
      start: one.start,
      end: ++this.#now,
      operations: one.done,
    };
  }

  history(): HistoryTransaction[] {
    return this.#ended as HistoryTransaction[];
  }

  #run(one: Open): HistoryOperation[] {
    // 0 failed, 1 unknown and lost, 2 unknown and applied, others ok.
    const isApplied = one.recipe.outcome > 1;
    const state = new Map(this.#state);
    const own = new Map<string, ListValue[]>();
    const look = (from: ReadonlyMap<string, readonly ListValue[]>, key: string): ListValue[] => [
      ...(from.get(key) ?? []),
      ...(own.get(key) ?? []),
    ];
    const isSnapshot = one.recipe.operations.some(({ kind }) => kind === 9);
    // A transaction reads one version: with snapshot reads it has only these, of the state when it began.
    const from = isSnapshot ? one.snapshot : this.#state;
    const mark = isSnapshot ? { isSnapshot: true } : {};
    const operations = one.recipe.operations.map(({ kind, key: at }): HistoryOperation => {
      const key = KEYS[at] as string;
      if (kind < 4) {
        const value = ++this.#values;
        own.set(key, [...(own.get(key) ?? []), value]);
        return { kind: "append", key, value };
      }
      if (kind < 7 || kind === 9) return { kind: "read", key, list: look(from, key), ...mark };
      const prefix = kind === 7 ? "a/" : "b";
      const keys = KEYS.filter((each) => each.startsWith(prefix) && look(from, each).length > 0);
      return { kind: "range", prefix, rows: keys.map((each) => [each, look(from, each)]), ...mark };
    });
    if (isApplied) {
      for (const [key, values] of own) state.set(key, [...(state.get(key) ?? []), ...values]);
      this.#state = state;
      this.order.push(one.index);
    }
    return operations;
  }
}
