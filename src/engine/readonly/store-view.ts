/**
 * What a reader reads at one version: a shape of the tree, the log beside it, and the snapshots that hold on to both. The
 * writer's compactions keep no old version for readers, so a view is read from the files that it was loaded with, and from
 * no others: each snapshot and each iterator keeps those of its view.
 */
import type { TreeVersion } from "../manifest/version-set.js";
import type { IteratorHold } from "../read/iterator-hold.js";
import { readKey } from "../read/read-view.js";
import { type IterationRange, StoreIterator } from "../read/store-iterator.js";
import { type Snapshot, SnapshotList } from "../snapshots.js";
import type { TableCache } from "../table-cache.js";
import type { LogImage } from "./log-image.js";
import type { LoadedView } from "./view-loader.js";

export class StoreView {
  readonly version: number;
  readonly tree: TreeVersion;
  /** Newest first. */
  readonly log: readonly LogImage[];
  readonly manifestNumber: number;
  readonly editNumber: number;
  readonly snapshots: SnapshotList;
  readonly #tables: TableCache;
  readonly #pinned: Set<StoreView>;

  /** `pinned`: the views with open snapshots, among which it is when it has some. */
  constructor(
    { version, log, manifest }: LoadedView,
    tree: TreeVersion,
    tables: TableCache,
    pinned: Set<StoreView>,
  ) {
    this.version = version;
    this.tree = tree;
    this.log = log.toReversed();
    this.manifestNumber = manifest.manifestNumber;
    this.editNumber = manifest.editNumber;
    this.#tables = tables;
    this.#pinned = pinned;
    this.snapshots = new SnapshotList(() => {
      pinned.delete(this);
      tree.release();
    });
  }

  snapshot(): Snapshot {
    if (this.snapshots.count === 0) {
      this.tree.hold();
      this.#pinned.add(this);
    }
    return this.snapshots.take(this.version);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return readKey(this.log, this.tree.levels, this.#tables, key, this.version);
  }

  iterate(range: IterationRange, onClose: (hold: IteratorHold) => void): StoreIterator {
    const { log: segments, tree } = this;
    return new StoreIterator({ segments, tree, tables: this.#tables, onClose }, this.version, range);
  }
}
