/**
 * Commit hooks of records (features DF-69): code that runs before and after each commit that changes documents, with what it changes.
 * Order, concurrency and errors are those of the hooks of plain transactions (`src/transaction/commit-hooks.ts`). Before-hooks run
 * before unique values are checked and may write more records, which hooks after them see; what one throws the commit fails with.
 * After-hooks undo nothing. A hook runs again with each try of its transaction.
 *
 * Owns what hooks are told: the net change of each document. Who has no hooks pays nothing: then nobody listens to the writer.
 */
import type { CollectionDeclaration, DocumentOf } from "../record/declaration.js";
import { JSON_CODEC } from "../record/pipeline/json-codec.js";
import { type Hook, runAfter, runBefore } from "../transaction/commit-hooks.js";
import { keyName } from "./documents.js";
import { type CollectionNamed, RecordTransaction } from "./record-transaction.js";
import type { ChangeListener, RecordChange, RecordWriter } from "./record-writer.js";
import type { SharedStore } from "./shared-store.js";

/** A document that was changed: before, after, and which fields differ. */
export interface UpdatedDocument<Document> {
  readonly before: Document;
  readonly after: Document;
  /** The fields of the document itself whose values differ, in the order of their names. */
  readonly fields: readonly string[];
}

/** What a transaction has done to the documents of one collection. */
export interface CollectionChanges<Document> {
  readonly inserted: readonly Document[];
  /** Documents that differ from what they were: putting the same again is no change. */
  readonly updated: readonly UpdatedDocument<Document>[];
  /** As they were. */
  readonly deleted: readonly Document[];
}

/** What both calls of a hook are given: the changes and the metadata of the transaction. */
export interface RecordHookContext<Collections extends readonly CollectionDeclaration[]> {
  /** Different for each transaction of one opening of the records; the same in all tries. */
  readonly transactionId: number;
  /** As given to `transact`. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Names of the collections with changes, in their order. */
  readonly collections: readonly Collections[number]["name"][];
  /** What the transaction has changed so far. O(its changes). */
  changes<const Name extends Collections[number]["name"]>(
    collection: Name,
  ): CollectionChanges<DocumentOf<CollectionNamed<Collections, Name>>>;
}

/** What a hook is given before the commit, with the transaction, in which it may write more. */
export interface BeforeRecordsContext<Collections extends readonly CollectionDeclaration[]>
  extends RecordHookContext<Collections> {
  readonly transaction: RecordTransaction<Collections>;
}

/** What a hook is given after the commit. */
export interface AfterRecordsContext<Collections extends readonly CollectionDeclaration[]>
  extends RecordHookContext<Collections> {
  /** Of the commit. Null: it has been made, but which it was the answer did not say. */
  readonly version: number | null;
}

/** Called around every commit that changes documents; see `RecordStore.addHook`. */
export type RecordHook<Collections extends readonly CollectionDeclaration[]> = Hook<
  BeforeRecordsContext<Collections>,
  AfterRecordsContext<Collections>
>;

/** What the hooks of one try are told. */
export class ChangeLog<Collections extends readonly CollectionDeclaration[]> implements ChangeListener {
  readonly #shared: SharedStore;
  readonly #hooks: readonly RecordHook<Collections>[];
  readonly #about: Pick<RecordHookContext<Collections>, "transactionId" | "metadata">;
  /** By collection and primary key: what was there first, and what is there now. */
  readonly #changes = new Map<string, Map<string, RecordChange>>();

  constructor(
    shared: SharedStore,
    hooks: readonly RecordHook<Collections>[],
    about: Pick<RecordHookContext<Collections>, "transactionId" | "metadata">,
  ) {
    this.#shared = shared;
    this.#hooks = hooks;
    this.#about = about;
  }

  changed(change: RecordChange): void {
    const key = keyName(change.primaryKey);
    const changes = this.#changes.get(change.collection) ?? new Map<string, RecordChange>();
    this.#changes.set(change.collection, changes);
    const first = changes.get(key);
    changes.set(key, first === undefined ? change : { ...change, before: first.before });
  }

  async beforeCommit(writer: RecordWriter): Promise<void> {
    if (this.#changes.size === 0) return;
    const transaction = new RecordTransaction<Collections>(writer);
    await runBefore(this.#hooks, { ...this.#context(), transaction });
  }

  /** Never rejects. */
  async afterCommit(version: number | null): Promise<void> {
    if (this.#changes.size === 0) return;
    const context = { ...this.#context(), version };
    await runAfter(this.#hooks, context, (hook, error) => {
      try {
        hook.afterFailed?.(error, context);
      } catch (failure) {
        // The process's concern, not that of the commit.
        this.#shared.world.scheduler.defer(() => {
          throw failure;
        });
      }
    });
  }

  #context(): RecordHookContext<Collections> {
    const changes = this.#changes;
    return {
      ...this.#about,
      get collections() {
        return [...changes.keys()].sort();
      },
      changes: (name) => {
        this.#shared.declarationOf(name);
        return netChanges([...(changes.get(name)?.values() ?? [])]);
      },
    };
  }
}

function netChanges<Document>(changes: readonly RecordChange[]): CollectionChanges<Document> {
  const inserted: Document[] = [];
  const updated: UpdatedDocument<Document>[] = [];
  const deleted: Document[] = [];
  for (const { before, after } of changes) {
    if (before === undefined && after !== undefined) inserted.push(after as Document);
    else if (before !== undefined && after === undefined) deleted.push(before as Document);
    else if (before !== undefined && after !== undefined) {
      const fields = changedFields(before as Fields, after as Fields);
      if (fields.length > 0) updated.push({ before: before as Document, after: after as Document, fields });
    }
  }
  return { inserted, updated, deleted };
}

type Fields = Readonly<Record<string, unknown>>;

function changedFields(before: Fields, after: Fields): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isSame(before[name], after[name])).sort();
}

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  return Buffer.compare(JSON_CODEC.encode(a), JSON_CODEC.encode(b)) === 0;
}
