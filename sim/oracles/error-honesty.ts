/**
 * O16. Verifies: every error that reaches the caller is a typed one with a code that this call may give, and has a
 * cause: a fault that was really injected before it, damage, or what the workload itself did (a full queue, a version
 * required ahead of time). So an engine that refuses without a reason is caught, and an internal assertion is always
 * a failure. Counts what surfaced; the rest of the injected faults was absorbed, which the data oracles verify.
 * Does not verify: that a given fault surfaces; an engine may mask what it can.
 */
import { type ErrorCode, StillwaterError } from "../../src/platform/errors.js";
import type { FaultKind } from "../disk/counters.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** What was injected so far. */
export interface InjectedCauses {
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** Faults of class D that have struck. */
  readonly damage: number;
  /** What a sync that lied, or a rename that was split, has cost can be seen by now. */
  readonly lossShows: boolean;
}

/**
 * For each code of a file error the faults that can cause it, in the call that fails or in background work before it.
 * The table is what keeps an engine from hiding its own failure behind an unrelated fault.
 */
const CAUSES: Readonly<Partial<Record<ErrorCode, readonly FaultKind[]>>> = {
  IO: [
    "S13 read error",
    "S14 latent sector",
    "S21 write error",
    "S21 error on a name",
    "S22 sync error",
    "S22 reported late",
    "S23 close error",
    "S25 file too big",
    "S29 interrupted",
    "S32 error though done",
  ],
  NO_SPACE: ["S23 close error", "S24 no space", "S24 no space at sync", "S24 no space for a name"],
  TOO_MANY_OPEN_FILES: ["S26 too many open files"],
  ACCESS_DENIED: ["S27 denied"],
  READ_ONLY: ["S27 denied"],
  FILE_BUSY: ["S28 file in use"],
};

/** A store stops for what a file error may be, but for one that only reads can suffer, or that has done nothing. */
const STOPS: readonly FaultKind[] = Object.values(CAUSES)
  .flat()
  .filter((kind) => !["S13 read error", "S14 latent sector", "S28 file in use"].includes(kind));

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
      // Without its stack, which is not the same in each run; as the cause it is printed with it.
      throw new OracleFailure("O16", `${call} failed with an error that is not one of ours: ${error}`, error);
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
    // What is gone altogether cannot be told from what never was.
    if (causes.lossShows && (error.code === "NOT_A_STORE" || error.code === "NOT_FOUND")) return "damage";
    const struck = (kind: FaultKind): boolean => (causes.faults[kind] ?? 0) > 0;
    if (error.code === "FAILED_STOP") {
      if (STOPS.some(struck) || causes.damage > 0) return "stopped";
      throw new OracleFailure("O16", `${call} says that the store stopped, but nothing failed`, error);
    }
    if (CAUSES[error.code]?.some(struck) === true) return "failed";
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

/** A store that stops while it is being closed says so to whoever closes it: nobody else can hear of it. */
export function checkFailureTold(ledger: OracleLedger, stoppedBefore: boolean, stopped: boolean): void {
  ledger.count("O16");
  if (stoppedBefore || !stopped) return;
  throw new OracleFailure("O16", "close says that all is well, though the store has stopped while closing");
}
