/**
 * Clients of records: one record store a life over one database, transactions of documents as their steps say, beside everything that
 * happens to a store. After each commit the whole of the records is read from raw keys and judged; reads are judged as they
 * are answered. Does not own: what is right (`oracles/index-rows.ts` and its neighbours), what steps are (`workload/record-steps.ts`).
 */
import type { IndexBuildOptions } from "../../src/collection/index-manager.js";
import { RecordStore } from "../../src/collection/record-store.js";
import type { RecordTransaction } from "../../src/collection/record-transaction.js";
import type { ScrubOptions } from "../../src/index/scrub/scrub-options.js";
import type { ScrubTotals } from "../../src/index/scrub/scrub-progress.js";
import { type ErrorCode, hasCode } from "../../src/platform/errors.js";
import type { IndexValue } from "../../src/record/index-value.js";
import type { Row } from "../model/comparison.js";
import { OracleFailure } from "../oracles/failure.js";
import { checkHistories } from "../oracles/history-rows.js";
import { checkIndexBuilds } from "../oracles/index-builds.js";
import { checkIndexRows } from "../oracles/index-rows.js";
import { checkLargeDocuments } from "../oracles/large-documents.js";
import { checkCommitted, checkFound, checkRefusedValue, window } from "../oracles/record-calls.js";
import { checkUniqueValues } from "../oracles/unique-values.js";
import {
  type Item,
  itemId,
  itemOf,
  nameOf,
  noteId,
  noteOf,
  RECORD_SCHEMA,
  textOfDocument,
} from "../records/declarations.js";
import { ITEM_INDEXES, mayBeDamaged, packedRows, SCALAR_INDEXES } from "../records/expected-rows.js";
import {
  copyName,
  INDEX_ROWS,
  parsed,
  type RawState,
  RECORDS,
  RECORDS_END,
  readRawState,
  writtenDocuments,
} from "../records/raw-state.js";
import { packed, type RawElement, unpacked } from "../records/tuple.js";
import { RecordsView } from "../records/view.js";
import { keyBytes, keyText } from "../workload/bytes.js";
import type { RecordStep } from "../workload/record-steps.js";
import {
  type ClientOperation,
  type LayerClients,
  openSharedDatabase,
  type SharedDatabase,
} from "./layer-clients.js";
import { DamageFound, type Session } from "./session.js";
import { think } from "./think.js";
import { LEGAL, type Transactor } from "./transactor.js";

type Collections = typeof RECORD_SCHEMA extends { readonly collections: infer All } ? All : never;
type Store = RecordStore<Collections>;
/** `IndexManager` for names that are known at run time only. */
interface NamedIndexes {
  get(collection: string, index: string): Promise<{ readonly state: string }>;
  enable(collection: string, index: string): Promise<void>;
  disable(collection: string, index: string): Promise<void>;
  build(
    collection: string,
    indexes: string | readonly string[],
    options: IndexBuildOptions,
  ): Promise<unknown>;
  rebuild(collection: string, index: string, options: IndexBuildOptions): Promise<unknown>;
  buildShadow(collection: string, index: string, options: IndexBuildOptions): Promise<unknown>;
  swapShadow(collection: string, index: string): Promise<void>;
  dropShadow(collection: string, index: string): Promise<void>;
  scrub(collection: string, index: string, options: ScrubOptions): Promise<ScrubTotals>;
}
type ManageStep = Extract<RecordStep, readonly ["manage", ...unknown[]]>;
type RecordOperation = Extract<ClientOperation, { kind: "records" }>;

const STATES_KEPT = 20;
const UNDER_WAY_THINKS = 4;
const COMMITS_UNDER_WAY = 0.4;
/** More than there ever are. */
const ALL = 1000;

export class Records implements LayerClients {
  readonly #transactor: Transactor;
  readonly #session: Session;
  #database: SharedDatabase | null = null;
  #opening: Promise<Store> | null = null;
  #number = 0;
  readonly #damage = new IndexDamage();
  /** By version. */
  readonly #states = new Map<number, RawState>();

  constructor(transactor: Transactor) {
    this.#transactor = transactor;
    this.#session = transactor.session;
  }

  opened(): void {
    this.#database = null;
    this.#opening = null;
    this.#damage.underWay = 0;
    this.#states.clear();
  }

  /** Builds that are under way are stopped, as a process does that closes its records first. */
  closing(): void {
    this.#opening?.then((store) => store.close()).catch(ignore);
  }

  lost(): void {
    this.#states.clear();
  }

