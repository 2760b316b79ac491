/**
 * One commit of a transaction as the storage and the store see it, handed to the models and the oracles at each stage:
 *
 *   taken ──► accepted ──► acknowledged, or failed with an unknown result
 *     │ ▲        no room: taken again as another version, or refused after all
 *     └─┘
 *
 * From `taken` on it is a commit that the store may hold: a crash can strike in the midst of the call that takes it.
 * Does not own: what clients are told (`transactor.ts`).
 */

import type { Batch } from "../../src/engine/batch.js";
import type { Durability } from "../../src/engine/options.js";
import { assert } from "../../src/platform/assert.js";
import { hasCode, StillwaterError } from "../../src/platform/errors.js";
import type { CommitResult } from "../../src/transaction/storage.js";
import type { Commit, ModelMutation } from "../model/commit.js";
import { OracleFailure } from "../oracles/failure.js";
import { checkRefused, checkTaken, replayTaken } from "../oracles/transactions.js";
import type { AttemptLog } from "../transactions/attempt-log.js";
import type { CommitListener } from "../transactions/observed-storage.js";
import type { Replayed } from "../transactions/replay.js";
import { writtenBy } from "../transactions/written-batch.js";
import { keyBytes, keyText } from "../workload/bytes.js";
import { writerOfMutation } from "../workload/operation.js";
import { acknowledge } from "./acknowledge.js";
import type { Transactor } from "./transactor.js";

export class ObservedCommit implements CommitListener {
  readonly #transactor: Transactor;
  readonly #log: AttemptLog;
  readonly #operation: number;
  readonly #durability: Durability;
  readonly #what: string;
  readonly #idempotencyKey: string | null;
  /** The newest version that was acknowledged when it was handed in. */
  readonly #began: number;
  /** In the model of the store, while it may be in the store. */
  #commit: Commit | null = null;

  constructor(
    transactor: Transactor,
    log: AttemptLog,
    operation: number,
    durability: Durability,
    what: string,
    idempotencyKey: string | null = null,
  ) {
    this.#transactor = transactor;
    this.#log = log;
    this.#operation = operation;
    this.#durability = durability;
    this.#what = what;
    this.#idempotencyKey = idempotencyKey;
    this.#began = transactor.session.order.now;
  }

  taken(version: number, batch: Batch): void {
    this.#judged(() => {
      const { session, model } = this.#transactor;
      this.#transactor.decides();
      const replayed = this.#replayed(version, batch);
      this.#commit = session.model.submit(this.#operation, this.#mutations(replayed), this.#durability);
      model.add({
        version,
        sequence: this.#commit.sequence,
        effects: replayed.effects,
        conflicts: replayed.writeConflicts,
        isSilent: replayed.isSilent,
        atMs: session.life.platform.clock.nowMs(),
      });
      this.#transactor.stores(replayed.effects);
      session.idempotence.written();
      this.#transactor.tentative = this;
      this.#transactor.layers?.taken(version, this.#idempotencyKey);
    });
  }

  #replayed(version: number, batch: Batch): Pick<Replayed, "effects" | "writeConflicts" | "isSilent"> {
    const { session, model, lists, layers } = this.#transactor;
    // Layers above the storage have added to what the client did: what is right is judged by what comes of it.
    if (layers !== null) return { effects: writtenBy(batch, model), writeConflicts: [], isSilent: false };
    const stamp = stampOf(version);
    if (lists !== null) return replayTaken(model, this.#log, stamp);
    return checkTaken(session.ledger, model, this.#log, version, stamp, this.#what);
  }

  refused(error: unknown): void {
    this.#judged(() => {
      const { session, model } = this.#transactor;
      this.#transactor.decides();
      if (session.ended() || !(error instanceof StillwaterError)) return;
      this.#log.outcome = "refused";
      if (this.#transactor.layers !== null) return;
      const { code } = error;
      if (code !== "NOT_COMMITTED" && code !== "TRANSACTION_TOO_OLD") return;
      const nowMs = session.life.platform.clock.nowMs();
      checkRefused(session.ledger, model, this.#log, code, nowMs, this.#what);
    });
  }

  accepted(): void {
    this.#transactor.tentative = null;
    this.#log.accepted = this.#transactor.model.newestVersion;
  }

  acknowledged({ version, versionstamp }: CommitResult): void {
    const { session } = this.#transactor;
    if (session.ended()) return;
    this.#judged(() => {
      const { accepted } = this.#log;
      if (accepted !== version || this.#commit === null) {
        throw new OracleFailure(
          "O4",
          `${this.#what} is answered with version ${version}, but was taken as ${accepted}`,
        );
      }
      if (keyText(versionstamp) !== stampOf(version)) {
        throw new OracleFailure(
          "O5",
          `the versionstamp of version ${version} is ${Buffer.from(versionstamp).toString("hex")}`,
        );
      }
      this.#log.outcome = "acknowledged";
      session.order.committed(this.#what, this.#began, version, undefined);
      acknowledge(session, this.#commit, version);
    });
  }

  failed(error: unknown): void {
    const { session } = this.#transactor;
    if (session.ended()) return;
    this.#judged(() => {
      if (this.#transactor.tentative === this) this.#transactor.decides();
      const commit = this.#commit;
      if (commit === null || this.#log.accepted === null) {
        this.#log.outcome = "refused";
        return;
      }
      this.#log.outcome = "unknown";
      if (!hasCode(error, "COMMIT_UNKNOWN_RESULT")) {
        throw new OracleFailure(
          "O4",
          `${commit.describe()} was taken as version ${this.#log.accepted}, but is told: ${error}`,
          error,
        );
      }
      const { cause } = error as Error;
      session.judge(cause, this.#what);
      commit.outcome = "unknown";
      session.failStop.stop(`${commit.describe()} failed`, session.model.submitted);
    });
  }

  /** It was not taken after all: neither model has ever heard of it. */
  withdraw(): void {
    const { session, model, layers } = this.#transactor;
    assert(this.#commit !== null, "what is withdrawn was taken");
    session.model.refuse(this.#commit);
    this.#commit = null;
    const { version } = model.commits.at(-1) ?? { version: 0 };
    model.truncate(version - 1);
    layers?.lost(version - 1);
  }

  #mutations({ effects }: Pick<Replayed, "effects">): ModelMutation[] {
    const writer = writerOfMutation(this.#operation, 0);
    return [...effects].map(([key, value]) =>
      value === undefined ? ["delete", key] : ["literal", key, writer, keyBytes(value).slice()],
    );
  }

  /** What is found here must not become an answer of the storage. */
  #judged(judge: () => void): void {
    try {
      judge();
    } catch (error) {
      this.#transactor.session.found(error);
    }
  }
}

/** FoundationDB's versionstamp: the version in eight bytes, big-endian, and two for the place within it. */
function stampOf(version: number): string {
  const hex = version.toString(16).padStart(16, "0");
  return `${Buffer.from(hex, "hex").toString("latin1")}\0\0`;
}
