/**
 * Transactions on an etcd cluster: the storage below `BufferedTransaction`. The version of the database is how many commits
 * there have been; each is one etcd transaction (`committer.ts`), so the serial order is that of etcd's log.
 *
 * Promises: strict serializability of everything that goes through clients of the same prefix. Whoever else writes below the
 * prefix breaks it. Does not own: the cluster.
 */
import type { Clock, Random, Scheduler } from "../../platform/platform.js";
import { TransactionError } from "../../transaction/errors.js";
import type {
  CommitRequest,
  CommitResult,
  StorageWatch,
  TransactionStorage,
} from "../../transaction/storage.js";
import type { EtcdCluster } from "./cluster.js";
import { type CommitLimits, Committer } from "./committer.js";
import type { Layout } from "./layout.js";
import { EtcdView, type ViewParts } from "./view.js";
import { EtcdWatches } from "./watches.js";

export interface EtcdStorageParts {
  readonly cluster: EtcdCluster;
  readonly layout: Layout;
  readonly limits: CommitLimits;
  readonly watchIntervalMs: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

const CLIENT_NAME_WORDS = 4;

export class EtcdStorage implements TransactionStorage {
  readonly #parts: EtcdStorageParts;
  readonly #viewParts: ViewParts;
  readonly #committer: Committer;
  readonly #watches: EtcdWatches;

  constructor(parts: EtcdStorageParts) {
    const { cluster, layout, limits, clock, scheduler, random, watchIntervalMs } = parts;
    this.#parts = parts;
    this.#viewParts = { cluster, layout, clock, keysMax: limits.maxOperations };
    const words = Array.from({ length: CLIENT_NAME_WORDS }, () => random.nextUint32().toString(36));
    this.#committer = new Committer({
      cluster,
      layout,
      limits,
      clock,
      scheduler,
      random,
      client: words.join("-"),
    });
    const { maxOperations } = limits;
    this.#watches = new EtcdWatches({
      cluster,
      layout,
      scheduler,
      intervalMs: watchIntervalMs,
      maxOperations,
    });
  }

  /** Throws `FUTURE_VERSION`, `TRANSACTION_TOO_OLD` for what etcd has compacted, `UNAVAILABLE`. */
  async openView(version: number | null): Promise<EtcdView> {
    const { cluster, layout } = this.#parts;
    const { header, kvs } = await cluster.range({ key: layout.sequence });
    const newest = Number(kvs[0]?.version ?? 0);
    this.#committer.sawVersion(newest);
    if (version === null || version === newest) {
      return new EtcdView(newest, Number(header.revision), this.#viewParts);
    }
    if (version > newest) {
      throw new TransactionError(
        "FUTURE_VERSION",
        `the database is at version ${newest}, not yet at ${version}.`,
      );
    }
    const revision = await this.#revisionOf(version, newest, Number(kvs[0]?.mod_revision ?? 0));
    return new EtcdView(version, revision, this.#viewParts);
  }

  async commit(request: CommitRequest): Promise<CommitResult> {
    let view: EtcdView | null = null;
    if (request.readVersion !== null && !request.readConflicts.isEmpty) {
      view = request.view instanceof EtcdView ? request.view : await this.openView(request.readVersion);
      view.checkAge();
    }
    const result = await this.#committer.commit(request, view);
    this.#watches.nudge();
    return result;
  }

  watch(key: Uint8Array, value: Uint8Array | undefined): StorageWatch {
    return this.#watches.add(key, value);
  }

  async close(): Promise<void> {
    this.#watches.close(new TransactionError("OPERATION_CANCELLED", "the database is closed."));
    await this.#committer.close();
    this.#parts.cluster.close();
  }

  /**
   * A revision at which the database had this version, which is older than `newest`, reached in revision `at`. Each version
   * before is at least one revision before, so this steps down, and comes to it in one step unless others write to etcd too.
   */
  async #revisionOf(version: number, newest: number, at: number): Promise<number> {
    const { cluster, layout } = this.#parts;
    let seen = newest;
    for (let revision = at; ; ) {
      revision -= seen - version;
      if (revision <= 0) throw new TransactionError("TRANSACTION_TOO_OLD", "there was nothing yet.");
      const [row] = (await cluster.range({ key: layout.sequence, revision })).kvs;
      seen = Number(row?.version ?? 0);
      if (seen === version) return revision;
      revision = Number(row?.mod_revision ?? revision);
    }
  }
}
