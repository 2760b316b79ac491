/**
 * The documents of one collection that a context holds: one object per primary key, and what it was when it was fetched or saved.
 * Owns which of them are pending, as bytes of canonical JSON, so that a change is found wherever it was made. Reads and writes nothing.
 */
import type { TupleElement } from "../keyspace/tuple-elements.js";
import type { CollectionDeclaration } from "../record/declaration.js";
import { JSON_CODEC } from "../record/pipeline/json-codec.js";
import { RecordError, shown } from "../record/record-error.js";
import { keyName, primaryKeyOf, primaryKeyOfDocument } from "./documents.js";

type Document = Record<string, unknown>;

interface Held {
  readonly key: string;
  /** As its user writes it. */
  readonly primaryKey: unknown;
  /** Null: deleted, and never seen. */
  document: Document | null;
  /** What the object was when it was last fetched or saved; null when it is new. */
  clean: Uint8Array | null;
  /** What is stored, as far as known; null when nothing is, or nobody has looked. */
  stored: Uint8Array | null;
  isDeleted: boolean;
}

/** One write of a save. */
export interface PendingChange {
  readonly kind: "insert" | "put" | "delete";
  readonly held: Held;
  readonly primaryKey: unknown;
  /** The document as it is now; of a deleted one, nothing. */
  readonly bytes: Uint8Array;
  /** What must be stored for the change to be right; null: nothing to compare with. */
  readonly stored: Uint8Array | null;
}

export class ContextDocuments {
  readonly #declaration: CollectionDeclaration;
  readonly #held = new Map<string, Held>();

  constructor(declaration: CollectionDeclaration) {
    this.#declaration = declaration;
  }

  get hasChanges(): boolean {
    for (const held of this.#held.values()) {
      if (wasNeverThere(held)) continue;
      if (held.isDeleted || held.clean === null || isDirty(held, held.clean)) return true;
    }
    return false;
  }

  /** Throws `PRIMARY_KEY_CHANGED`, `INVALID_PRIMARY_KEY`, `INVALID_ITEM`. */
  pending(): PendingChange[] {
    const changes: PendingChange[] = [];
    for (const held of this.#held.values()) {
      if (wasNeverThere(held)) continue;
      const { document, primaryKey, clean, stored } = held;
      if (held.isDeleted || document === null) {
        changes.push({ kind: "delete", held, primaryKey, bytes: NOTHING, stored });
        continue;
      }
      const bytes = JSON_CODEC.encode(document);
      if (clean !== null && Buffer.compare(bytes, clean) === 0) continue;
      this.#checkKey(held, document);
      changes.push({ kind: clean === null ? "insert" : "put", held, primaryKey, bytes, stored });
    }
    return changes;
  }

  /** A change has been committed; `stored` is there now. What its user has done meanwhile stays pending. */
  saved({ kind, held, bytes }: PendingChange, stored: Uint8Array | null): void {
    held.stored = stored;
    held.clean = kind === "delete" ? null : bytes;
    if (kind === "delete" && held.isDeleted) this.#held.delete(held.key);
  }

  clear(): void {
    this.#held.clear();
  }

  /** `undefined`: it must be read. */
  find(primaryKey: unknown): { readonly document: Document | undefined } | undefined {
    const held = this.#held.get(this.#keyOf(primaryKey));
    if (held === undefined) return undefined;
    return { document: held.isDeleted || held.document === null ? undefined : held.document };
  }

