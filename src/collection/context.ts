/**
 * A unit of work (features DF-3, FR-43): documents are fetched once, changed as plain objects, and saved together in one transaction.
 * A document is one object per primary key, whichever way it is fetched; which ones have changed is found at the save by comparing
 * bytes. Promises: a save is all or nothing; after one that has failed everything is still pending; a document that somebody else
 * has changed since it was fetched is not overwritten (`DOCUMENT_CHANGED`).
 *
 *     fetch, get ──► known ──(changed by its user)──► dirty ──save──► known
 *     insert ──► new ──save──► known            delete ──► deleted ──save──► forgotten
 *
 * Owns saves, autosave and the end; which documents there are is in `context-documents.ts`. Holds all documents it has fetched: use
 * one for a piece of work, not for ever.
 */
import { refuseUnknownOptions } from "../engine/options.js";
import { StillwaterError } from "../platform/errors.js";
import type { Timer } from "../platform/platform.js";
import type { CollectionDeclaration } from "../record/declaration.js";
import { JSON_CODEC } from "../record/pipeline/json-codec.js";
import { RecordError, shown } from "../record/record-error.js";
import { ContextCollection } from "./context-collection.js";
import { ContextDocuments, type PendingChange } from "./context-documents.js";
import type { RecordRunner } from "./record-runner.js";
import type { CollectionNamed } from "./record-transaction.js";
import type { RecordWriter } from "./record-writer.js";

/** Options of `RecordStore.context`. */
export interface RecordContextOptions {
  /** Saves what is pending again and again. Looking for changes costs as a save does: O(bytes of the documents it holds). */
  readonly autosave?: {
    readonly intervalMs: number;
    /** A save has failed; what it was to save is pending still, and tried again after the interval. */
    readonly failed: (error: unknown) => void;
  };
  /** For hooks, with every save. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** A unit of work: documents that are read, changed and saved together; see `RecordStore.context`. */
export class RecordContext<Collections extends readonly CollectionDeclaration[]> implements AsyncDisposable {
  readonly #runner: RecordRunner<Collections>;
  readonly #options: RecordContextOptions;
  readonly #onClose: () => void;
  readonly #documents = new Map<string, ContextDocuments>();
  #saving: Promise<void> | null = null;
  #timer: Timer | null = null;
  /** Bodies of `performAndSave` that are under way: half of what they do must not be saved by a timer. */
  #performing = 0;
  #isClosed = false;

  /** `onClose`: run once. Throws `UNKNOWN_OPTION`, `INVALID_ARGUMENT`. */
  constructor(runner: RecordRunner<Collections>, options: RecordContextOptions, onClose: () => void) {
    checkOptions(options);
    this.#runner = runner;
    this.#options = options;
    this.#onClose = onClose;
    this.#schedule();
  }

  /** Throws `UNKNOWN_COLLECTION`, `CLOSED`. */
  collection<const Name extends Collections[number]["name"]>(
    name: Name,
  ): ContextCollection<CollectionNamed<Collections, Name>> {
    const documents = this.#documentsOf(name);
    return new ContextCollection(name, this.#runner, documents, () => {
      this.#checkOpen();
      return this.#saving !== null;
    });
  }