  taken(version: number): void {
    const { model, session } = this.#transactor;
    const [state, when] = [this.#stateAt(version), `after version ${version}`];
    this.#judge(state, when);
    const written = writtenDocuments(model.commits.at(-1)?.effects.keys() ?? []);
    checkHistories(session.ledger, this.#stateAt(version - 1), state, written, when);
  }

  checkRows(rows: readonly Row[], when: string): void {
    this.#judge(readRawState(rows.map(({ key, value }) => [key, keyText(value)] as const)), when);
  }

  begin(operation: ClientOperation, number: number): void {
    if (operation.kind !== "records") return;
    this.#number = number;
    const what = `records of operation ${number}`;
    const { inFlight } = this.#session;
    const [first] = operation.steps;
    if (first?.[0] === "manage") {
      inFlight.add(what, this.#manage(first), ignore, (error) => this.#failed(error, what, MANAGE_ERRORS));
      return;
    }
    inFlight.add(what, this.#transact(operation, what), ignore, (error) => this.#failed(error, what));
  }

  /** Everything, by every way there is, as one transaction sees it. */
  async check(when: string): Promise<void> {
    let store: Store;
    try {
      store = await this.#open();
    } catch (error) {
      // It takes a commit, which a store that has stopped does not take.
      this.#failed(error, `opening the records ${when}`);
      return;
    }
    await this.#session.retrying(`reading records ${when}`, async () => {
      await store.transact(async (transaction) => {
        const attempt = await this.#begin(transaction, `reading records ${when}`);
        for (const { name } of RECORD_SCHEMA.collections) await attempt.list(name, ALL, false);
        for (const index of SCALAR_INDEXES) await attempt.find(index, [], ALL, true);
      }, NO_LIMIT);
    });
  }

  /** Every index can be built, unless documents share a unique value, and every damage repaired. */
  async settle(): Promise<void> {
    if (this.#session.options.workload !== "index-builds") return;
    const what = "building all indexes once faults have stopped";
    try {
      await this.#buildAll(await this.#open());
    } catch (error) {
      this.#failed(error, what, MANAGE_ERRORS);
    }
  }

  async #buildAll(store: Store): Promise<void> {
    const indexes = store.indexes as unknown as NamedIndexes;
    for (const index of Object.keys(ITEM_INDEXES)) {
      const { state } = await indexes.get("Item", index);
      if (state === "disabled") await indexes.enable("Item", index);
      if (state === "readable") {
        if (this.#damage.names.has(index)) await this.#scrub(store, index, 0);
        continue;
      }
      try {
        await indexes.build("Item", index, { clearFirst: true });
      } catch (error) {
        if (!hasCode(error, "INDEX_BUILD_VIOLATIONS")) throw error;
      }
    }
  }

  /** So long that others may come first. */
  async #underWay(): Promise<void> {
    const choices = this.#session.world.choices.stream("clients");
    for (let left = choices.below(UNDER_WAY_THINKS, "clients.commit-thinks"); left >= 0; left--)
      await think(this.#session);
  }

  #judge(state: RawState, when: string): void {
    const { ledger } = this.#session;
    checkLargeDocuments(ledger, state, when);
    checkIndexRows(ledger, state, this.#damage.names, when);
    checkUniqueValues(ledger, state, when);
    checkIndexBuilds(ledger, state, this.#damage.names, when);
  }

  async #transact(operation: RecordOperation, what: string): Promise<void> {
    const store = await this.#open();
    const { storeOptions, ledger } = this.#session;
    const { steps, durability, abandons = false, together = false } = operation;
    // A store without durability has none to choose from.
    const isFree = storeOptions.durability !== "none";
    const options = { ...NO_LIMIT, ...(durability === undefined || !isFree ? {} : { durability }) };
    let last: Attempt | null = null;
    try {
      await store.transact(async (transaction) => {
        const attempt = await this.#begin(transaction, what);
        last = attempt;
        await attempt.run(steps, together);
        if (abandons) throw new Abandoned();
      }, options);
    } catch (error) {
      if (error instanceof Abandoned) return;
      const attempt = last as Attempt | null;
      if (!hasCode(error, "UNIQUE_VIOLATION") || attempt === null) throw error;
      checkRefusedValue(ledger, attempt.view, error, what);
      return;
    }
    this.#committed(last as Attempt | null, what);
  }

  #committed(attempt: Attempt | null, what: string): void {
    if (attempt === null) throw new OracleFailure("O38", `${what} succeeds without having run`);
    const version = attempt.transaction.transaction.getCommittedVersion();
    const { ledger } = this.#session;
    const before = version < 0 ? attempt.view.state : this.#stateAt(version - 1);
    checkCommitted(ledger, attempt.view, before, version < 0 ? before : this.#stateAt(version), what);
  }

  async #begin(transaction: RecordTransaction<Collections>, what: string): Promise<Attempt> {
    const version = await transaction.transaction.getReadVersion();
    return new Attempt(
      this.#session,
      this.#damage.names,
      transaction,
      new RecordsView(this.#stateAt(version)),
      what,
    );
  }

  async #manage([, how, index, other, items]: ManageStep): Promise<void> {
    const store = await this.#open();
    // The names are known at run time only.
    const indexes = store.indexes as unknown as NamedIndexes;
    const [name, second] = [indexOf(index), indexOf(other)];
    const options =
      items === 0
        ? {}
        : { inlineItems: 0, throttle: { firstItems: items, minItems: 1, maxItems: items, maxFailures: 5 } };
    await think(this.#session);
    switch (how) {
      case "enable":
        return indexes.enable("Item", name);
      case "disable":
        return indexes.disable("Item", name);
      case "build":
        return indexes.build("Item", name, options).then(ignore);
      case "buildTwo":
        return indexes.build("Item", name === second ? name : [name, second], options).then(ignore);
      case "buildFrom":
        return indexes.build("Item", name, { ...options, from: second }).then(ignore);
      case "rebuild":
        return indexes.rebuild("Item", name, options).then(ignore);
      case "shadow":
        return indexes.buildShadow("Item", name, options).then(ignore);
      case "swap":
        return indexes.swapShadow("Item", name);
      case "drop":
        return indexes.dropShadow("Item", name);
      case "scrub":
        return this.#scrub(store, name, items);
      case "damage":
        return mayBeDamaged(name) ? this.#damageRow(store, name, other) : undefined;
    }
  }

  /** From the start, with repair: then what was damaged before is right again, and nothing else was found. */
  async #scrub(store: Store, name: string, items: number): Promise<void> {
    const indexes = store.indexes as unknown as NamedIndexes;
    const { names, times, underWay } = this.#damage;
    const wasDamaged = names.has(name);
    const batch = items === 0 ? {} : { entriesPerTransaction: items };
    const options = { repair: true, restart: true, retries: 3, ...batch };
    const { dangling, missing, wrong } = await indexes.scrub("Item", name, options);
    // Damage that came meanwhile, or may have: the next scrub sees to it.
    if (this.#damage.times !== times || underWay > 0) return;
    if (wasDamaged) {
      names.delete(name);
      this.#judge(this.#stateAt(this.#transactor.model.newestVersion), `after a scrub of "${name}"`);
    } else if (dangling + missing + wrong > 0) {
      throw new OracleFailure("O38", `a scrub finds damage in "${name}" that nobody has done`);
    }
  }

  /** By hand, as no writer of records does: a row goes, or one comes that is of no document. */
  async #damageRow(store: Store, name: string, number: number): Promise<void> {
    const { database, catalogues } = store.shared;
    this.#damage.underWay++;
    await database.transact(async (transaction) => {
      const state = this.#stateAt(await transaction.getReadVersion());
      // Whoever changes the catalogue makes this try again.
      await catalogues.read(transaction);
      const index = state.index(name);
      if (index?.state !== "readable") return;
      const prefix = RECORDS + packed([INDEX_ROWS, index.id, index.generation]);
      const rows = [...state.rowsOf(copyName(index.id, index.generation)).keys()];
      const row = rows[number % Math.max(1, rows.length)];
      if (row === undefined) return;
      this.#damage.add(name);
      const values = unpacked(row)?.slice(0, -1) ?? [];
      if (number % 2 === 0) transaction.clear(keyBytes(prefix + row));
      else transaction.set(keyBytes(prefix + packed([...values, NOBODY])), keyBytes(""));
    }, NO_LIMIT);
    this.#damage.underWay--;
  }

  #failed(error: unknown, what: string, also: readonly ErrorCode[] = []): void {
    const session = this.#session;
    const legal = [
      ...LEGAL,
      ...also,
      ...(session.closing ? (["CLOSED", "OPERATION_CANCELLED"] as const) : []),
    ];
    if (session.judge(error, what, legal) === "damage") throw new DamageFound(what);
  }

  #stateAt(version: number): RawState {
    const { model } = this.#transactor;
    // Versions between two commits are the same state.
    const at = model.commits.findLast((commit) => commit.version <= version)?.version ?? 0;
    const known = this.#states.get(at);
    if (known !== undefined) return known;
    const view = model.at(at);
    const state = readRawState(
      view.keys(RECORDS, RECORDS_END).map((key) => [key, view.get(key) ?? ""] as const),
    );
    if (this.#states.size >= STATES_KEPT) this.#states.clear();
    this.#states.set(at, state);
    return state;
  }

  /** One store for all clients of a life. Who comes when it could not be opened tries again. */
  #open(): Promise<Store> {
    const choices = this.#session.world.choices.stream("clients");
    this.#database ??= openSharedDatabase(this.#transactor, {
      settings: { transactions: NO_LIMIT },
      operation: () => this.#number,
      losesAnswer: () => false,
      // Builders do not think, and so would meet nobody.
      underWay: () =>
        choices.chance(COMMITS_UNDER_WAY, "clients.commit-under-way") ? this.#underWay() : null,
    });
    const { clock, scheduler, random } = this.#session.life.platform;
    const opening = (this.#opening ??= RecordStore.open(this.#database.database, RECORD_SCHEMA, {
      clock,
      scheduler,
      random,
    }));
    return opening.catch((error: unknown) => {
      if (this.#opening === opening) this.#opening = null;
      throw error;
    });
  }
}

