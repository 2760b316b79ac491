/**
 * O30. Verifies: of several that open a store at the same time at most one gets it, somebody gets it unless a fault
 * says why not, the others are told `LOCKED`, and they have changed nothing on the disk; after a kill the lock is free.
 * Does not verify: the locks of real file systems (`test/platform`), which the simulated disk only promises.
 */
import { OracleFailure, type OracleLedger } from "./failure.js";

/** Of attempts made at once: how many got the store, and how many were told that it is taken. */
export function checkOneWinner(ledger: OracleLedger, opened: number, locked: number, others: number): void {
  ledger.count("O30");
  if (opened > 1)
    throw new OracleFailure("O30", `${opened} of those who opened the store at once have got it`);
  if (opened === 0 && others === 0) {
    throw new OracleFailure(
      "O30",
      `${locked} opened the store at once, and every one was told that it is taken`,
    );
  }
}

/** `changes`: calls that change the disk, made by somebody who opened a store that was open already. */
export function checkTurnedAway(ledger: OracleLedger, wasOpened: boolean, changes: readonly string[]): void {
  ledger.count("O30");
  if (wasOpened) throw new OracleFailure("O30", "a store that is open has been opened a second time");
  if (changes.length > 0) {
    throw new OracleFailure("O30", `who was turned away has changed the disk: ${changes.join("; ")}`);
  }
}
