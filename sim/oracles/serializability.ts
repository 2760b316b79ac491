/**
 * O5. Verifies, from the inside: the versions that the engine gives are one order that agrees with real time. A commit that
 * was acknowledged before another was handed in has the lower version; a read is placed at a version not below any commit
 * acknowledged before it began, nor below a read that ended before it began; a commit that requires a version is refused
 * exactly when the store has not reached it, and else lies above it. That each read shows the state at its version is the
 * comparison with the model (O6 pinned, O22 now): together they make strict serializability of single operations.
 * Does not verify: transactions of several reads and writes (issue 4).
 */
import { OracleFailure, type OracleLedger } from "./failure.js";

export class CommitOrder {
  readonly #ledger: OracleLedger;
  /** Newest version that some caller knows to be committed, and that some read was placed at. */
  #acknowledged = 0;
  #read = 0;

  constructor(ledger: OracleLedger) {
    this.#ledger = ledger;
  }

  /** What is known when a call begins; to be given back when it ends. */
  get now(): number {
    return this.#acknowledged;
  }

  /** A recovery was judged: what callers knew before is what it brought back, at this version. */
  newLife(version: number): void {
    this.#acknowledged = version;
    this.#read = version;
  }

  /** `began`: what `now` was when the commit was handed in. */
  committed(what: string, began: number, version: number, required: number | undefined): void {
    this.#ledger.count("O5");
    if (version <= began) {
      throw new OracleFailure(
        "O5",
        `${what} has version ${version}, but ${began} was acknowledged before it was handed in`,
      );
    }
    if (required !== undefined && version <= required) {
      throw new OracleFailure(
        "O5",
        `${what} has version ${version}, but required ${required} to be there before`,
      );
    }
    if (version > this.#acknowledged) this.#acknowledged = version;
  }

  /** A commit was told `VERSION_TOO_LOW`, or was taken, when the store stood at `version`. */
  required(what: string, version: number, required: number, refused: boolean): void {
    this.#ledger.count("O5");
    if (refused === version < required) return;
    throw new OracleFailure(
      "O5",
      `${what} requires version ${required} of a store at ${version}, and was ${refused ? "refused" : "taken"}`,
    );
  }

  /** A read without a snapshot begins, at `version`. */
  readAt(what: string, version: number): void {
    this.#ledger.count("O5");
    if (version < this.#acknowledged) {
      throw new OracleFailure(
        "O5",
        `${what} reads at version ${version}, but ${this.#acknowledged} was acknowledged before it began`,
      );
    }
    if (version < this.#read) {
      throw new OracleFailure("O5", `${what} reads at version ${version}, after a read at ${this.#read}`);
    }
    this.#read = version;
  }
}