  /** The object of a document that was read; `undefined` for one that is deleted here. */
  fetched(read: unknown): Document | undefined {
    const document = read as Document;
    const key = keyName(primaryKeyOfDocument(this.#declaration, document));
    const bytes = JSON_CODEC.encode(document);
    const held = this.#held.get(key);
    if (held === undefined) {
      const primaryKey = document[this.#declaration.primaryKey];
      this.#held.set(key, { key, primaryKey, document, clean: bytes, stored: bytes, isDeleted: false });
      return document;
    }
    if (held.isDeleted || held.document === null) {
      // Now it is known what is deleted.
      held.stored ??= bytes;
      return undefined;
    }
    if (held.clean !== null && !isDirty(held, held.clean)) become(held, held.document, document, bytes);
    return held.document;
  }

  /** As stored now, whatever was pending; `undefined`: it is gone. */
  refreshed(primaryKey: unknown, read: unknown): Document | undefined {
    const held = this.#held.get(this.#keyOf(primaryKey));
    if (read === undefined) {
      if (held !== undefined) this.#held.delete(held.key);
      return undefined;
    }
    if (held === undefined || held.document === null) {
      if (held !== undefined) this.#held.delete(held.key);
      return this.fetched(read);
    }
    held.isDeleted = false;
    become(held, held.document, read as Document, JSON_CODEC.encode(read));
    return held.document;
  }

  /** Throws `DOCUMENT_EXISTS`, `INVALID_PRIMARY_KEY`. */
  insert(given: unknown): void {
    const document = given as Document;
    const key = keyName(primaryKeyOfDocument(this.#declaration, document));
    const primaryKey = document[this.#declaration.primaryKey];
    const held = this.#held.get(key);
    if (held === undefined) {
      this.#held.set(key, { key, primaryKey, document, clean: null, stored: null, isDeleted: false });
    } else if (held.isDeleted) {
      // Of one that was deleted unseen nobody knows whether it is there: it is replaced.
      if (held.document === null) held.clean = NOTHING;
      held.document = document;
      held.isDeleted = false;
    } else {
      const { name, primaryKey: field } = this.#declaration;
      throw new RecordError(
        "DOCUMENT_EXISTS",
        `the context has a document ${shown(primaryKey)} of "${name}". Change that one.`,
        { collection: name, field, value: primaryKey },
      );
    }
  }

  /** `isSaving`: what is new may be stored already. */
  delete(primaryKey: unknown, isSaving: boolean): void {
    const key = this.#keyOf(primaryKey);
    const held = this.#held.get(key);
    if (held === undefined) {
      this.#held.set(key, { key, primaryKey, document: null, clean: null, stored: null, isDeleted: true });
    } else if (isNew(held) && !isSaving) {
      this.#held.delete(key);
    } else held.isDeleted = true;
  }

  deleteAll(isSaving: boolean): void {
    for (const { primaryKey } of this.#held.values()) this.delete(primaryKey, isSaving);
  }

  /** Whether the context holds it, changed or not. */
  holds(read: unknown): boolean {
    return this.#held.has(keyName(primaryKeyOfDocument(this.#declaration, read)));
  }

  /** Holds it no longer, unless it has been changed. */
  release(document: unknown): void {
    const held = this.#held.get(keyName(primaryKeyOfDocument(this.#declaration, document)));
    if (held === undefined || held.isDeleted || held.clean === null || isDirty(held, held.clean)) return;
    this.#held.delete(held.key);
  }

  /** The value of its primary key. */
  keyOf(document: unknown): unknown {
    return (document as Document)[this.#declaration.primaryKey];
  }

  #keyOf(primaryKey: unknown): string {
    const element: TupleElement = primaryKeyOf(this.#declaration, primaryKey);
    return keyName(element);
  }

  #checkKey(held: Held, document: Document): void {
    const { name, primaryKey } = this.#declaration;
    if (keyName(primaryKeyOfDocument(this.#declaration, document)) === held.key) return;
    const value = document[primaryKey];
    throw new RecordError(
      "PRIMARY_KEY_CHANGED",
      `the document ${shown(held.primaryKey)} of "${name}" has the primary key ${shown(value)} now. ` +
        "Delete it, and insert it under the other key.",
      { collection: name, field: primaryKey, value },
    );
  }
}

const NOTHING = new Uint8Array(0);

/** Inserted here, and not saved. */
function isNew({ clean, stored, document }: Held): boolean {
  return clean === null && stored === null && document !== null;
}

/** New, and deleted during a save that has failed: what is stored under its key is somebody else's. */
function wasNeverThere(held: Held): boolean {
  return held.isDeleted && isNew(held);
}

function isDirty({ document }: Held, clean: Uint8Array): boolean {
  return document !== null && Buffer.compare(JSON_CODEC.encode(document), clean) !== 0;
}

/** The object stays, since its users hold it; its fields are those of what was read. */
function become(held: Held, document: Document, read: Document, bytes: Uint8Array): void {
  held.stored = bytes;
  held.clean = bytes;
  if (document === read) return;
  for (const name of Object.keys(document)) if (!Object.hasOwn(read, name)) delete document[name];
  Object.assign(document, read);
}
