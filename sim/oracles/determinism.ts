/**
 * O14. Verifies: two runs of one seed went the same way to the end: same trace, same durable bytes, same clock, and the
 * same next number from every stream of choices. Run on every failing seed and on some of the passing ones; a test
 * compares two processes.
 * Does not verify: that runs agree over different versions of the code.
 */
import { OracleFailure, type OracleLedger } from "./failure.js";

/** What a run leaves behind for comparison. Plain data, so that it crosses processes. */
export interface RunFingerprint {
  readonly traceHash: string;
  readonly traceLength: number;
  readonly durableHash: string;
  readonly clockUs: number;
  /** For each stream: choices made, and the next number. */
  readonly streams: Readonly<Record<string, readonly [choices: number, next: number]>>;
}

export function checkSameRun(ledger: OracleLedger, first: RunFingerprint, second: RunFingerprint): void {
  ledger.count("O14");
  for (const name of ["traceHash", "traceLength", "durableHash", "clockUs", "streams"] as const) {
    const [a, b] = [JSON.stringify(first[name]), JSON.stringify(second[name])];
    if (a !== b) throw new OracleFailure("O14", `two runs of one seed differ in ${name}: ${a} and ${b}`);
  }
}
