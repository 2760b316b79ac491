/**
 * A Level database over the store of a life, as the workload `level` uses it: physical keys become calls on the database, on its
 * sublevel or on the one below that. Hears of every commit that Level makes of the store. Does not own: which call is made when
 * (`level.ts`).
 */
import type { AbstractIterator, AbstractIteratorOptions, AbstractSublevel } from "abstract-level";
import type { Batch } from "../../src/engine/batch.js";
import type { ScanOptions } from "../../src/engine/range.js";
import type { Store } from "../../src/engine/store.js";
import type { ReadOptions, WriteOptions } from "../../src/engine/store-types.js";
import { LevelOverStore, type LevelStore } from "../../src/level/level.js";
import type { StillwaterSnapshot } from "../../src/level/snapshot.js";
import type { Row } from "../model/comparison.js";
import type { StoreWrite } from "../oracles/level.js";
import { keyBytes, keyText, valueBytes } from "../workload/bytes.js";
import { SUBLEVELS } from "../workload/level-workloads.js";
import type { Bounds, Mutation } from "../workload/operation.js";
import { boundsOf } from "./reader.js";

type Root = LevelOverStore<Buffer, Uint8Array>;
type Sublevel = AbstractSublevel<Root, string | Uint8Array, Buffer, Uint8Array>;
export type Entries = AbstractIterator<unknown, Buffer, Uint8Array>;

const ENCODINGS = { keyEncoding: "buffer", valueEncoding: "view" } as const;

/** A sublevel, or the database itself where that is null, and what its physical keys begin with. */
interface Place {
  readonly sublevel: Sublevel | null;
  readonly prefix: string;
}

export interface ReadRange {
  readonly bounds: Bounds;
  readonly limit?: number;
  readonly snapshot?: StillwaterSnapshot;
}

export class LevelDatabase {
  readonly root: Root;
  readonly #store: ObservedLevelStore;
  readonly #places: readonly Place[];

  private constructor(store: ObservedLevelStore, root: Root, places: readonly Place[]) {
    this.#store = store;
    this.root = root;
    this.#places = places;
  }

  static async open(store: Store): Promise<LevelDatabase> {
    const observed = new ObservedLevelStore(store);
    const root: Root = new LevelOverStore<Buffer, Uint8Array>({ store: observed }, ENCODINGS);
    await root.open();
    const places: Place[] = [];
    for (const { prefix, path } of SUBLEVELS) {
      const sublevel = path.length === 0 ? null : (root.sublevel([...path], ENCODINGS) as Sublevel);
      await sublevel?.open();
      places.push({ sublevel, prefix });
    }
    return new LevelDatabase(observed, root, places);
  }

  /** What `call` has committed before it returned, with its answer. */
  observe(call: () => Promise<void>): { readonly answer: Promise<void>; readonly writes: StoreWrite[] } {
    const writes: StoreWrite[] = [];
    this.#store.writes = writes;
    const answer = call();
    // Who waits for it judges it; a crash may come first.
    answer.catch(() => undefined);
    return { answer, writes };
  }

  /** Puts and deletes: one by its own call, several as an array or chained. */
  write(
    mutations: readonly Mutation[],
    single: boolean,
    chained: boolean,
    options: { sync?: boolean },
  ): Promise<void> {
    const [first] = mutations;
    if (single && first !== undefined) return this.#writeOne(first, options);
    if (chained) {
      const batch = this.root.batch();
      for (const mutation of mutations) {
        const { key, sublevel } = this.#locate(mutation[1]);
        const where = sublevel === null ? {} : { sublevel: sublevel as never }; // of this database, which its type cannot say
        if (mutation[0] === "put") batch.put(key, valueBytes(mutation[2], mutation[3]), where);
        else batch.del(key, where);
      }
      return batch.write(options);
    }
    const operations = mutations.map((mutation) => {
      const { key, sublevel } = this.#locate(mutation[1]);
      const where = sublevel === null ? {} : { sublevel: sublevel as never };
      return mutation[0] === "put"
        ? { type: "put" as const, key, value: valueBytes(mutation[2], mutation[3]), ...where }
        : { type: "del" as const, key, ...where };
    });
    return this.root.batch(operations, options);
  }

