/** One try of a reference transaction: everything that a reset forgets. */
import type { TransactionError } from "../../../src/transaction/errors.js";
import type { KeyRange } from "./key-ranges.js";
import type { CommittedState } from "./reference-database.js";
import type { ReferenceWatch } from "./reference-watch.js";
import type { Mutation } from "./replay.js";

export class ReferenceAttempt {
  state: "active" | "committing" | "committed" = "active";
  /** Why nothing works any more. */
  ended: TransactionError | null = null;
  readonly mutations: Mutation[] = [];
  readonly readConflicts: KeyRange[] = [];
  readonly writeConflicts: KeyRange[] = [];
  readonly watches: ReferenceWatch[] = [];
  sizeBytes = 0;
  askedVersion: number | null = null;
  read: CommittedState | null = null;
  readAtMs = 0;
  failed: unknown = null;
  skipsConflict = false;
  version = -1;
  conflicts: readonly KeyRange[] = [];
  /** Called once, when the attempt ends. */
  readonly onEnd = new Set<(error: TransactionError) => void>();
  giveStamp: (stamp: Uint8Array) => void = () => {};
  failStamp: (error: unknown) => void = () => {};
  readonly stamp = new Promise<Uint8Array>((resolve, reject) => {
    this.giveStamp = resolve;
    this.failStamp = reject;
  });

  constructor() {
    this.stamp.catch(() => {});
  }
}
