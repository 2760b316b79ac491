/**
 * O16. Verifies: every error that reaches the caller is a typed one with a code that this call may give, and has a
 * cause: a fault that was really injected before it, damage, or what the workload itself did (a full queue, a version
 * required ahead of time). So an engine that refuses without a reason is caught, and an internal assertion is always
 * a failure. Counts what surfaced; the rest of the injected faults was absorbed, which the data oracles verify.
 * Does not verify: that a given fault surfaces; an engine may mask what it can.
 */
import { type ErrorCode, StillwaterError } from "../../src/platform/errors.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** What was injected so far, as far as it can make a call fail. */
export interface InjectedCauses {
  readonly readErrors: number;
  readonly writeErrors: number;
  readonly syncErrors: number;
  readonly noSpace: number;
  readonly damage: number;
}

/** How the run must take an error that has been found honest. */
export type ErrorVerdict =
  /** The store refuses writes from now on, or did already. */
  | "stopped"
  /** The call did nothing, and said so. */
  | "refused"
  /** A transient failure of this call; the store goes on. */
  | "failed"
  /** Damage was detected. */
  | "damage";

const FILE_SYSTEM: readonly ErrorCode[] = ["IO", "NO_SPACE"];

export class ErrorHonesty {
  readonly #ledger: OracleLedger;
  readonly #causes: () => InjectedCauses;
  /** Errors that reached the workload, by code. */
  readonly surfaced = new Map<string, number>();

  constructor(ledger: OracleLedger, causes: () => InjectedCauses) {
    this.#ledger = ledger;
    this.#causes = causes;
  }

  /** `legal`: codes that this call may give for reasons of its own. Throws `OracleFailure` for anything dishonest. */
  judge(error: unknown, call: string, legal: readonly ErrorCode[] = []): ErrorVerdict {
    this.#ledger.count("O16");
    if (!(error instanceof StillwaterError)) {
      const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
      throw new OracleFailure("O16", `${call} failed with an error that is not one of ours: ${said}`, error);
    }
    const bug = bugBehind(error);
    if (bug !== null) {
      throw new OracleFailure("O16", `${call} failed by a bug: ${bug.message}`, error);
    }
    this.surfaced.set(error.code, (this.surfaced.get(error.code) ?? 0) + 1);
    const causes = this.#causes();
    if (legal.includes(error.code)) return "refused";
    if (error.code === "CORRUPTION") {
      if (causes.damage > 0) return "damage";
      throw new OracleFailure("O16", `${call} reports damage that nobody did: ${error.message}`, error);
    }
    const injected = causes.readErrors + causes.writeErrors + causes.syncErrors + causes.noSpace;
    if (error.code === "FAILED_STOP") {
      if (injected + causes.damage > 0) return "stopped";
      throw new OracleFailure("O16", `${call} says that the store stopped, but nothing failed`, error);
    }
    if (FILE_SYSTEM.includes(error.code) && injected + causes.damage > 0) return "failed";
    throw new OracleFailure(
      "O16",
      `${call} failed with ${error.code} without a cause: ${error.message}`,
      error,
    );
  }
}

/** An assertion or a programming error anywhere in the chain of causes. */
function bugBehind(error: Error): Error | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof StillwaterError ? at.code === "ASSERTION" : !("code" in at)) return at;
  }
  return null;
}
