/**
 * O5 for transactions, from the inside: strict serializability in the order of commit versions. Verifies: every read of
 * every try, refused and read-only ones too, answers as the model's state at the read version, with the try's own writes
 * over it; when a commit is taken, all its reads but the snapshot ones would be answered the same at that very moment, and
 * nothing that it read was written since its read version; a commit is refused as a conflict only if something was, and as
 * too old only if the window has passed. That a read version is not below what was acknowledged before is `CommitOrder`.
 * Does not verify: that what is taken stays (O1, O3, O4); that reads stay as they were beside writes which ask to conflict
 * with nobody; nor anything that goes past the observed database.
 */
import type { ErrorCode } from "../../src/platform/errors.js";
import { TRANSACTION_LIFETIME_MS } from "../../src/transaction/limits.js";
import type { Row } from "../model/comparison.js";
import type { AttemptLog } from "../transactions/attempt-log.js";
import { type Replayed, replay } from "../transactions/replay.js";
import type { VersionedMap } from "../transactions/versioned-map.js";
import { keyText, shownKey } from "../workload/bytes.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** Above the keys of the system, too. */
const ALL_KEYS_END = "\xff\xff";

/** The answers so far, at the version that they were read at. */
export function checkReads(ledger: OracleLedger, model: VersionedMap, log: AttemptLog, what: string): void {
  if (log.read === null) return;
  ledger.count("O5");
  const { version } = log.read;
  const { mismatch } = replay(log, model.at(version), { judgesSnapshotReads: true, stamp: null });
  if (mismatch !== null) throw new OracleFailure("O5", `${what}: at read version ${version}, ${mismatch}`);
}

/** What a commit that is taken now does to the state before it, and whether its reads would be answered the same there. */
export function replayTaken(model: VersionedMap, log: AttemptLog, stamp: string): Replayed {
  return replay(log, model.at(model.newestVersion), { judgesSnapshotReads: false, stamp });
}

/** The storage takes a commit as `version`. Returns what it does to the state before it. */
export function checkTaken(
  ledger: OracleLedger,
  model: VersionedMap,
  log: AttemptLog,
  version: number,
  stamp: string,
  what: string,
): Replayed {
  ledger.count("O5");
  const replayed = replayTaken(model, log, stamp);
  const readVersion = log.read?.version ?? null;
  const isBesideSilent = model.commits.some((other) => other.isSilent && other.version > (readVersion ?? 0));
  if (replayed.mismatch !== null && !isBesideSilent) {
    throw new OracleFailure(
      "O5",
      `${what} commits as version ${version} after reading at ${readVersion}, but before it ${replayed.mismatch}`,
    );
  }
  const conflict = readVersion === null ? null : conflictOf(model, log, readVersion);
  if (conflict !== null) {
    throw new OracleFailure("O5", `${what} commits as version ${version}, but ${conflict}`);
  }
  return replayed;
}

/** The storage refuses a commit. `nowMs` is by the clock of the process. */
export function checkRefused(
  ledger: OracleLedger,
  model: VersionedMap,
  log: AttemptLog,
  code: ErrorCode,
  nowMs: number,
  what: string,
): void {
  ledger.count("O5");
  const read = log.read;
  if (read === null) throw new OracleFailure("O5", `${what} is refused with ${code}, but has read nothing`);
  if (code === "NOT_COMMITTED") {
    if (conflictOf(model, log, read.version) !== null) return;
    throw new OracleFailure(
      "O5",
      `${what} is refused, but nothing that it read at version ${read.version} was written since`,
    );
  }
  const missed = model.commits.find(({ version }) => version > read.version);
  const sinceMs = Math.min(read.atMs, missed?.atMs ?? read.atMs);
  if (nowMs - sinceMs > TRANSACTION_LIFETIME_MS) return;
  throw new OracleFailure(
    "O5",
    `${what} is refused as too old ${Math.round(nowMs - read.atMs)} ms after it took its read version`,
  );
}

/** What recovery brought back is the state after the last commit that it is said to have brought back. */
export function checkRecovered(ledger: OracleLedger, model: VersionedMap, rows: readonly Row[]): void {
  ledger.count("O5");
  const version = model.newestVersion;
  const state = model.at(version);
  const keys = new Set(state.keys("", ALL_KEYS_END));
  for (const { key, value } of rows) {
    if (!keys.delete(key) && model.knows(key)) throw wrong(version, `${shownKey(key)} is there`);
    if (model.knows(key) && state.get(key) !== keyText(value))
      throw wrong(version, `${shownKey(key)} differs`);
  }
  for (const key of keys) throw wrong(version, `${shownKey(key)} is not there`);
}

function wrong(version: number, what: string): OracleFailure {
  return new OracleFailure(
    "O5",
    `a store that has recovered version ${version} holds another state: ${what}`,
  );
}

function conflictOf(model: VersionedMap, log: AttemptLog, readVersion: number): string | null {
  const { readConflicts } = replay(log, model.at(readVersion), { judgesSnapshotReads: false, stamp: null });
  const conflict = model.conflictAfter(readVersion, readConflicts);
  if (conflict === null) return null;
  const ranges = readConflicts.map(([begin, end]) => `[${shownKey(begin)}, ${shownKey(end)})`);
  return `version ${conflict.version} wrote in ${ranges.join(", ")}, which it read at ${readVersion}`;
}
