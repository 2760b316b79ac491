/**
 * A sorted level as one cursor: opens its tables one at a time, as the position reaches them. At most one table cursor
 * (and so one pinned block) is held.
 */
import { assert } from "../../platform/assert.js";
import { Cursor } from "../cursor.js";
import { firstTableAtOrAfter, type TableMeta } from "../manifest/table-meta.js";

/** Where table cursors come from. */
export interface TableSource {
  /** A fresh cursor over a table. */
  open(table: TableMeta): Cursor;
  /** Called once for each `open`, when the cursor has been closed. */
  release(table: TableMeta): void;
}

export class LevelCursor extends Cursor {
  readonly #tables: readonly TableMeta[];
  readonly #source: TableSource;
  #index = -1;
  #child: Cursor | null = null;

  /** `tables` are sorted and share no key. */
  constructor(tables: readonly TableMeta[], source: TableSource) {
    super();
    this.#tables = tables;
    this.#source = source;
  }

  seekFirst(): void {
    this.valid = false;
    if (this.#enter(0)) this.#childOrThrow().seekFirst();
    this.#forwardToRow();
  }

  seekLast(): void {
    this.valid = false;
    if (this.#enter(this.#tables.length - 1)) this.#childOrThrow().seekLast();
    this.#backToRow();
  }

  seekAtOrAfter(key: Uint8Array): void {
    this.valid = false;
    if (this.#enter(firstTableAtOrAfter(this.#tables, key))) this.#childOrThrow().seekAtOrAfter(key);
    this.#forwardToRow();
  }

  seekBefore(key: Uint8Array): void {
    this.valid = false;
    // The last row before `key` is in the first table that reaches `key`, or in the one before that.
    const index = Math.min(firstTableAtOrAfter(this.#tables, key), this.#tables.length - 1);
    if (this.#enter(index)) this.#childOrThrow().seekBefore(key);
    this.#backToRow();
  }

  next(): void {
    this.valid = false;
    this.#childOrThrow().next();
    this.#forwardToRow();
  }

  previous(): void {
    this.valid = false;
    this.#childOrThrow().previous();
    this.#backToRow();
  }

  close(): void {
    this.#leave();
  }

  #forwardToRow(): void {
    while (this.#child !== null && !this.#child.valid) {
      if (this.#enter(this.#index + 1)) this.#childOrThrow().seekFirst();
    }
    this.#show();
  }

  #backToRow(): void {
    while (this.#child !== null && !this.#child.valid) {
      if (this.#enter(this.#index - 1)) this.#childOrThrow().seekLast();
    }
    this.#show();
  }

  /** Makes table `index` current; false (and no table current) when there is none. */
  #enter(index: number): boolean {
    if (this.#child !== null && index === this.#index) return true;
    this.#leave();
    const table = this.#tables[index];
    if (table === undefined) return false;
    this.#index = index;
    this.#child = this.#source.open(table);
    return true;
  }

  #leave(): void {
    const child = this.#child;
    const table = this.#tables[this.#index];
    this.#child = null;
    this.#index = -1;
    this.valid = false;
    if (child === null || table === undefined) return;
    child.close();
    this.#source.release(table);
  }

  #childOrThrow(): Cursor {
    assert(this.#child !== null, "a level cursor moves only while it stands in a table");
    return this.#child;
  }

  #show(): void {
    const child = this.#child;
    if (child === null) {
      this.valid = false;
      return;
    }
    this.showRowOf(child);
  }
}