/** Think times are long. */
const NO_LIMIT = { timeoutMs: 0 };

class Abandoned extends Error {}

/** A primary key that no item has. */
const NOBODY = "zz";

/** Indexes in which rows were changed by hand and that no scrub has repaired since. */
class IndexDamage {
  readonly names = new Set<string>();
  times = 0;
  /** In this life. One whose answer did not come may be there all the same, and counts for the rest of it. */
  underWay = 0;

  add(name: string): void {
    this.names.add(name);
    this.times++;
  }
}

function ignore(): void {}

/** One try of a transaction, and what it must see. */
class Attempt {
  readonly transaction: RecordTransaction<Collections>;
  readonly view: RecordsView;
  readonly #session: Session;
  readonly #damaged: ReadonlySet<string>;
  readonly #what: string;

  constructor(
    session: Session,
    damaged: ReadonlySet<string>,
    transaction: RecordTransaction<Collections>,
    view: RecordsView,
    what: string,
  ) {
    this.#session = session;
    this.#damaged = damaged;
    this.transaction = transaction;
    this.view = view;
    this.#what = what;
  }

  async run(steps: readonly RecordStep[], together: boolean): Promise<void> {
    const underWay: Promise<void>[] = [];
    for (const step of steps) {
      const isWrite = together && AT_ONCE.has(step[0]);
      if (!isWrite) await Promise.all(underWay.splice(0));
      if (underWay.length === 0 || this.#isApart()) await think(this.#session);
      const running = this.#step(step);
      if (!isWrite) await running;
      else {
        // Awaited with the others.
        running.catch(ignore);
        underWay.push(running);
      }
    }
    await Promise.all(underWay);
    await think(this.#session);
  }

  /** Whether a write is asked for later than the one before, which may be answered by then. */
  #isApart(): boolean {
    return this.#session.world.choices.stream("clients").chance(THINKS_BETWEEN, "clients.thinks-between");
  }

  #step(step: RecordStep): Promise<void> {
    switch (step[0]) {
      case "manage":
        // A case may have been edited: there is no such call within a transaction.
        return Promise.resolve();
      case "put": {
        const [, id, name, group, amount, tags, place, textBytes] = step;
        return this.#put(itemOf({ id, name, group, amount, tags, place, textBytes }));
      }
      case "remove":
        return this.#remove("Item", itemId(step[1]));
      case "again":
        return this.#again(step[1]);
      case "swap":
        return this.#swap(step[1], step[2]);
      case "note": {
        const note = noteOf(step[1], step[2], step[3]);
        this.view.put("Note", packed([note.id]), textOfDocument(note));
        return this.transaction.collection("Note").put(note);
      }
      case "removeNote":
        return this.#remove("Note", noteId(step[1]));
      case "get":
        return this.#get(itemId(step[1])).then(ignore);
      case "list":
        return this.list(step[1], step[2], step[3]);
      case "find": {
        const [, index, count, like, limit, reverse] = step;
        const name = SCALAR_INDEXES.includes(index) ? index : "Item_name";
        return this.find(name, this.#valuesLike(name, count, like), limit, reverse);
      }
    }
  }

  #put(item: Item): Promise<void> {
    this.view.put("Item", packed([item.id]), textOfDocument(item));
    return this.transaction.collection("Item").put(item);
  }

