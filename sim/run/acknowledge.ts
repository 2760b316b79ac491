/** What follows from the answer to a commit, for the model and the oracles: of a batch or of a transaction. */
import type { Commit } from "../model/commit.js";
import { OracleFailure } from "../oracles/failure.js";
import { checkCommitVersion } from "../oracles/manifest-monotonicity.js";
import type { Session } from "./session.js";

/** Throws what is broken. */
export function acknowledge(session: Session, commit: Commit, version: number): void {
  const { ledger, model, failStop, counts, world, hasStore } = session;
  counts.acknowledged++;
  world.trace.event(TRACE_ACKNOWLEDGED, commit.sequence, version, 0);
  checkCommitVersion(ledger, model, commit, version);
  failStop.acknowledged(commit, world.steps);
  model.acknowledge(commit, version, world.runningUs / 1000);
  if (commit.durability === "sync") session.onPromise?.({ kind: "commit", what: commit.describe() });
  if (hasStore && session.store.version < version) {
    throw new OracleFailure(
      "O6",
      `${commit.describe()} is acknowledged, but reads are at ${session.store.version}`,
    );
  }
}

/** Kind of a trace event of the workload; below are those of the disk. */
export const TRACE_ACKNOWLEDGED = 1001;
