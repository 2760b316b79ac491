/**
 * What each document was after each commit that wrote it (features DF-30): versions by versionstamp, so in the order of commits, with
 * the time of the wall clock; a deletion is a version without a document. A transaction makes one version of a document, however
 * often it writes it. Not idempotent; building it anew keeps one version of each document, the present one.
 *
 * Retention is applied when a document is written, to its own versions. What falls out of it is gone; the newest version never does.
 * Does not own: the rows (`version-rows.ts`).
 */

import type { TupleElement } from "../../keyspace/tuple-elements.js";
import { mutant } from "../../platform/probes.js";
import type { IndexDeclaration, JsonValue } from "../../record/declaration.js";
import type { RecordItem } from "../../record/item.js";
import type { Predicate } from "../../record/predicate.js";
import type { ReadTransaction, Transaction } from "../../transaction/transaction.js";
import type { IndexContext, IndexKind, IndexMaintainer } from "../kind.js";
import { invalidIndex } from "../registry.js";
import { type StoredVersion, VersionRows } from "../version-rows.js";

/** At most one of the three; all versions by default. */
export interface VersionsOptions {
  readonly name?: string;
  /** A document that no longer meets this is as if it were deleted. */
  readonly where?: Predicate;
  readonly keepAll?: true;
  /** The newest so many versions of each document, deletions included. */
  readonly keepLast?: number;
  /** Those that were the newest at some moment of the last so many milliseconds, by the wall clock. */
  readonly keepForMs?: number;
}

type Retention = { readonly keepAll: true } | { readonly keepLast: number } | { readonly keepForMs: number };

export const VERSIONS: IndexKind<VersionsMaintainer> = {
  identifier: "versions",
  structure: "hierarchical",
  canBeUnique: false,
  canCover: false,
  check(collection, declaration) {
    const refused = (why: string) => invalidIndex(collection, declaration, why);
    if (declaration.fields.length > 0) throw refused("versions are of whole documents, and have no fields");
    if (declaration.sparse !== undefined) throw refused("versions cannot be sparse");
    if (retentionOf(declaration.configuration) === null) {
      throw refused(
        "it keeps either all versions, or keepLast from 1 on, or keepForMs above 0, in whole numbers",
      );
    }
  },
  maintainer: (context) => new VersionsMaintainer(context),
};

/** Keeps former versions of documents. Default: all of them. */
export function versions<const Options extends VersionsOptions = Record<never, never>>(
  options?: Options,
): Omit<Options, "keepAll" | "keepLast" | "keepForMs"> & {
  readonly kind: "versions";
  readonly fields: readonly [];
};
export function versions(options: VersionsOptions = {}): IndexDeclaration {
  const { keepAll, keepLast, keepForMs, ...others } = options;
  const given = Object.entries({ keepAll, keepLast, keepForMs }).filter(([, value]) => value !== undefined);
  const configuration: JsonValue =
    given.length === 0
      ? { keepAll: true }
      : (Object.fromEntries(given) as Readonly<Record<string, JsonValue>>);
  return { ...others, kind: VERSIONS.identifier, fields: [], configuration };
}

/** Which version: the one that was the newest at a commit version, or at a time. */
export type VersionMoment = { readonly version: number } | { readonly timeMs: number };

export class VersionsMaintainer implements IndexMaintainer {
  readonly isIdempotent = false;
  readonly context: IndexContext;
  readonly rows: VersionRows;
  readonly #retention: Retention;

  constructor(context: IndexContext) {
    this.context = context;
    this.rows = new VersionRows(context);
    // Checked when it was declared.
    this.#retention = retentionOf(context.declaration.configuration) as Retention;
  }

  async update(transaction: Transaction, before: RecordItem | null, after: RecordItem | null): Promise<void> {
    const item = after ?? before;
    if (item === null) return;
    const timeMs = this.context.wallMs();
    await this.#forget(transaction, item.primaryKey, timeMs);
    this.rows.add(transaction, item.primaryKey, timeMs, after);
  }

  /**
   * The newest `limit` versions, all by default, the newest last. Those that were committed before this transaction: what it writes
   * itself has no version yet.
   */
  async history(reader: ReadTransaction, primaryKey: TupleElement, limit?: number): Promise<StoredVersion[]> {
    const { begin, end } = await this.#committed(reader, primaryKey);
    const heads = await reader.getRangeAll(begin, end, {
      reverse: true,
      ...(limit === undefined ? {} : { limit }),
    });
    return Promise.all(heads.reverse().map((head) => this.rows.read(reader, primaryKey, head)));
  }

  /** `undefined` when there was none yet, or it is no longer kept. */
  async at(
    reader: ReadTransaction,
    primaryKey: TupleElement,
    moment: VersionMoment,
  ): Promise<StoredVersion | undefined> {
    const { begin, end } = await this.#committed(reader, primaryKey);
    if ("version" in moment) {
      const to = this.rows.headsBefore(primaryKey, moment.version + 1);
      const last = Buffer.compare(to, end) < 0 ? to : end;
      const [head] = await reader.getRangeAll(begin, last, { reverse: true, limit: 1 });
      return head === undefined ? undefined : this.rows.read(reader, primaryKey, head);
    }
    // The wall clock may have gone back, so times say nothing of the order.
    for await (const head of reader.getRange(begin, end, { reverse: true })) {
      if (this.rows.timeOf(head) <= moment.timeMs) return this.rows.read(reader, primaryKey, head);
    }
    return undefined;
  }

  /** Makes room for one more. */
  async #forget(transaction: Transaction, primaryKey: TupleElement, nowMs: number): Promise<void> {
    if ("keepAll" in this.#retention) return;
    // Who writes a document has read it with a conflict, so nobody else changes its versions meanwhile.
    const { snapshot } = transaction;
    const { begin, end } = await this.#committed(snapshot, primaryKey);
    if ("keepLast" in this.#retention) {
      const kept = this.#retention.keepLast - (mutant("I22-retention-keeps-one-less") ? 2 : 1);
      const heads = await snapshot.getRangeAll(begin, end, { reverse: true, limit: Math.max(0, kept) + 1 });
      const last = heads[Math.max(0, kept)]?.[0];
      if (last !== undefined) this.rows.clearThrough(transaction, primaryKey, last);
      return;
    }
    const sinceMs = nowMs - this.#retention.keepForMs;
    let last: Uint8Array | null = null;
    let former: Uint8Array | null = null;
    // A version was the newest until the next one came.
    for await (const head of snapshot.getRange(begin, end)) {
      if (former !== null && this.rows.timeOf(head) > sinceMs) break;
      last = former;
      former = head[0];
    }
    if (last !== null) this.rows.clearThrough(transaction, primaryKey, last);
  }

  /** Heads up to the version that is read: beyond it lies what this transaction writes, which cannot be read. */
  async #committed(
    reader: ReadTransaction,
    primaryKey: TupleElement,
  ): Promise<{ readonly begin: Uint8Array; readonly end: Uint8Array }> {
    const version = await reader.getReadVersion();
    const { begin } = this.rows.heads(primaryKey);
    return { begin, end: this.rows.headsBefore(primaryKey, version + 1) };
  }
}

/** Null for what is none. */
function retentionOf(configuration: JsonValue | undefined): Retention | null {
  if (typeof configuration !== "object" || configuration === null || Array.isArray(configuration))
    return null;
  const [[name, value] = [], another] = Object.entries(configuration);
  if (another !== undefined) return null;
  if (name === "keepAll" && value === true) return { keepAll: true };
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) return null;
  if (name === "keepLast") return { keepLast: value };
  return name === "keepForMs" ? { keepForMs: value } : null;
}
