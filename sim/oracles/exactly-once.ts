/**
 * O33. Verifies: what is committed under an idempotency key is applied once, however often it is sent, over crashes too, for
 * at least the window, measured by the clocks of the processes while they had the store open; counters hold exactly what the
 * keys that were taken add; a client is told of success only when its key was taken; `findCommit` names that version, and
 * nothing for a key that was not taken. Does not verify: that keys are forgotten some time after the window.
 */
import type { Row } from "../model/comparison.js";
import { numberOf } from "../transactions/atomics.js";
import { ONCE, onceKey } from "../transactions/places.js";
import { keyText } from "../workload/bytes.js";
import type { TransactionStep } from "../workload/transaction-steps.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** A commit that was taken, and when, in time that the store was open. */
interface Taken {
  readonly key: string;
  readonly version: number;
  readonly openMs: number;
}

export class ExactlyOnce {
  readonly #ledger: OracleLedger;
  readonly #windowMs: number;
  /** What each key does. */
  readonly #steps = new Map<string, readonly TransactionStep[]>();
  #taken: Taken[] = [];

  constructor(ledger: OracleLedger, windowMs: number) {
    this.#ledger = ledger;
    this.#windowMs = windowMs;
  }

  /** Somebody is about to commit these steps under the key. Returns what the key does: what it did the first time. */
  sends(key: string, steps: readonly TransactionStep[]): readonly TransactionStep[] {
    const first = this.#steps.get(key);
    if (first !== undefined) return first;
    this.#steps.set(key, steps);
    return steps;
  }

  /** The keys that were sent last. */
  newestKeys(count: number): readonly string[] {
    return [...this.#steps.keys()].slice(-count);
  }

  taken(key: string, version: number, openMs: number): void {
    this.#ledger.count("O33");
    const before = this.#taken.findLast((one) => one.key === key);
    if (before !== undefined && openMs - before.openMs < this.#windowMs) {
      const ms = Math.round(openMs - before.openMs);
      throw new OracleFailure(
        "O33",
        `the idempotency key "${key}" is taken as version ${version}, ${ms} ms after it was as ${before.version}`,
      );
    }
    this.#taken.push({ key, version, openMs });
  }

  /** Commits above this version have never been. */
  lost(version: number): void {
    this.#taken = this.#taken.filter((one) => one.version <= version);
  }

  acknowledged(key: string, what: string): void {
    this.#ledger.count("O33");
    if (this.#taken.some((one) => one.key === key)) return;
    throw new OracleFailure("O33", `${what} says that "${key}" is committed, but nothing was under it`);
  }

  /** The rows of a store that stands at `version`. */
  checkRows(rows: readonly Row[], version: number, when: string): void {
    this.#ledger.count("O33");
    const due = new Map<string, bigint>();
    for (const one of this.#taken) {
      if (one.version > version) continue;
      for (const step of this.#steps.get(one.key) ?? []) {
        if (step[0] !== "increment") continue;
        const counter = onceKey(step[1]);
        due.set(counter, (due.get(counter) ?? 0n) + BigInt(step[2]));
      }
    }
    const found = new Map(
      rows.filter(({ key }) => key.startsWith(ONCE)).map(({ key, value }) => [key, numberOf(keyText(value))]),
    );
    for (const counter of new Set([...due.keys(), ...found.keys()])) {
      const [is, should] = [found.get(counter) ?? 0n, due.get(counter) ?? 0n];
      if (is !== should)
        throw new OracleFailure("O33", `${when}: ${counter} is ${is}, but ${should} was added`);
    }
  }

  /** `found`: what `findCommit` says now, and `visible` what the store stood at when it was asked. */
  checkFound(key: string, found: number | undefined, visible: number, openMs: number): void {
    this.#ledger.count("O33");
    const versions = this.#taken.filter((one) => one.key === key);
    const known = versions.findLast((one) => one.version <= visible);
    if (found === undefined) {
      if (known === undefined || openMs - known.openMs >= this.#windowMs) return;
      throw new OracleFailure("O33", `"${key}" was taken as version ${known.version}, but is not found`);
    }
    if (versions.some((one) => one.version === found && one.version >= (known?.version ?? 0))) return;
    throw new OracleFailure("O33", `"${key}" is found at version ${found}, but was not taken then`);
  }
}
