/**
 * Clients of records: one record store a life over one database, transactions of documents as their steps say, beside everything that
 * happens to a store. After each commit the whole of the records is read from raw keys and judged. Does not own: reads (`record-attempt.ts`), what is right (`oracles/index-rows.ts` and its neighbours), what steps are (`workload/record-steps.ts`).
 */
import { RecordStore } from "../../src/collection/record-store.js";
import type { RecordTransaction } from "../../src/collection/record-transaction.js";
import { type ErrorCode, hasCode } from "../../src/platform/errors.js";
import type { Row } from "../model/comparison.js";
import { OracleFailure } from "../oracles/failure.js";
import { checkHistories } from "../oracles/history-rows.js";
import { checkIndexBuilds } from "../oracles/index-builds.js";
import { checkIndexRows } from "../oracles/index-rows.js";
import { checkLargeDocuments } from "../oracles/large-documents.js";
import { checkMigrated, checkSchema } from "../oracles/migrations.js";
import { checkCommitted, checkRefusedValue } from "../oracles/record-calls.js";
import { checkUniqueValues } from "../oracles/unique-values.js";
import { numberOfItem, RECORD_SCHEMA, type RecordCollections } from "../records/declarations.js";
import { ITEM_INDEXES, mayBeDamaged, SCALAR_INDEXES } from "../records/expected-rows.js";
import { NEWEST_SCHEMA, SCHEMAS } from "../records/migrations.js";
import {
  copyName,
  INDEX_ROWS,
  type RawState,
  RECORDS,
  RECORDS_END,
  readRawState,
  writtenDocuments,
} from "../records/raw-state.js";
import { packed, unpacked } from "../records/tuple.js";
import { RecordsView } from "../records/view.js";
import { keyBytes, keyText } from "../workload/bytes.js";
import type { RecordStep } from "../workload/record-steps.js";
import {
  type ClientOperation,
  type LayerClients,
  openSharedDatabase,
  type SharedDatabase,
} from "./layer-clients.js";
import { IndexDamage, indexOf, MANAGE_ERRORS, type NamedIndexes } from "./named-indexes.js";
import { Programs } from "./programs.js";
import { ALL, Attempt } from "./record-attempt.js";
import { DamageFound, type Session } from "./session.js";
import { think } from "./think.js";
import { LEGAL, type Transactor } from "./transactor.js";

type Store = RecordStore<RecordCollections>;
type ManageStep = Extract<RecordStep, readonly ["manage", ...unknown[]]>;
type RecordOperation = Extract<ClientOperation, { kind: "records" }>;

const STATES_KEPT = 20;
const UNDER_WAY_THINKS = 4;
const COMMITS_UNDER_WAY = 0.4;
const WRITES_BESIDE = 8;

export class Records implements LayerClients {
  readonly #transactor: Transactor;
  readonly #session: Session;
  #database: SharedDatabase | null = null;
  readonly #programs: Programs<Store>;
  #number = 0;
  readonly #damage = new IndexDamage();
  /** By version. */
  readonly #states = new Map<number, RawState>();

  constructor(transactor: Transactor) {
    this.#transactor = transactor;
    this.#session = transactor.session;
    const newest = (): RawState => this.#stateAt(transactor.model.newestVersion);
    this.#programs = new Programs(transactor.session.ledger, newest, (number) => this.#openProgram(number));
  }

  opened(): void {
    this.#database = null;
    this.#damage.underWay = 0;
    this.#damage.life++;
    this.#states.clear();
    this.#programs.opened();
  }

  /** Builds that are under way are stopped, as a process does that closes its records first. */
  closing(): void {
    this.#programs.closing();
  }

  lost(version: number): void {
    this.#damage.lost(version);
    this.#states.clear();
  }

