/**
 * What the store knows of its collections and indexes: ids, descriptions, states, all kept below the root. Every transaction of
 * records reads one key, the catalogue's version, which every change of the catalogue writes: so a transaction that ran under an
 * older catalogue cannot commit, and one that finds its copy current reads nothing else.
 *
 * Owns the bytes of these keys and the cached copy. Does not own: which change is allowed (`src/collection/evolution.ts`, the states
 * in `src/index/state.ts`).
 */
import type { Subspace } from "../keyspace/subspace.js";
import { StillwaterError } from "../platform/errors.js";
import type { ReadTransaction, Transaction } from "../transaction/transaction.js";
import type { IndexDeclaration } from "./declaration.js";
import type { ValueDescription } from "./description.js";
import { KEYSPACE } from "./keyspace.js";
import { JSON_CODEC } from "./pipeline/json-codec.js";
import { OWN_FORMAT, requireReadable, requireWritable, type StoredFormat } from "./record-format.js";

/** Disabled: not maintained, not read. Write-only: maintained, not read. Features DF-36. */
export type IndexState = "disabled" | "writeOnly" | "readable";

export interface StoredCollection {
  readonly id: number;
  readonly name: string;
  readonly primaryKey: string;
  /** What is known of its documents, for the rules of evolution: null when the schema does not tell (a foreign validator). */
  readonly fields: ValueDescription | null;
}

/** A second copy of an index, built beside the one in use, to take its place or to be compared with it. */
export interface StoredShadow {
  readonly generation: number;
}

export interface StoredIndex {
  readonly id: number;
  readonly collectionId: number;
  readonly name: string;
  /** With the name resolved. */
  readonly declaration: IndexDeclaration;
  readonly state: IndexState;
  /** Which copy is in use: part of its keys. A copy that is thrown away is cleared, and its number is not used again. */
  readonly generation: number;
  /** The number of the next copy: above those of all that there have been. */
  readonly nextGeneration: number;
  readonly shadow: StoredShadow | null;
  /** The schema version that brought it, or last changed it. */
  readonly since: string;
}

/** An index or collection that was removed: its id and name are remembered, so that neither comes back as something else. */
export interface FormerEntry {
  readonly id: number;
  readonly type: "collection" | "index";
  readonly name: string;
  readonly collection: string;
  readonly removedIn: string;
}

/** A stage of a migration that has begun and not ended (features DF-75). */
export interface StoredMigration {
  readonly from: string;
  readonly to: string;
  /** What comes next. */
  readonly step: MigrationStep;
  /** Whether programs with the former schema are shut out meanwhile. */
  readonly isExclusive: boolean;
}

/** In this order: own code before, the changes of collections and indexes, their builds, own code after. */
export type MigrationStep = "willMigrate" | "restructure" | "build" | "didMigrate";

/** One version of it, never changed. */
export interface Catalogue {
  /** The ten bytes of the commit that wrote it, in hexadecimal; empty when there is none yet. */
  readonly version: string;
  /** Semantic version of the application's schema; null in a new store. */
  readonly schemaVersion: string | null;
  readonly collections: ReadonlyMap<string, CatalogueCollection>;
  readonly formers: readonly FormerEntry[];
  readonly nextId: number;
  /** Null: none is under way. */
  readonly migration: StoredMigration | null;
  /** Null in a new store. */
  readonly format: StoredFormat | null;
}

export interface CatalogueCollection {
  readonly stored: StoredCollection;
  /** In the order of their ids. */
  readonly indexes: readonly StoredIndex[];
}

/** Second elements of the keys (KEYSPACE.catalogue, …). */
const VERSION = "version";
const HEAD = "head";
const COLLECTION = "collection";
const INDEX = "index";
const FORMER = "former";

interface Head extends StoredFormat {
  readonly schemaVersion: string | null;
  readonly nextId: number;
  readonly migration: StoredMigration | null;
}

/** Reads and writes the catalogue of one root. Keeps the last version it has read. */
export class CatalogueStore {
  readonly #space: Subspace;
  readonly #versionKey: Uint8Array;
  #cached: Catalogue | null = null;

  constructor(root: Subspace) {
    this.#space = root.subspace(KEYSPACE.catalogue);
    this.#versionKey = this.#space.pack([VERSION]);
  }

  /**
   * As of the transaction's version; any later change of the catalogue makes the transaction conflict. Throws `UNSUPPORTED_FORMAT`.
   */
  async read(transaction: Transaction): Promise<Catalogue> {
    const catalogue = await this.#read(await transaction.get(this.#versionKey), transaction.snapshot);
    if (catalogue.format !== null) requireWritable(catalogue.format);
    return catalogue;
  }

