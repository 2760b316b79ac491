/**
 * Versions that readers hold on to. A compaction takes a copy of the list when its job is made and never looks at the
 * live one (engine.md D29).
 */
import { assert } from "../platform/assert.js";
import { StillwaterError } from "../platform/errors.js";

/** A fixed view of the store: reads at `version`, whatever is committed later. Close it, or old versions pile up. */
export class Snapshot {
  readonly version: number;
  readonly #list: SnapshotList;
  #isClosed = false;
  /** Called once, when it is closed. */
  #onClose: (() => void) | null = null;

  constructor(version: number, list: SnapshotList) {
    this.version = version;
    this.#list = list;
  }

  /** Internal. */
  onClose(listener: (() => void) | null): void {
    this.#onClose = listener;
  }

  /** Idempotent. Reads through a closed snapshot fail with `SNAPSHOT_CLOSED`. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#list.release(this.version);
    this.#onClose?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Internal: the list that it is in. */
  get list(): SnapshotList {
    return this.#list;
  }

  /** Internal: the version to read at. Throws `SNAPSHOT_CLOSED`, or `INVALID_ARGUMENT` for another store's snapshot. */
  versionIn(list: SnapshotList): number {
    if (this.#list !== list) {
      throw new StillwaterError(
        "INVALID_ARGUMENT",
        "the snapshot belongs to another store, or to an earlier opening of this one.",
      );
    }
    if (this.#isClosed)
      throw new StillwaterError("SNAPSHOT_CLOSED", "the snapshot is closed. Take another one.");
    return this.version;
  }
}

export class SnapshotList {
  readonly #counts = new Map<number, number>();
  readonly #onEmpty: () => void;

  /** `onEmpty`: called when the last open snapshot has been closed. */
  constructor(onEmpty: () => void = () => undefined) {
    this.#onEmpty = onEmpty;
  }

  get count(): number {
    let sum = 0;
    for (const count of this.#counts.values()) sum += count;
    return sum;
  }

  take(version: number): Snapshot {
    this.#counts.set(version, (this.#counts.get(version) ?? 0) + 1);
    return new Snapshot(version, this);
  }

  release(version: number): void {
    const count = this.#counts.get(version);
    assert(count !== undefined && count > 0, "a snapshot is released once");
    if (count === 1) this.#counts.delete(version);
    else this.#counts.set(version, count - 1);
    if (this.#counts.size === 0) this.#onEmpty();
  }

  /** Distinct versions, ascending: a copy. */
  versions(): number[] {
    return [...this.#counts.keys()].sort((a, b) => a - b);
  }
}