  async #remove(collection: "Item" | "Note", id: string | number): Promise<void> {
    const packedId = packed([id]);
    const was = this.view.get(collection, packedId) !== null;
    if (was) this.view.put(collection, packedId, null);
    const { transaction } = this;
    const is = await (typeof id === "string"
      ? transaction.collection("Item").delete(id)
      : transaction.collection("Note").delete(id));
    if (is === was) return;
    throw new OracleFailure("O38", `${this.#what}: removing ${JSON.stringify(id)} says ${is}, not ${was}`);
  }

  async #again(id: number): Promise<void> {
    const item = await this.#get(itemId(id));
    if (item !== undefined) await this.#put(item);
  }

  async #swap(a: number, b: number): Promise<void> {
    const [one, other] = [await this.#get(itemId(a)), await this.#get(itemId(b))];
    if (one === undefined || other === undefined || one.id === other.id) return;
    await Promise.all([this.#put({ ...one, name: other.name }), this.#put({ ...other, name: one.name })]);
  }

  async #get(id: string): Promise<Item | undefined> {
    const expected = this.view.get("Item", packed([id]));
    const found = await this.transaction.collection("Item").get(id);
    const texts = found === undefined ? [] : [textOfDocument(found)];
    this.#check(expected === null ? [] : [expected], texts, `get ${JSON.stringify(id)}`);
    return found;
  }

  async list(collection: "Item" | "Note", limit: number, reverse: boolean): Promise<void> {
    const expected = window(this.view.documents(collection), limit === 0 ? ALL : limit, reverse);
    const options = { ...(limit === 0 ? {} : { limit }), reverse };
    const { transaction } = this;
    const found: readonly unknown[] = await transaction.collection(collection).scan(options);
    this.#check(expected, found.map(textOfDocument), `a scan of "${collection}"`);
  }

  async find(index: string, values: readonly RawElement[], limit: number, reverse: boolean): Promise<void> {
    const collection = collectionOf(index);
    const isReadable = this.view.state.index(index)?.state === "readable";
    const expected = window(this.view.find(collection, index, values), limit === 0 ? ALL : limit, reverse);
    const options = { ...(limit === 0 ? {} : { limit }), reverse };
    let found: readonly unknown[];
    try {
      const typed = this.transaction.collection(collection) as {
        byIndex(name: string, values: readonly IndexValue[], options: object): Promise<unknown[]>;
      };
      found = await typed.byIndex(index, values.map(indexValueOf), options);
    } catch (error) {
      if (hasCode(error, "INDEX_NOT_READABLE") && !isReadable) return;
      throw error;
    }
    if (!isReadable) throw new OracleFailure("O38", `${this.#what}: "${index}" is read, but is not readable`);
    if (this.#damaged.has(index)) return;
    this.#check(expected, found.map(textOfDocument), `"${index}" from ${JSON.stringify(values)}`);
  }

  /** The values of a document that is there, or of one that nobody has. */
  #valuesLike(index: string, count: number, like: number): readonly RawElement[] {
    if (collectionOf(index) === "Note") return [itemId(like), { double: 0 }].slice(0, count);
    const text = this.view.get("Item", packed([itemId(like)]));
    const [row] = text === null ? [] : packedRows(index, parsed(text), "");
    return ((row && unpacked(row.prefix)) ?? [nameOf(like)]).slice(0, count);
  }

  #check(expected: readonly string[], found: readonly string[], what: string): void {
    checkFound(this.#session.ledger, expected, found, `${this.#what}: ${what}`);
  }
}

const THINKS_BETWEEN = 0.5;

const AT_ONCE: ReadonlySet<RecordStep[0]> = new Set(["put", "remove", "note", "removeNote"]);

/** What calls about indexes may be told beside what any transaction may be. */
const MANAGE_ERRORS: readonly ErrorCode[] = [
  "ILLEGAL_INDEX_STATE",
  "INDEX_BUILD_VIOLATIONS",
  "INDEX_BUILD_MISMATCH",
  "INDEX_SOURCE_UNSUITABLE",
  "INDEX_NOT_READABLE",
  "WRONG_INDEX_KIND",
  "LEASE_HELD",
  // Of their batches, which have a limit of their own; think times know none.
  "TRANSACTION_TIMED_OUT",
];

function indexOf(number: number): string {
  const names = Object.keys(ITEM_INDEXES);
  return names[number % names.length] as string; // within the list
}

function collectionOf(index: string): "Item" | "Note" {
  return index.startsWith("Note") ? "Note" : "Item";
}

function indexValueOf(element: RawElement): IndexValue {
  if (typeof element === "object" && element !== null && "double" in element) return element.double;
  return element as IndexValue;
}
