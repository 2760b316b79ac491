/**
 * The promises that a run is checked against, by the number under which reports, cases and the kill matrix name them,
 * and the error that says one was broken. The numbers are those of the design (reference: simulation.md c).
 */

export const ORACLES = {
  O1: "every commit acknowledged as durable is there after a crash",
  O2: "a commit is visible wholly or not at all",
  O3: "what survives a crash is a prefix of the commit order, without holes",
  O4: "a commit without an answer is applied or not, and stays that way in every later recovery",
  O5: "versions are one order that agrees with real time, and reads, conditions and transactions go by it",
  O6: "a pinned version reads the same at any time, in both directions, by scan and by key",
  O7: "versions, file numbers and manifest edits never go back, nor are they used twice",
  O8: "CURRENT names a complete manifest at every instant, and every file it refers to is there",
  O9: "no live file is deleted, and no dead one is left behind",
  O10: "levels are sorted, below level 0 without overlap, and no user key straddles two tables",
  O11: "a readable index holds exactly what its documents make",
  O12: "what was deleted or overwritten stays so",
  O13: "recovering twice gives the same store",
  O14: "the same seed gives the same run",
  O15: "once faults stop, everything pending finishes",
  O16: "every error has a cause, and every cause that matters is told",
  O17: "after a failed write or sync nothing more is acknowledged until the store is reopened",
  O18: "nothing is left open after close",
  O19: "the disk holds no more than the data calls for, also after crashes in a row",
  O20: "a checkpoint opens as a store of its own that equals the state it was taken at",
  O21: "the same operations give the same answers under other options, schedules and latencies",
  O22: "every read answers as a plain versioned map does",
  O23: "bytes that are read are bytes that were written there, or an error says otherwise",
  O24: "log and tables hold together what was durable, and tables hold nothing that is newer than the manifest says",
  O28: "only a run with the canary in it fails for the canary",
  O30: "a store has one owner at a time, and who comes second changes nothing",
  O31: "what a workload of transactions promises of every committed state holds",
  O32: "a watch that fires has seen a change, and a change that stays is told to every watch",
  O33: "what is committed under one idempotency key is applied once, and found under it, within the window",
  O34: "a change feed holds every change of its range, each once, in the order of commits",
  O35: "a unique index that is readable has each value once, and one that is built records who shares one",
  O36: "a copy of an index that is being built holds what its build says, and becomes readable when it holds all",
  O37: "a large document has all of its parts, and there is no part of none",
  O38: "calls of records read what is there, change what they are asked to and nothing else, and fail with a cause",
  O39: "a migration changes each document once, and leaves the catalogue of its schema",
  O40: "a reader beside the writer sees a prefix of its commits with all that was durable, and never goes back",
  O41: "a backup that is listed restores to the state it was made of, and one that was acknowledged stays until it is deleted",
  O42: "a Level database does what its interface says: one commit a write, views that stay, Level's codes",
  O43: "the store's metrics agree with what it did",
} as const;

/** The number of an oracle. */
export type OracleId = keyof typeof ORACLES;

/** The numbers of all oracles. */
export const ORACLE_IDS = Object.keys(ORACLES) as readonly OracleId[];

/** How a failure is classed by exit codes. */
export function failureClass(oracle: OracleId): "safety" | "liveness" | "determinism" {
  if (oracle === "O15") return "liveness";
  return oracle === "O14" ? "determinism" : "safety";
}

/** A promise of the engine was broken. `detail` says by what, in words and literal values. */
export class OracleFailure extends Error {
  readonly oracle: OracleId;
  readonly promise: string;
  readonly detail: string;

  constructor(oracle: OracleId, detail: string, cause?: unknown) {
    super(`${oracle} broken (${ORACLES[oracle]}): ${detail}`, cause === undefined ? undefined : { cause });
    this.name = "OracleFailure";
    this.oracle = oracle;
    this.promise = ORACLES[oracle];
    this.detail = detail;
  }
}

/** How often each oracle was evaluated in a run: an oracle that never ran proves nothing. */
export class OracleLedger {
  readonly evaluations: Record<OracleId, number>;

  constructor() {
    this.evaluations = Object.fromEntries(ORACLE_IDS.map((id) => [id, 0])) as Record<OracleId, number>;
  }

  count(oracle: OracleId): void {
    this.evaluations[oracle]++;
  }
}
