/**
 * O17. Verifies: once a commit has failed for the disk's sake, or the engine says that it has stopped, no commit that
 * is handed in later is acknowledged until the store is reopened: a failed sync is never retried and believed
 * (simulation.md B5, "fsyncgate"). Nor does flush, compact or checkpoint succeed, for what is in the log only stays there.
 * Does not verify: what is on the disk then; recovery after the reopen decides that (O1, O4).
 */
import type { Commit } from "../model/commit.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

export class FailStop {
  readonly #ledger: OracleLedger;
  #stoppedBy: string | null = null;
  #logIsLost = false;
  /** Step of the world at which a sync failed. What was answered before it in the same step arrives in that step too. */
  #failedAtStep: number | null = null;
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
    this.#logIsLost = false;
    this.#failedAtStep = null;
  }

  /** `submitted`: the newest commit handed in when the stop became known. */
  stop(by: string, submitted: number): void {
    if (this.#stoppedBy !== null) return;
    this.#stoppedBy = by;
    this.#lastSequence = submitted;
  }

  /** A sync of the log or the manifest has failed: from now on nothing may be acknowledged, old or new. */
  syncFailed(path: string, step: number): void {
    if (this.#stoppedBy === null) this.stop(`the sync of ${path} failed`, Number.MAX_SAFE_INTEGER);
    this.#failedAtStep ??= step;
    this.#logIsLost = true;
  }

  /** What the page cache held of the log may be gone, as after a power loss. */
  get logIsLost(): boolean {
    return this.#logIsLost;
  }

  /** `stopped`: whether it was known to have stopped when the call was made that has now succeeded. */
  maintained(call: string, stopped: boolean): void {
    this.#ledger.count("O17");
    if (!stopped) return;
    throw new OracleFailure("O17", `${call} says that it is done, after ${this.#stoppedBy}`);
  }

  acknowledged(commit: Commit, step: number): void {
    this.#ledger.count("O17");
    const isLate = this.#failedAtStep !== null && step > this.#failedAtStep;
    if (this.#stoppedBy !== null && (isLate || commit.sequence > this.#lastSequence)) {
      throw new OracleFailure("O17", `${commit.describe()} is acknowledged after ${this.#stoppedBy}`);
    }
  }
}
