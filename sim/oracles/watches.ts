/**
 * O32. Verifies: a watch is told of a change only when its key has held another value than the one that its transaction saw,
 * at some version since; and at any moment at which nobody is waiting for a commit, no watch waits any more whose key holds
 * another value then. Resetting the transaction after its commit ends no watch; closing the database ends all.
 * Does not verify: that a change is told which was undone before anybody looked; FoundationDB does not promise it either.
 */
import type { Watch } from "../../src/transaction/transaction.js";
import type { AttemptLog } from "../transactions/attempt-log.js";
import type { VersionedMap } from "../transactions/versioned-map.js";
import { shownKey } from "../workload/bytes.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

export interface RunningWatch {
  readonly key: string;
  /** What the transaction saw under the key when it asked. */
  readonly value: string | undefined;
  readonly log: AttemptLog;
  readonly watch: Watch;
  readonly what: string;
}

/** `version`: what can be read now. */
export function checkFired(
  ledger: OracleLedger,
  model: VersionedMap,
  { key, value, log, what }: RunningWatch,
  version: number,
): void {
  ledger.count("O32");
  const since = log.read?.version ?? (log.accepted ?? 0) - 1;
  if (model.hasChanged(key, value, since, version)) return;
  throw new OracleFailure(
    "O32",
    `the watch of ${what} on ${shownKey(key)} is told of a change, but it has been ${shown(value)} since version ${since}`,
  );
}

export function checkWaiting(
  ledger: OracleLedger,
  model: VersionedMap,
  { key, value, what }: RunningWatch,
  version: number,
): void {
  ledger.count("O32");
  const now = model.at(version).get(key);
  if (now === value) return;
  throw new OracleFailure(
    "O32",
    `the watch of ${what} on ${shownKey(key)} waits for a change from ${shown(value)}, but at version ${version} it is ${shown(now)}`,
  );
}

function shown(value: string | undefined): string {
  return value === undefined ? "absent" : shownKey(value);
}
