/**
 * Makes the transactions of a workload, literally: which steps, on what. Few keys, so that transactions meet, and of
 * awkward shapes where the workload is about ranges. Does not own: what steps do (`transactions/steps.ts`).
 */
import type { AtomicOperation } from "../../src/transaction/atomic.js";
import type { ChoiceStream } from "../choices/choices.js";
import { elementOf, FILED, LISTS, LISTS_END, listKey } from "../transactions/places.js";
import type { Operation } from "./operation.js";
import type { SimulationOptions } from "./options.js";
import { STEPS_MAX, type TransactionStep } from "./transaction-steps.js";
import { isTransactionWorkload, type TransactionWorkloadName } from "./transaction-workloads.js";

type Transact = Extract<Operation, { kind: "transact" }>;

/** Keys of the random workloads lie under these, and one may be the beginning of another. */
const PREFIX = "k/";
const STAMPED = "s/";
/** Transactions under idempotency keys that may be sent again. */
const KEYED_MAX = 12;
const ATOMICS = [
  "add",
  "bitAnd",
  "bitOr",
  "bitXor",
  "appendIfFits",
  "max",
  "min",
  "byteMin",
  "byteMax",
  "compareAndClear",
] as const satisfies readonly AtomicOperation[];

export class TransactionGenerator {
  readonly #options: SimulationOptions;
  readonly #choices: ChoiceStream;
  /** Values name the transaction and the step that wrote them. */
  #number = 0;
  #values = 0;
  readonly #keyedLately: { readonly key: string; readonly steps: readonly TransactionStep[] }[] = [];

  constructor(options: SimulationOptions, choices: ChoiceStream) {
    this.#options = options;
    this.#choices = choices;
  }

