/**
 * O17. Verifies: once a commit has failed for the disk's sake, or the engine says that it has stopped, no commit that
 * is handed in later is acknowledged until the store is reopened: a failed sync is never retried and believed
 * (simulation.md B5, "fsyncgate").
 * Does not verify: what is on the disk then; recovery after the reopen decides that (O1, O4).
 */
import type { Commit } from "../model/commit.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

export class FailStop {
  readonly #ledger: OracleLedger;
  #stoppedBy: string | null = null;
  /** Commits handed in after this one must not be acknowledged. */
  #lastSequence = 0;

  constructor(ledger: OracleLedger) {
    this.#ledger = ledger;
  }

  get stopped(): boolean {
    return this.#stoppedBy !== null;
  }

  newLife(): void {
    this.#stoppedBy = null;
  }

  /** `submitted`: the newest commit handed in when the stop became known. */
  stop(by: string, submitted: number): void {
    if (this.#stoppedBy !== null) return;
    this.#stoppedBy = by;
    this.#lastSequence = submitted;
  }

  acknowledged(commit: Commit): void {
    this.#ledger.count("O17");
    if (this.#stoppedBy !== null && commit.sequence > this.#lastSequence) {
      throw new OracleFailure("O17", `${commit.describe()} is acknowledged after ${this.#stoppedBy}`);
    }
  }
}