  taken(version: number): void {
    const { model, session } = this.#transactor;
    const [state, when] = [this.#stateAt(version), `after version ${version}`];
    this.#judge(state, when);
    const before = this.#stateAt(version - 1);
    if (this.#migrates) checkMigrated(session.ledger, before, state, when);
    const written = writtenDocuments(model.commits.at(-1)?.effects.keys() ?? []);
    checkHistories(session.ledger, before, state, written, when);
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
    if (first?.[0] === "migrate") {
      const number = first[1] % SCHEMAS.length;
      const migrating = this.#migrates ? this.#programs.run(number) : Promise.resolve();
      inFlight.add(what, migrating, ignore, (error) => this.#failed(error, what));
      return;
    }
    if (first?.[0] === "manage") {
      inFlight.add(what, this.#manage(first), ignore, (error) =>
        this.#failed(error, what, this.#manageErrors()),
      );
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
      const reading = store.transact(async (transaction) => {
        const attempt = await this.#begin(transaction, `reading records ${when}`);
        for (const { name } of RECORD_SCHEMA.collections) await attempt.list(name, ALL, false);
        for (const index of SCALAR_INDEXES) await attempt.find(index, [], ALL, true);
      }, NO_LIMIT);
      // A migration is under way: it is judged by what it commits.
      await reading.catch((error: unknown) => this.#programs.refused(error));
    });
  }

  /** Every index can be built, unless documents share a unique value, and every damage repaired. */
  async settle(): Promise<void> {
    if (this.#migrates) return this.#migrateAll();
    if (this.#session.options.workload !== "index-builds") return;
    const what = "building all indexes once faults have stopped";
    try {
      await this.#buildAll(await this.#open());
    } catch (error) {
      this.#failed(error, what, this.#manageErrors());
    }
  }

  async #migrateAll(): Promise<void> {
    const what = "migrating to the newest schema once faults have stopped";
    try {
      await this.#programs.run(NEWEST_SCHEMA);
    } catch (error) {
      this.#failed(error, what);
      return;
    }
    const { schemaVersion, migration } = this.#stateAt(this.#transactor.model.newestVersion);
    if (schemaVersion === SCHEMAS[NEWEST_SCHEMA].version && migration === null) return;
    throw new OracleFailure("O39", `${what}: the records are open with schema ${schemaVersion}`);
  }

  get #migrates(): boolean {
    return this.#session.options.workload === "migrations";
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
    if (this.#migrates) checkSchema(ledger, state, when);
  }

  /** What a program with a former schema is told ends its transaction. */
  #transact(operation: RecordOperation, what: string): Promise<void> {
    return this.#transactOnce(operation, what).catch((error: unknown) => this.#programs.refused(error));
  }

  async #transactOnce(operation: RecordOperation, what: string): Promise<void> {
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

  async #begin(transaction: RecordTransaction<RecordCollections>, what: string): Promise<Attempt> {
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
        return this.#damageRow(store, name, other).then(ignore);
      case "anewFrom":
        await indexes.disable("Item", name);
        await indexes.enable("Item", name);
        return this.#besideWriter(
          index,
          (time) => time,
          indexes.build("Item", name, { ...options, from: second }).then(ignore),
        );
      case "damageAndScrub":
        return this.#damageAndScrub(store, name, other, items);
    }
  }

  /** From the start, with repair: then what was damaged before is right again, and nothing else was found. */
  async #scrub(store: Store, name: string, items: number): Promise<void> {
    const indexes = store.indexes as unknown as NamedIndexes;
    const { names, times, underWay, life } = this.#damage;
    const wasDamaged = names.has(name);
    const batch = items === 0 ? {} : { entriesPerTransaction: items };
    const options = { repair: true, restart: true, retries: 3, ...batch };
    const { dangling, missing, wrong } = await indexes.scrub("Item", name, options);
    // Its life is over, and its repairs may be lost with it.
    if (this.#damage.life !== life) return;
    // Damage that came meanwhile, or may have: the next scrub sees to it.
    if (this.#damage.times !== times || underWay > 0) return;
    if (wasDamaged) {
      const { newestVersion } = this.#transactor.model;
      this.#damage.repaired(name, newestVersion);
      this.#judge(this.#stateAt(newestVersion), `after a scrub of "${name}"`);
    } else if (dangling + missing + wrong > 0) {
      throw new OracleFailure("O38", `a scrub finds damage in "${name}" that nobody has done`);
    }
  }

  /** While the item of this number at a time is written again and again, with other values. */
  async #besideWriter(number: number, itemAt: (time: number) => number, body: Promise<void>): Promise<void> {
    let isDone = false;
    const what = "writing items beside a call about an index";
    const write = async (): Promise<void> => {
      for (let time = 1; time <= WRITES_BESIDE && !isDone; time++) {
        const id = itemAt(time);
        const step = ["put", id, id, number + time, number + time, number + time, number + time, 0] as const;
        await this.#transact({ kind: "records", steps: [step] }, what);
      }
    };
    this.#session.inFlight.add(what, write(), ignore, (error) => this.#failed(error, what));
    try {
      await body;
    } finally {
      isDone = true;
    }
  }