  /** The transaction of operation `number`. */
  next(number: number): Operation {
    this.#number = number;
    this.#values = 0;
    const { workload, durabilityOverrideProbability } = this.#options;
    // So that the window of idempotency keys passes.
    if (workload === "idempotency" && this.#chance(0.06))
      return { kind: "pause", ms: 3000 + this.#below(9000) };
    const steps = isTransactionWorkload(workload) ? this.#steps(workload) : [];
    const overrides = this.#chance(durabilityOverrideProbability);
    const durability = this.#chance(0.5) ? "buffered" : "sync";
    const isBlind = workload === "serializability" && this.#chance(0.05);
    const operation: Transact = {
      kind: "transact",
      steps,
      ...(overrides ? { durability } : {}),
      ...(isBlind ? { blind: true } : {}),
    };
    return workload === "idempotency" ? this.#keyed(operation) : operation;
  }

  #steps(workload: TransactionWorkloadName): TransactionStep[] {
    const { size } = this.#options.transactions;
    switch (workload) {
      case "cycle":
        // Three nodes at least, or a swap has nothing to turn.
        return [["rotate", Math.max(3, size), this.#below(Math.max(3, size))]];
      case "atomic-ops":
        return this.#many(3, (index) => [
          "count",
          this.#below(size),
          this.#number * STEPS_MAX + index,
          1 + this.#below(1000),
        ]);
      case "bank":
        return this.#bank(size);
      case "conflict-range":
        return this.#many(4, () => this.#rangeOrWrite());
      case "serializability":
        return this.#many(6, () => this.#anything());
      case "write-skew":
        return this.#many(2, () => ["duty", this.#below(Math.max(1, size >> 1)), this.#below(2)]);
      case "watches":
        return this.#watches();
      case "directories":
        return this.#many(2, () => [
          "directory",
          this.#below(3 * size),
          this.#chance(0.3) ? "remove" : "open",
        ]);
      case "versionstamps":
        return this.#stamps();
      case "list-append":
        // Few lists, so that what one reads another changes.
        return this.#many(4, (index) => this.#list(1 + (size >> 1), index));
      case "idempotency":
        return this.#many(2, () => ["increment", this.#below(size), 1 + this.#below(9)]);
      case "change-feeds":
        return this.#feeds();
    }
  }

  /** Under a key of its own, or what was sent before once more. */
  #keyed(operation: Transact): Transact {
    const again = this.#chance(0.4) ? this.#one([...this.#keyedLately, null]) : null;
    if (again !== null) return { ...operation, steps: again.steps, idempotencyKey: again.key };
    const key = String(this.#number);
    this.#keyedLately.push({ key, steps: operation.steps });
    if (this.#keyedLately.length > KEYED_MAX) this.#keyedLately.shift();
    return { ...operation, idempotencyKey: key };
  }

  #feeds(): TransactionStep[] {
    if (this.#chance(0.3)) {
      const how = this.#one(["read", "read", "create", "create", "pop", "remove"] as const);
      return [["feed", how, this.#below(2), this.#below(9)]];
    }
    // Reads first: they must not depend on a versionstamp to come.
    const reads = this.#chance(0.3) ? [["get", this.#key(), false] as const] : [];
    const writes = this.#many(5, (): TransactionStep => {
      const kind = this.#below(10);
      if (kind < 2) return ["clearRange", ...this.#places()];
      if (kind === 2) return ["clear", this.#key()];
      if (kind < 5) return ["atomic", this.#one(ATOMICS), this.#key(), this.#operand()];
      if (kind === 5) return ["stampKey", this.#key(), this.#chance(0.5) ? "" : "x", this.#value()];
      if (kind === 6) return ["stampValue", this.#key(), "at ", ""];
      return ["set", this.#key(), this.#value()];
    });
    return [...reads, ...writes];
  }

  #bank(size: number): TransactionStep[] {
    if (this.#chance(0.25)) {
      const how = this.#one(["points", "range", "reverse"] as const);
      return [["audit", size, how]];
    }
    return [["transfer", size, this.#below(size), this.#below(size), 1 + this.#below(60)]];
  }

  #rangeOrWrite(): TransactionStep {
    const kind = this.#below(10);
    if (kind < 4) return this.#range(false);
    if (kind === 4) {
      const [begin, end] = this.#places();
      return ["walk", begin, end, 1 + this.#below(3), this.#chance(0.5)];
    }
    if (kind === 5) return ["clearRange", ...this.#places()];
    if (kind === 6) return ["clear", this.#key()];
    return ["set", this.#key(), this.#value()];
  }

  #anything(): TransactionStep {
    const kind = this.#below(16);
    if (kind < 3) return ["get", this.#key(), this.#chance(0.2)];
    if (kind < 7) return this.#rangeOrWrite();
    if (kind === 7)
      return ["select", this.#place(), this.#chance(0.5), this.#below(7) - 3, this.#chance(0.2)];
    if (kind === 8) return this.#range(true);
    if (kind === 9) return ["clearRange", ...this.#places()];
    if (kind === 10) {
      const kinds = ["readConflict", "writeConflict"] as const;
      return [this.#one(kinds), ...this.#places()];
    }
    if (kind === 11 && this.#chance(0.2)) return ["skipConflict"];
    if (kind < 14) return ["atomic", this.#one(ATOMICS), this.#key(), this.#operand()];
    return ["set", this.#key(), this.#value()];
  }

  #watches(): TransactionStep[] {
    const set = (): TransactionStep =>
      this.#chance(0.2) ? ["clear", this.#key()] : ["set", this.#key(), this.#fewValues()];
    if (this.#chance(0.5)) return this.#chance(0.2) ? [["skipConflict"], set()] : this.#many(2, set);
    const watch: TransactionStep = ["watch", this.#key()];
    return this.#chance(0.5) ? [watch] : [watch, set()];
  }

  #stamps(): TransactionStep[] {
    const kind = this.#below(4);
    const suffix = this.#chance(0.5) ? "" : String(this.#below(3));
    if (kind === 0) return [["stampKey", STAMPED, suffix, this.#value()]];
    if (kind === 1) return [["stampValue", this.#key(), this.#chance(0.5) ? "" : "at ", suffix]];
    if (kind === 2) {
      const read = ["range", FILED, `${FILED}\xff`, this.#below(5), this.#chance(0.5), false] as const;
      return [read, ["set", this.#key(), this.#value()]];
    }
    return [["file", suffix]];
  }

  #list(lists: number, index: number): TransactionStep {
    const key = listKey(this.#below(lists));
    const kind = this.#below(10);
    if (kind < 4) return ["atomic", "appendIfFits", key, elementOf(this.#number * STEPS_MAX + index)];
    if (kind < 8) return ["get", key, this.#chance(0.1)];
    return ["range", LISTS, LISTS_END, 0, this.#chance(0.5), this.#chance(0.1)];
  }

  #range(isSnapshot: boolean): TransactionStep {
    const [begin, end] = this.#places();
    const limit = this.#chance(0.5) ? 0 : 1 + this.#below(4);
    return ["range", begin, end, limit, this.#chance(0.5), isSnapshot];
  }

  #key(): string {
    const { size } = this.#options.transactions;
    const key = PREFIX + String.fromCharCode(0x61 + this.#below(size));
    // One key in four is longer than another one by a byte.
    return this.#chance(0.25) ? key + this.#one(["\0", "\xff"]) : key;
  }

  /** A key, or right beside one. */
  #place(): string {
    const key = this.#key();
    return this.#chance(0.3) ? `${key}\0` : key;
  }

  #places(): [string, string] {
    const a = this.#chance(0.1) ? PREFIX : this.#place();
    const b = this.#chance(0.1) ? `${PREFIX}\xff` : this.#place();
    return a <= b ? [a, b] : [b, a];
  }

  #value(): string {
    return `${this.#number}.${this.#values++}`;
  }

  /** So that a value may come back. */
  #fewValues(): string {
    return String(this.#below(3));
  }

  #operand(): string {
    const shape = this.#below(4);
    if (shape === 0) return this.#fewValues();
    const length = this.#one([8, 1, 2, 3]);
    return Array.from({ length }, () => String.fromCharCode(this.#below(256))).join("");
  }

  #many(max: number, make: (index: number) => TransactionStep): TransactionStep[] {
    return Array.from({ length: 1 + this.#below(max) }, (_, index) => make(index));
  }

  #below(n: number): number {
    return this.#choices.below(n, "transaction.below");
  }

  #chance(probability: number): boolean {
    return this.#choices.chance(probability, "transaction.chance");
  }

  #one<T>(values: readonly T[]): T {
    return values[this.#choices.below(values.length, "transaction.one")] as T; // below(n) < n
  }
}
