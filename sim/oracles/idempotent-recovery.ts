/**
 * O13. Verifies: when a life ends after its recovery without having accepted a write, the next recovery finds the same
 * content at a version that is not lower. Fed by crashes during and right after recovery, which the run provokes.
 * Does not verify: equality of the files themselves; a recovery may well tidy up what the former one left.
 */
import type { Row } from "../model/comparison.js";
import { shownKey } from "../workload/bytes.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

export class IdempotentRecovery {
  readonly #ledger: OracleLedger;
  #rows: readonly Row[] | null = null;
  #version = 0;

  constructor(ledger: OracleLedger) {
    this.#ledger = ledger;
  }

  /** A write is about to be made: the next recovery may find something else. */
  written(): void {
    this.#rows = null;
  }

  recovered(rows: readonly Row[], version: number): void {
    const before = this.#rows;
    if (before !== null) {
      this.#ledger.count("O13");
      const length = Math.max(before.length, rows.length);
      for (let i = 0; i < length; i++) {
        const [a, b] = [before[i], rows[i]];
        if (a !== undefined && b !== undefined && a.key === b.key && Buffer.compare(a.value, b.value) === 0)
          continue;
        const key = shownKey((a ?? b)?.key ?? "");
        throw new OracleFailure("O13", `two recoveries without a write between them differ at ${key}`);
      }
      if (version < this.#version) {
        throw new OracleFailure("O13", `the second recovery is at version ${version} after ${this.#version}`);
      }
    }
    this.#rows = rows;
    this.#version = version;
  }
}

/** A store that was closed in order has nothing to recover, even if power was lost since, once its seal is durable. */
export function checkQuietOpening(ledger: OracleLedger, bytesWritten: number): void {
  ledger.count("O13");
  if (bytesWritten === 0) return;
  throw new OracleFailure(
    "O13",
    `opening wrote ${bytesWritten} bytes, though the store had been closed in order`,
  );
}
