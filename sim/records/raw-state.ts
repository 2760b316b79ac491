/**
 * The records of one state of the store, read from its raw keys by the table in docs/FORMAT.md and without anything of
 * `src/record`: documents, what the catalogue says, rows of every index copy, how far builds are. What is not as the format says is
 * kept as damage, for an oracle to report. Does not own: what must be true of it (`sim/oracles`).
 */
import { packed, type RawElement, unpacked, unpackedStart } from "./tuple.js";

/** Where records begin when nobody says otherwise. */
export const RECORDS = packed(["stillwater records"]);
export const RECORDS_END = `${RECORDS}\xff`;

const CATALOGUE = 0;
const ITEMS = 1;
export const INDEX_ROWS = 2;
const BUILDS = 3;
const VIOLATIONS = 4;
const MIGRATIONS = 7;

/** One document as it lies there. */
export interface RawItem {
  /** The packed primary key. */
  readonly packedId: string;
  /** In canonical form; empty when it cannot be read, which is damage. */
  readonly text: string;
}

export interface RawIndex {
  readonly id: number;
  readonly collectionId: number;
  readonly name: string;
  readonly state: "disabled" | "writeOnly" | "readable";
  readonly generation: number;
  readonly shadow: { readonly generation: number } | null;
}

export interface RawCollection {
  readonly id: number;
  readonly name: string;
}

/** A stage of a migration that is under way. */
export interface RawMigration {
  readonly from: string;
  readonly to: string;
  readonly step: "willMigrate" | "restructure" | "build" | "didMigrate";
  readonly isExclusive: boolean;
}

export class RawState {
  schemaVersion: string | null = null;
  migration: RawMigration | null = null;
  /** Calls of migrations whose progress is kept. */
  migrationCalls = 0;
  readonly collections: RawCollection[] = [];
  readonly indexes: RawIndex[] = [];
  /** By collection id, then by packed primary key, ascending. */
  readonly items = new Map<number, Map<string, RawItem>>();
  /** By `copyName`, then by the rest of the key. */
  readonly rows = new Map<string, Map<string, string>>();
  /** By `copyName`: the rest of the key, and the value. */
  readonly builds = new Map<string, (readonly [rest: string, value: string])[]>();
  /** By `copyName`: the value's bytes and the packed primary key. */
  readonly violations = new Map<string, Set<string>>();
  /** What large documents are wrong about. */
  readonly partsDamage: string[] = [];
  /** Anything else that is not as the format says. */
  readonly damage: string[] = [];

  itemsOf(collectionId: number): ReadonlyMap<string, RawItem> {
    return this.items.get(collectionId) ?? NO_ITEMS;
  }

  rowsOf(copy: string): ReadonlyMap<string, string> {
    return this.rows.get(copy) ?? NO_ROWS;
  }

  collection(name: string): RawCollection | undefined {
    return this.collections.find((one) => one.name === name);
  }

  index(name: string): RawIndex | undefined {
    return this.indexes.find((one) => one.name === name);
  }
}

const NO_ITEMS: ReadonlyMap<string, RawItem> = new Map();
const NO_ROWS: ReadonlyMap<string, string> = new Map();

export function copyName(indexId: number, generation: number): string {
  return `${indexId}.${generation}`;
}

/** `rows`: at least all with keys of records, ascending. */
export function readRawState(rows: Iterable<readonly [key: string, value: string]>): RawState {
  const state = new RawState();
  const parts = new Parts(state);
  for (const [key, value] of rows) {
    if (!key.startsWith(RECORDS)) continue;
    const start = unpackedStart(key.slice(RECORDS.length), 1);
    const purpose = start?.elements[0];
    const rest = start?.rest ?? "";
    if (purpose === ITEMS) parts.row(rest, value);
    else if (purpose === CATALOGUE) readCatalogueRow(state, rest, value);
    else if (purpose === INDEX_ROWS || purpose === BUILDS || purpose === VIOLATIONS)
      readCopyRow(state, purpose, rest, value);
    else if (purpose === MIGRATIONS) state.migrationCalls++;
  }
  parts.end();
  return state;
}

function readCatalogueRow(state: RawState, rest: string, value: string): void {
  const [kind] = unpacked(rest) ?? [];
  if (kind === "version") return;
  const row = parsed(Buffer.from(value, "latin1").toString("utf8"));
  if (kind === "head") {
    const head = row as Pick<RawState, "schemaVersion" | "migration">;
    state.schemaVersion = head.schemaVersion;
    state.migration = head.migration;
  } else if (kind === "collection") state.collections.push(row as RawCollection);
  else if (kind === "index") state.indexes.push(row as RawIndex);
}

/** The catalogue and most documents are the same from one version to the next. What is given out is not changed. */
const PARSED = new Map<string, unknown>();
const PARSED_MAX = 2000;

export function parsed(text: string): unknown {
  const known = PARSED.get(text);
  if (known !== undefined) return known;
  const value = JSON.parse(text) as unknown;
  if (PARSED.size >= PARSED_MAX) PARSED.clear();
  PARSED.set(text, value);
  return value;
}

