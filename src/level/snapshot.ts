/** Explicit snapshots: a token that reads are given, over a snapshot of the store that is taken at the call. */
import type { Snapshot } from "../engine/snapshots.js";
import { mutant } from "../platform/probes.js";
import { AbstractSnapshotBase } from "./abstract-level.js";
import type { LevelStore } from "./level.js";

/** A snapshot as Level knows them. Close it. */
export class StillwaterSnapshot extends AbstractSnapshotBase {
  /** Internal: what reads at this snapshot give the store. */
  readonly pinned: Snapshot;
  readonly #store: LevelStore;

  /** `owner` is the database, or the sublevel, that closes it in the end. */
  constructor(store: LevelStore, owner: unknown) {
    const pinned = store.snapshot();
    super({ owner });
    this.pinned = pinned;
    this.#store = store;
  }

  override _close(): Promise<void> {
    this.pinned.close();
    return Promise.resolve();
  }

  isOf(store: LevelStore): boolean {
    return this.#store === store;
  }
}

/** The store's snapshot behind a `snapshot` option; undefined: now. Throws `TypeError` for one of another database. */
export function pinnedBy(snapshot: unknown, store: LevelStore): Snapshot | undefined {
  if (snapshot === undefined || snapshot === null || mutant("A4-snapshot-option-ignored")) return undefined;
  if (snapshot instanceof StillwaterSnapshot && snapshot.isOf(store)) return snapshot.pinned;
  throw new TypeError("The snapshot belongs to another database, or to an earlier opening of this one");
}
