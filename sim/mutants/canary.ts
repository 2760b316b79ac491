/**
 * The canary (O28): a target that always fails, so that a run of it shows whether failures are reported at all. It is
 * asked for like a mutant, under this id, and then each run that finds nothing else fails in the end.
 */
import { OracleFailure, type OracleLedger } from "../oracles/failure.js";

export const CANARY = "canary";

export function singIfAsked(ledger: OracleLedger, mutants: readonly string[]): void {
  ledger.count("O28");
  if (mutants.includes(CANARY)) throw new OracleFailure("O28", "the canary sings, as it was told to");
}
