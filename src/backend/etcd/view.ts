/**
 * A view of the database at one revision of etcd. Reads come from the member that is asked, without asking the leader: what
 * a revision holds never changes. Remembers what it has told, for the commit (`read-record.ts`).
 */
import type { Clock } from "../../platform/platform.js";
import { TransactionError } from "../../transaction/errors.js";
import { keyBytes, keyText, keyTextAfter } from "../../transaction/key-text.js";
import { TRANSACTION_LIFETIME_MS } from "../../transaction/limits.js";
import type { Answer, RowCursor, StorageView } from "../../transaction/storage.js";
import type { KeyValue } from "../../transaction/transaction.js";
import type { EtcdRange } from "./client.js";
import type { EtcdCluster } from "./cluster.js";
import type { Layout } from "./layout.js";
import { ReadRecord } from "./read-record.js";

export interface ViewParts {
  readonly cluster: EtcdCluster;
  readonly layout: Layout;
  readonly clock: Clock;
  /** How many keys are worth remembering. */
  readonly keysMax: number;
}

/** Rows of the first page; a scan that goes on gets larger ones, up to about so many bytes. */
const FIRST_PAGE_ROWS = 32;
const PAGE_GROWTH = 4;
const PAGE_ROWS_MAX = 1_024;
const PAGE_BYTES = 1024 * 1024;

export class EtcdView implements StorageView {
  readonly version: number;
  /** etcd's, at which all reads are. */
  readonly revision: number;
  readonly record: ReadRecord;
  readonly #parts: ViewParts;
  readonly #openedMs: number;

  constructor(version: number, revision: number, parts: ViewParts) {
    this.version = version;
    this.revision = revision;
    this.record = new ReadRecord(parts.keysMax);
    this.#parts = parts;
    this.#openedMs = parts.clock.nowMs();
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const at = keyText(key);
    const [row] = await this.#read(at, keyTextAfter(at), { key: this.#parts.layout.data(at) });
    return row === undefined ? undefined : new Uint8Array(row.value);
  }

  rows(begin: Uint8Array, end: Uint8Array, reverse: boolean): RowCursor {
    this.checkAge();
    return new EtcdRows(keyText(begin), keyText(end), reverse, (from, to, limit) =>
      this.#read(from, to, { ...this.#between(from, to, limit), ...(reverse ? DESCENDING : {}) }),
    );
  }

  /** The first keys of [begin, end), without values. */
  keys(begin: string, end: string, limit: number): Promise<readonly StoredRow[]> {
    return this.#read(begin, end, { ...this.#between(begin, end, limit), keys_only: true });
  }

  /** Throws `TRANSACTION_TOO_OLD`. The same limit as everywhere, although etcd keeps versions until it is told otherwise. */
  checkAge(): void {
    const ageMs = this.#parts.clock.nowMs() - this.#openedMs;
    if (ageMs <= TRANSACTION_LIFETIME_MS) return;
    throw new TransactionError(
      "TRANSACTION_TOO_OLD",
      `the transaction took its read version ${Math.round(ageMs)} ms ago; it is good for ${TRANSACTION_LIFETIME_MS}.`,
    );
  }

  close(): void {}

  #between(begin: string, end: string, limit: number): EtcdRange {
    const { layout } = this.#parts;
    return { key: layout.data(begin), range_end: layout.data(end), limit };
  }

  async #read(begin: string, end: string, request: EtcdRange): Promise<readonly StoredRow[]> {
    this.checkAge();
    const { cluster, layout } = this.#parts;
    const { kvs, more } = await cluster.range({ ...request, revision: this.revision, serializable: true });
    const rows = kvs.map(
      ({ key, value, mod_revision }): StoredRow => ({
        key: layout.userKey(key),
        value,
        revision: Number(mod_revision),
      }),
    );
    const last = rows[rows.length - 1]?.key;
    if (!more || last === undefined) this.record.add(begin, end, rows);
    else if (request.sort_order === "Descend") this.record.add(last, end, rows);
    else this.record.add(begin, keyTextAfter(last), rows);
    return rows;
  }
}

/** A row as etcd has it. */
export interface StoredRow {
  readonly key: string;
  readonly value: Buffer;
  /** Of its last change. */
  readonly revision: number;
}

const DESCENDING = { sort_order: "Descend" } as const;

/** Rows of a range, a page at a time. */
class EtcdRows implements RowCursor {
  readonly #reverse: boolean;
  readonly #read: (begin: string, end: string, limit: number) => Promise<readonly StoredRow[]>;
  /** What has not been fetched. */
  #begin: string;
  #end: string;
  #page: readonly StoredRow[] = [];
  #next = 0;
  #limit = FIRST_PAGE_ROWS;
  #lastKey: string | null = null;

  constructor(
    begin: string,
    end: string,
    reverse: boolean,
    read: (begin: string, end: string, limit: number) => Promise<readonly StoredRow[]>,
  ) {
    this.#begin = begin;
    this.#end = end;
    this.#reverse = reverse;
    this.#read = read;
  }

  next(): Answer<KeyValue | null> {
    const row = this.#page[this.#next];
    if (row === undefined) return this.#begin < this.#end ? this.#fetch() : null;
    this.#next++;
    this.#lastKey = row.key;
    return [keyBytes(row.key), new Uint8Array(row.value)];
  }

  lastKey(): string | null {
    return this.#lastKey;
  }

  close(): void {
    this.#end = this.#begin;
    this.#page = [];
  }

  async #fetch(): Promise<KeyValue | null> {
    const limit = this.#limit;
    const page = await this.#read(this.#begin, this.#end, limit);
    this.#page = page;
    this.#next = 0;
    const last = page[page.length - 1];
    if (last === undefined || page.length < limit) this.#end = this.#begin;
    else if (this.#reverse) this.#end = last.key;
    else this.#begin = keyTextAfter(last.key);
    const bytes = page.reduce((sum, { key, value }) => sum + key.length + value.length, 1);
    const fitting = Math.floor((page.length * PAGE_BYTES) / bytes);
    this.#limit = Math.max(1, Math.min(limit * PAGE_GROWTH, fitting, PAGE_ROWS_MAX));
    return this.next();
  }
}
