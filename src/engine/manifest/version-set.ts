/**
 * Which shapes of the tree are in use. A `TreeVersion` is an immutable shape with a reference count; readers hold one
 * while they read. A table that no held shape names any more is obsolete, and only then may its file go.
 * Does not own files: it reports obsolete tables to its listener.
 */
import { assert } from "../../platform/assert.js";
import type { TableMeta } from "./table-meta.js";
import type { Levels } from "./tree.js";

export class TreeVersion {
  readonly levels: Levels;
  #references = 0;
  readonly #set: VersionSet;

  constructor(levels: Levels, set: VersionSet) {
    this.levels = levels;
    this.#set = set;
  }

  get references(): number {
    return this.#references;
  }

  hold(): void {
    this.#references++;
  }

  release(): void {
    assert(this.#references > 0, "a tree version is released as often as it is held");
    this.#references--;
    if (this.#references === 0) this.#set.retire(this);
  }
}

export class VersionSet {
  #current: TreeVersion;
  /** Number of held versions that name each table. */
  readonly #uses = new Map<number, number>();
  readonly #onObsolete: (table: TableMeta) => void;
  #held = 0;

  constructor(levels: Levels, onObsolete: (table: TableMeta) => void) {
    this.#onObsolete = onObsolete;
    this.#current = this.#enter(levels);
  }

  get current(): TreeVersion {
    return this.#current;
  }

  /** Shapes in use, the current one included. */
  get heldCount(): number {
    return this.#held;
  }

  /** Numbers of all tables that some held version names. */
  liveTables(): number[] {
    return [...this.#uses.keys()].sort((a, b) => a - b);
  }

  /** Makes `levels` current. The edit that leads to it must be durable already, for files may be removed here. */
  install(levels: Levels): void {
    const former = this.#current;
    this.#current = this.#enter(levels);
    former.release();
  }

  retire(version: TreeVersion): void {
    this.#held--;
    for (const tables of version.levels) {
      for (const table of tables) {
        const uses = (this.#uses.get(table.fileNumber) ?? 0) - 1;
        assert(uses >= 0, "a table is given up as often as it is used");
        if (uses > 0) this.#uses.set(table.fileNumber, uses);
        else {
          this.#uses.delete(table.fileNumber);
          this.#onObsolete(table);
        }
      }
    }
  }

  #enter(levels: Levels): TreeVersion {
    const version = new TreeVersion(levels, this);
    this.#held++;
    for (const tables of levels) {
      for (const table of tables)
        this.#uses.set(table.fileNumber, (this.#uses.get(table.fileNumber) ?? 0) + 1);
    }
    version.hold();
    return version;
  }
}
