/**
 * O18. Verifies: after close no file handle, no lock and no timer is left, and nothing is waiting to run.
 * Does not verify: memory.
 */
import { OracleFailure, type OracleLedger } from "./failure.js";

export function checkNoLeaks(
  ledger: OracleLedger,
  openHandles: readonly string[],
  timers: number,
  tasks: number,
): void {
  ledger.count("O18");
  if (openHandles.length > 0)
    throw new OracleFailure("O18", `left open after close: ${openHandles.join("; ")}`);
  if (timers > 0) throw new OracleFailure("O18", `${timers} timers are left after close`);
  if (tasks > 0) throw new OracleFailure("O18", `${tasks} tasks are left after close`);
}