  /** O(bytes of the documents it holds). */
  get hasChanges(): boolean {
    return [...this.#documents.values()].some((documents) => documents.hasChanges);
  }

  /**
   * Writes everything that is pending in one transaction. What is changed while it runs is left for the next. Throws
   * `SAVE_IN_PROGRESS`, `DOCUMENT_EXISTS`, `DOCUMENT_CHANGED`, `PRIMARY_KEY_CHANGED`, and what a collection's `put` throws.
   */
  async save(): Promise<void> {
    this.#checkIdle();
    this.#saving = this.#save();
    try {
      await this.#saving;
    } finally {
      this.#saving = null;
    }
  }

  /** Forgets every pending change, and all documents: objects it has given are nobody's now. Throws `SAVE_IN_PROGRESS`. */
  rollback(): void {
    this.#checkIdle();
    for (const documents of this.#documents.values()) documents.clear();
  }

  /** Runs `body` and saves. When `body` throws, everything pending is rolled back; when the save fails, it is not. */
  async performAndSave<T>(body: (context: this) => Promise<T> | T): Promise<T> {
    this.#checkIdle();
    let result: T;
    this.#performing++;
    try {
      result = await body(this);
    } catch (error) {
      this.rollback();
      throw error;
    } finally {
      this.#performing--;
    }
    await this.save();
    return result;
  }

  /** Waits for a save that is under way, and saves nothing more. Idempotent. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#timer?.cancel();
      this.#onClose();
    }
    // Its error is told to who has asked for it.
    await this.#saving?.catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #save(): Promise<void> {
    const changes = [...this.#documents].flatMap(([name, documents]) =>
      documents.pending().map((change) => ({ name, change })),
    );
    if (changes.length === 0) return;
    const { metadata } = this.#options;
    const { result } = await this.#runner.commit(
      async (writer) => {
        const stored: (Uint8Array | null)[] = [];
        for (const { name, change } of changes) stored.push(await written(writer, name, change));
        return stored;
      },
      metadata === undefined ? {} : { metadata },
    );
    for (const [at, { name, change }] of changes.entries()) {
      this.#documentsOf(name).saved(change, result[at] ?? null);
    }
    this.#runner.metrics.count("transactions");
  }

  #documentsOf(name: string): ContextDocuments {
    this.#checkOpen();
    const known = this.#documents.get(name);
    if (known !== undefined) return known;
    const documents = new ContextDocuments(this.#runner.shared.declarationOf(name));
    this.#documents.set(name, documents);
    return documents;
  }

  #schedule(): void {
    const { autosave } = this.#options;
    if (autosave === undefined || this.#isClosed) return;
    this.#timer = this.#runner.shared.world.scheduler.after(autosave.intervalMs, () => {
      void this.#autosave(autosave.failed);
    });
  }

  async #autosave(failed: (error: unknown) => void): Promise<void> {
    try {
      // A save that somebody has asked for does the same.
      if (this.#saving === null && this.#performing === 0) await this.save();
    } catch (error) {
      try {
        failed(error);
      } catch (failure) {
        this.#runner.shared.world.scheduler.defer(() => {
          throw failure;
        });
      }
    }
    this.#schedule();
  }

  #checkIdle(): void {
    this.#checkOpen();
    if (this.#saving === null) return;
    throw new RecordError("SAVE_IN_PROGRESS", "the context is being saved. Await that save first.");
  }

  #checkOpen(): void {
    if (this.#isClosed)
      throw new StillwaterError("CLOSED", "the context is closed. Make another with store.context().");
  }
}

/** The bytes of what is stored now; null for nothing. */
async function written(
  writer: RecordWriter,
  name: string,
  { kind, primaryKey, bytes, stored }: PendingChange,
): Promise<Uint8Array | null> {
  if (stored !== null) {
    const current = await writer.get(name, primaryKey);
    const isGone = current === undefined;
    // What is gone need not be deleted.
    if (isGone && kind === "delete") return null;
    if (isGone || Buffer.compare(JSON_CODEC.encode(current), stored) !== 0) throw changed(name, primaryKey);
  }
  if (kind === "delete") {
    await writer.delete(name, primaryKey);
    return null;
  }
  const document = JSON_CODEC.decode(bytes);
  return JSON_CODEC.encode(
    await (kind === "insert" ? writer.insert(name, document) : writer.put(name, document)),
  );
}

function changed(name: string, primaryKey: unknown): RecordError {
  return new RecordError(
    "DOCUMENT_CHANGED",
    `the document ${shown(primaryKey)} of "${name}" has been changed by somebody else since it was fetched. ` +
      "Refresh it and change it again, or roll back. Nothing was saved.",
    { collection: name, value: primaryKey },
  );
}

function checkOptions(options: RecordContextOptions): void {
  refuseUnknownOptions(options, ["autosave", "metadata"], "context");
  const { autosave } = options;
  if (autosave === undefined) return;
  refuseUnknownOptions(autosave, ["intervalMs", "failed"], "autosave");
  if (!(Number.isFinite(autosave.intervalMs) && autosave.intervalMs > 0)) {
    throw new RecordError(
      "INVALID_ARGUMENT",
      `the interval of autosave must be above 0 ms, but is ${shown(autosave.intervalMs)}.`,
    );
  }
  if (typeof autosave.failed !== "function") {
    throw new RecordError("INVALID_ARGUMENT", "autosave needs `failed`, so that no failure goes unheard.");
  }
}