  /** While the item whose row has gone is written. */
  async #damageAndScrub(store: Store, name: string, number: number, items: number): Promise<void> {
    const id = await this.#damageRow(store, name, number);
    const scrub = this.#scrub(store, name, items);
    return id === null ? scrub : this.#besideWriter(number, () => id, scrub);
  }

  /**
   * By hand, as no writer of records does: a row goes, or one comes that is of no document. The number of the item whose row has
   * gone.
   */
  async #damageRow(store: Store, name: string, number: number): Promise<number | null> {
    if (!mayBeDamaged(name)) return null;
    let item: number | null = null;
    const { database, catalogues } = store.shared;
    this.#damage.underWay++;
    await database.transact(async (transaction) => {
      const state = this.#stateAt(await transaction.getReadVersion());
      item = null;
      // Whoever changes the catalogue makes this try again.
      await catalogues.read(transaction);
      const index = state.index(name);
      if (index?.state !== "readable") return;
      const prefix = RECORDS + packed([INDEX_ROWS, index.id, index.generation]);
      const rows = [...state.rowsOf(copyName(index.id, index.generation)).keys()];
      const row = rows[number % Math.max(1, rows.length)];
      if (row === undefined) return;
      this.#damage.add(name);
      const elements = unpacked(row) ?? [];
      const values = elements.slice(0, -1);
      item = number % 2 === 0 ? numberOfItem(elements.at(-1)) : null;
      if (number % 2 === 0) transaction.clear(keyBytes(prefix + row));
      else transaction.set(keyBytes(prefix + packed([...values, NOBODY])), keyBytes(""));
    }, NO_LIMIT);
    this.#damage.underWay--;
    return item;
  }

  /** A lease is stale after 10 s; clients that think for long, commits under way with them, exceed that. */
  #manageErrors(): readonly ErrorCode[] {
    // Builds of a migration are those of an index, under a lease that it takes again.
    if (this.#migrates) return ["TRANSACTION_TIMED_OUT"];
    const isSlow = this.#session.options.transactions.longThinkProbability > 0;
    return isSlow ? [...MANAGE_ERRORS, "LEASE_LOST"] : MANAGE_ERRORS;
  }

  #failed(error: unknown, what: string, also: readonly ErrorCode[] = []): void {
    const session = this.#session;
    const legal = [
      ...LEGAL,
      ...also,
      // Whoever opens the records migrates them, if they are to be.
      ...(this.#migrates ? this.#manageErrors() : []),
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

  /** One store for all clients of a life, until a migration ends its program. */
  #open(): Promise<Store> {
    return this.#programs.open();
  }

  #openProgram(number: number): Promise<Store> {
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
    // Steps are about collections that all of them have.
    const declared = (SCHEMAS[number] ?? RECORD_SCHEMA) as typeof RECORD_SCHEMA;
    return RecordStore.open(this.#database.database, declared, { clock, scheduler, random });
  }
}

/** Think times are long. */
const NO_LIMIT = { timeoutMs: 0 };

class Abandoned extends Error {}

/** A primary key that no item has. */
const NOBODY = "zz";

function ignore(): void {}