  #writeOne(mutation: Mutation, options: { sync?: boolean }): Promise<void> {
    const { key, sublevel } = this.#locate(mutation[1]);
    const database = (sublevel ?? this.root) as Root;
    if (mutation[0] === "put") return database.put(key, valueBytes(mutation[2], mutation[3]), options);
    return database.del(key, options);
  }

  /** By the sublevel where both bounds lie in one. */
  clear(range: ReadRange, options: { sync?: boolean }): Promise<void> {
    const { database, bounds } = this.#within(range.bounds);
    return database.clear({ ...bounds, ...optionsOf(range), ...options });
  }

  /** What `clear` of a whole sublevel removes, as physical bounds; null where the key lies in none. */
  sublevelOf(key: string): { readonly begin: string; readonly end: string } | null {
    const { prefix } = this.#placeOf(key);
    // The upper bound of a sublevel is inclusive: its prefix, with the last separator raised by one.
    return prefix === "" ? null : { begin: prefix, end: `${prefix.slice(0, -1)}"\0` };
  }

  clearSublevel(key: string, options: { sync?: boolean }): Promise<void> {
    return ((this.#placeOf(key).sublevel ?? this.root) as Root).clear(options);
  }

  get(
    key: string,
    snapshot: StillwaterSnapshot | undefined,
    asText: boolean,
  ): Promise<Uint8Array | undefined> {
    if (asText && isText(key))
      return this.root.get<string, Uint8Array>(key, { keyEncoding: "utf8", ...withSnapshot(snapshot) });
    const { key: local, sublevel } = this.#locate(key);
    return ((sublevel ?? this.root) as Root).get(local, withSnapshot(snapshot));
  }

  getSync(key: string, snapshot: StillwaterSnapshot | undefined): Uint8Array | undefined {
    const { key: local, sublevel } = this.#locate(key);
    return ((sublevel ?? this.root) as Root).getSync(local, withSnapshot(snapshot));
  }

  getMany(
    keys: readonly string[],
    snapshot: StillwaterSnapshot | undefined,
  ): Promise<(Uint8Array | undefined)[]> {
    return this.root.getMany(
      keys.map((key) => Buffer.from(keyBytes(key))),
      withSnapshot(snapshot),
    );
  }

  /** All rows of a range: row by row, or at once. */
  async rows(range: ReadRange, oneByOne: boolean): Promise<Row[]> {
    const { database, bounds, prefix } = this.#within(range.bounds);
    const iterator = database.iterator({ ...bounds, ...optionsOf(range) });
    const rows: Row[] = [];
    const add = ([key, value]: [Buffer, Uint8Array]): void => {
      rows.push({ key: prefix + keyText(key), value });
    };
    if (oneByOne) for await (const entry of iterator) add(entry);
    else for (const entry of await iterator.all()) add(entry);
    return rows;
  }

  iterator(range: ReadRange): Entries {
    const options: AbstractIteratorOptions<Buffer, Uint8Array> = {
      ...bufferBounds(range.bounds, ""),
      ...optionsOf(range),
    };
    return this.root.iterator(options) as Entries;
  }

  #locate(key: string): { readonly key: Buffer; readonly sublevel: Sublevel | null } {
    const { sublevel, prefix } = this.#placeOf(key);
    return { key: Buffer.from(key.slice(prefix.length), "latin1"), sublevel };
  }

  #placeOf(key: string): Place {
    const found = this.#places.findLast(({ prefix }) => key.startsWith(prefix));
    return found as Place; // every key begins with nothing
  }

  #within(bounds: Bounds): {
    readonly database: Root;
    readonly bounds: ReturnType<typeof bufferBounds>;
    readonly prefix: string;
  } {
    const low = bounds.gte ?? bounds.gt;
    const high = bounds.lte ?? bounds.lt;
    const place = low === undefined || high === undefined ? null : this.#placeOf(low);
    const inOne = place !== null && place.sublevel !== null && high?.startsWith(place.prefix) === true;
    const prefix = inOne ? place.prefix : "";
    const database = (inOne ? place.sublevel : this.root) as Root;
    return { database, bounds: bufferBounds(bounds, prefix), prefix };
  }
}

/** The store, with an ear on its commits. */
class ObservedLevelStore implements LevelStore {
  readonly #store: Store;
  /** Where commits are noted. */
  writes: StoreWrite[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  get platform() {
    return this.#store.platform;
  }

  get directory() {
    return this.#store.directory;
  }

  write(batch: Batch, options?: WriteOptions): Promise<number> {
    const answer = this.#store.write(batch, options);
    const write: StoreWrite = { durability: options?.durability, version: null };
    this.writes.push(write);
    answer.then(
      (version) => {
        write.version = version;
      },
      // Whoever made the call hears of it.
      () => undefined,
    );
    return answer;
  }

  getSync(key: Uint8Array, options?: ReadOptions) {
    return this.#store.getSync(key, options);
  }

  iterator(options: ScanOptions) {
    return this.#store.iterator(options);
  }

  snapshot() {
    return this.#store.snapshot();
  }

  approximateBytes: Store["approximateBytes"] = (range) => this.#store.approximateBytes(range);
  compact: Store["compact"] = (range) => this.#store.compact(range);
  close = (): Promise<void> => this.#store.close();
}

function bufferBounds(bounds: Bounds, prefix: string) {
  const cut: Record<string, unknown> = { ...bounds };
  for (const name of ["gte", "gt", "lte", "lt"] as const) {
    if (bounds[name] !== undefined) cut[name] = bounds[name].slice(prefix.length);
  }
  const { gte, gt, lte, lt, reverse } = boundsOf(cut as Bounds);
  return {
    ...(gte === undefined ? {} : { gte: Buffer.from(gte) }),
    ...(gt === undefined ? {} : { gt: Buffer.from(gt) }),
    ...(lte === undefined ? {} : { lte: Buffer.from(lte) }),
    ...(lt === undefined ? {} : { lt: Buffer.from(lt) }),
    ...(reverse === undefined ? {} : { reverse }),
  };
}

function optionsOf({ limit, snapshot }: ReadRange) {
  return { ...(limit === undefined ? {} : { limit }), ...withSnapshot(snapshot) };
}

function withSnapshot(snapshot: StillwaterSnapshot | undefined) {
  return snapshot === undefined ? {} : { snapshot };
}

function isText(key: string): boolean {
  for (let at = 0; at < key.length; at++) if (key.charCodeAt(at) > 0x7f) return false;
  return true;
}
