/**
 * Versions that a database has come across, so that a transaction which may read a little of the past need not ask for one
 * (features DF-68; in FoundationDB's Record Layer "weak read semantics"). A layer over a storage: it notes the versions of
 * views and commits that pass, with the time at which each was asked for, which is the last moment whose commits it surely
 * has. Promise: what it gives never goes back, and whoever has committed through this database sees that. Does not own: who
 * may read the past (`TransactionOptions.readVersionAgeMs`), and that only a first try does (the database).
 */
import type { Clock } from "../platform/platform.js";
import type {
  Answer,
  CommitRequest,
  CommitResult,
  StorageView,
  StorageWatch,
  TransactionStorage,
} from "./storage.js";

export class ReadVersions implements TransactionStorage {
  readonly #storage: TransactionStorage;
  readonly #clock: Clock;
  #version = -1;
  #askedMs = Number.NEGATIVE_INFINITY;

  get isExclusive(): boolean {
    return this.#storage.isExclusive === true;
  }

  constructor(storage: TransactionStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** A version with everything that was committed `ageMs` ago; null when none is known that is so new. */
  notOlderThan(ageMs: number): number | null {
    return this.#clock.nowMs() - this.#askedMs <= ageMs ? this.#version : null;
  }

  openView(version: number | null): Answer<StorageView> {
    const askedMs = this.#clock.nowMs();
    const answer = this.#storage.openView(version);
    if (version !== null) return answer;
    if (answer instanceof Promise) {
      return answer.then((view) => {
        this.#saw(view.version, askedMs);
        return view;
      });
    }
    this.#saw(answer.version, askedMs);
    return answer;
  }

  async commit(request: CommitRequest): Promise<CommitResult> {
    const askedMs = this.#clock.nowMs();
    const result = await this.#storage.commit(request);
    this.#saw(result.version, askedMs);
    return result;
  }

  watch(key: Uint8Array, value: Uint8Array | undefined, version: number): StorageWatch {
    return this.#storage.watch(key, value, version);
  }

  #saw(version: number, askedMs: number): void {
    if (version < this.#version) return;
    this.#version = version;
    this.#askedMs = Math.max(this.#askedMs, askedMs);
  }
}