  /** As `read`, for who writes nothing. */
  async peek(reader: ReadTransaction): Promise<Catalogue> {
    return this.#read(await reader.get(this.#versionKey), reader);
  }

  /** Writes what differs between the two, and the new version. Visible to readers after the commit. */
  write(transaction: Transaction, before: Catalogue, after: Catalogue): void {
    const old = rowsOf(before);
    // An older format becomes the newest.
    if (before.format?.format !== OWN_FORMAT.format) old.delete(HEAD);
    const fresh = rowsOf(after);
    for (const name of old.keys()) if (!fresh.has(name)) transaction.clear(this.#keyOf(name));
    for (const [name, value] of fresh) {
      const text = JSON_CODEC.encode(value);
      const former = old.get(name);
      if (former !== undefined && Buffer.compare(JSON_CODEC.encode(former), text) === 0) continue;
      transaction.set(this.#keyOf(name), text);
    }
    transaction.setVersionstampedValue(this.#versionKey, new Uint8Array(10), 0);
  }

  async #read(stored: Uint8Array | undefined, reader: ReadTransaction): Promise<Catalogue> {
    const version = stored === undefined ? "" : Buffer.from(stored).toString("hex");
    if (this.#cached?.version === version) return this.#cached;
    if (version === "") return EMPTY;
    const { begin, end } = this.#space.range();
    const rows = await reader.getRangeAll(begin, end);
    const catalogue = this.#assemble(version, rows);
    this.#cached = catalogue;
    return catalogue;
  }

  #assemble(version: string, rows: readonly (readonly [Uint8Array, Uint8Array])[]): Catalogue {
    let head: Head | null = null;
    const collections: StoredCollection[] = [];
    const indexes: StoredIndex[] = [];
    const formers: FormerEntry[] = [];
    for (const [key, value] of rows) {
      const [kind] = this.#space.unpack(key);
      if (kind === VERSION) continue;
      const row = JSON_CODEC.decode(value);
      if (kind === HEAD) head = row as Head;
      else if (kind === COLLECTION) collections.push(row as StoredCollection);
      else if (kind === INDEX) indexes.push(row as StoredIndex);
      else if (kind === FORMER) formers.push(row as FormerEntry);
    }
    if (head === null)
      throw new StillwaterError("CORRUPTION", "the catalogue of the records has no head. Restore a backup.");
    requireReadable(head);
    const { schemaVersion, nextId, migration, format, readableFrom, writableFrom } = head;
    return {
      version,
      schemaVersion,
      nextId,
      migration,
      format: { format, readableFrom, writableFrom },
      formers,
      collections: new Map(
        collections.map((stored) => [
          stored.name,
          { stored, indexes: indexes.filter((index) => index.collectionId === stored.id) },
        ]),
      ),
    };
  }

  #keyOf(row: string): Uint8Array {
    const [kind, id] = row.split(" ");
    return this.#space.pack(id === undefined ? [kind as string] : [kind as string, Number(id)]);
  }
}

export const EMPTY: Catalogue = {
  version: "",
  schemaVersion: null,
  collections: new Map(),
  formers: [],
  nextId: 1,
  migration: null,
  format: null,
};

/** The same with one index changed. */
export function withIndex(catalogue: Catalogue, changed: StoredIndex): Catalogue {
  const collections = new Map(catalogue.collections);
  for (const [name, { stored, indexes }] of collections) {
    if (stored.id !== changed.collectionId) continue;
    collections.set(name, {
      stored,
      indexes: indexes.map((index) => (index.id === changed.id ? changed : index)),
    });
  }
  return { ...catalogue, collections };
}

/** By what the key is made of. */
function rowsOf(catalogue: Catalogue): Map<string, unknown> {
  const rows = new Map<string, unknown>();
  if (catalogue.version === "" && catalogue.collections.size === 0 && catalogue.schemaVersion === null)
    return rows;
  const head: Head = {
    ...OWN_FORMAT,
    schemaVersion: catalogue.schemaVersion,
    nextId: catalogue.nextId,
    migration: catalogue.migration,
  };
  rows.set(HEAD, head);
  for (const { stored, indexes } of catalogue.collections.values()) {
    rows.set(`${COLLECTION} ${stored.id}`, stored);
    for (const index of indexes) rows.set(`${INDEX} ${index.id}`, index);
  }
  for (const former of catalogue.formers) rows.set(`${FORMER} ${former.id}`, former);
  return rows;
}