function readCopyRow(state: RawState, purpose: number, rest: string, value: string): void {
  const start = unpackedStart(rest, 2);
  const [id, generation] = start?.elements ?? [];
  if (start === null || typeof id !== "number" || typeof generation !== "number") {
    state.damage.push(`a key of purpose ${purpose} belongs to no copy of an index`);
    return;
  }
  const copy = copyName(id, generation);
  if (purpose === INDEX_ROWS) mapOf(state.rows, copy).set(start.rest, value);
  else if (purpose === BUILDS) listOf(state.builds, copy).push([start.rest, value]);
  else {
    const violation = unpackedStart(start.rest, 1);
    const [of] = violation?.elements ?? [];
    if (violation === null || !isBytes(of)) state.damage.push(`a violation of ${copy} names no value`);
    else setOf(state.violations, copy).add(violationName(of.bytes, violation.rest));
  }
}

/** What `RawState.violations` holds for one item. */
export function violationName(prefix: string, packedId: string): string {
  return `${Buffer.from(prefix, "latin1").toString("hex")} ${Buffer.from(packedId, "latin1").toString("hex")}`;
}

function isBytes(element: RawElement | undefined): element is { readonly bytes: string } {
  return typeof element === "object" && element !== null && "bytes" in element;
}

/** Documents among the keys that a commit has touched: packed primary keys, by the id of the collection. */
export function writtenDocuments(keys: Iterable<string>): Map<number, Set<string>> {
  const written = new Map<number, Set<string>>();
  for (const key of keys) {
    if (!key.startsWith(RECORDS + packed([ITEMS]))) continue;
    const start = unpackedStart(key.slice(RECORDS.length), 3);
    const [, collectionId] = start?.elements ?? [];
    if (start === null || start.rest !== "" || typeof collectionId !== "number") continue;
    setOf(written, collectionId).add(key.slice(RECORDS.length + packed([ITEMS, collectionId]).length));
  }
  return written;
}

const FORMAT = 1;
const SPLIT = 2;
const PART = "\u0003";
const HEAD_BYTES = 10;
const HEADER_BYTES = 4;

/** Puts documents together, of one value or of parts that follow their head. */
class Parts {
  readonly #state: RawState;
  #open: { collectionId: number; packedId: string; length: number; parts: number; bytes: string[] } | null =
    null;

  constructor(state: RawState) {
    this.#state = state;
  }

  row(rest: string, value: string): void {
    const start = unpackedStart(rest, 2);
    const [collectionId] = start?.elements ?? [];
    if (start === null || typeof collectionId !== "number") {
      this.#state.damage.push("a key of items has no primary key");
      return;
    }
    const packedId = rest.slice(packed([collectionId]).length, rest.length - start.rest.length);
    if (start.rest !== "") {
      this.#part(collectionId, packedId, start.rest, value);
      return;
    }
    this.end();
    if (value.charCodeAt(0) !== SPLIT) {
      this.#add(collectionId, packedId, value);
      return;
    }
    const head = Buffer.from(value, "latin1");
    const isWhole = head.length === HEAD_BYTES;
    if (!isWhole) this.#damage(packedId, "its head has another length than ten bytes");
    const length = isWhole ? head.readUInt32LE(1) : 0;
    this.#open = { collectionId, packedId, length, parts: head[5] ?? 0, bytes: [] };
  }

  #part(collectionId: number, packedId: string, rest: string, value: string): void {
    const open = this.#open;
    if (open?.collectionId !== collectionId || open.packedId !== packedId) {
      this.#damage(packedId, `part ${rest.charCodeAt(0)} is of nothing`);
      return;
    }
    if (rest.length !== 1 || rest.charCodeAt(0) !== open.bytes.length + 1)
      this.#damage(packedId, `part ${open.bytes.length + 1} is followed by ${rest.charCodeAt(0)}`);
    if (!value.startsWith(PART))
      this.#damage(packedId, `part ${open.bytes.length + 1} does not begin as one`);
    open.bytes.push(value.slice(1));
  }

  /** No more parts come of what is open. */
  end(): void {
    const open = this.#open;
    this.#open = null;
    if (open === null) return;
    const bytes = open.bytes.join("");
    if (open.bytes.length !== open.parts)
      this.#damage(open.packedId, `${open.bytes.length} of ${open.parts} parts are there`);
    else if (bytes.length !== open.length)
      this.#damage(open.packedId, `its parts have ${bytes.length} of ${open.length} bytes`);
    this.#add(open.collectionId, open.packedId, bytes);
  }

  #add(collectionId: number, packedId: string, stored: string): void {
    const header = [FORMAT, 1, 0, 0].map((byte) => String.fromCharCode(byte)).join("");
    if (!stored.startsWith(header))
      this.#state.damage.push(`${shown(packedId)} has a header of another kind`);
    const text = Buffer.from(stored.slice(HEADER_BYTES), "latin1").toString("utf8");
    mapOf(this.#state.items, collectionId).set(packedId, { packedId, text });
  }

  #damage(packedId: string, what: string): void {
    this.#state.partsDamage.push(`${shown(packedId)}: ${what}`);
  }
}

/** A packed primary key, for people. */
export function shown(packedId: string): string {
  return (unpacked(packedId) ?? [packedId]).map((element) => JSON.stringify(element)).join(", ");
}

function mapOf<K, A, B>(maps: Map<K, Map<A, B>>, key: K): Map<A, B> {
  return entryOf(maps, key, () => new Map());
}

function listOf<K, A>(lists: Map<K, A[]>, key: K): A[] {
  return entryOf(lists, key, () => []);
}

function setOf<K, A>(sets: Map<K, Set<A>>, key: K): Set<A> {
  return entryOf(sets, key, () => new Set());
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const fresh = make();
  map.set(key, fresh);
  return fresh;
}
