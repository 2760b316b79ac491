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
import { RECORD_SCHEMA, type RecordCollections } from "../records/declarations.js";
import { SCALAR_INDEXES } from "../records/expected-rows.js";
import { NEWEST_SCHEMA, SCHEMAS } from "../records/migrations.js";
import { type RawState, RECORDS, RECORDS_END, readRawState, writtenDocuments } from "../records/raw-state.js";
import { RecordsView } from "../records/view.js";
import { keyText } from "../workload/bytes.js";
import { IndexCalls } from "./index-calls.js";
import {
  type ClientOperation,
  type LayerClients,
  openSharedDatabase,
  type SharedDatabase,
} from "./layer-clients.js";
import { IndexDamage, MANAGE_ERRORS } from "./named-indexes.js";
import { Programs } from "./programs.js";
import { ALL, Attempt } from "./record-attempt.js";
import { DamageFound, type Session } from "./session.js";
import { think } from "./think.js";
import { LEGAL, type Transactor } from "./transactor.js";

type Store = RecordStore<RecordCollections>;
type RecordOperation = Extract<ClientOperation, { kind: "records" }>;

const STATES_KEPT = 20;
const SETTLING_TRIES = 5;
const UNDER_WAY_THINKS = 4;
const COMMITS_UNDER_WAY = 0.4;

export class Records implements LayerClients {
  readonly #transactor: Transactor;
  readonly #session: Session;
  #database: SharedDatabase | null = null;
  readonly #programs: Programs<Store>;
  readonly #indexes: IndexCalls;
  #number = 0;
  readonly #damage = new IndexDamage();
  /** By version. */
  readonly #states = new Map<number, RawState>();

  constructor(transactor: Transactor) {
    this.#transactor = transactor;
    this.#session = transactor.session;
    const newest = (): RawState => this.#stateAt(transactor.model.newestVersion);
    this.#indexes = new IndexCalls({
      session: transactor.session,
      damage: this.#damage,
      open: () => this.#programs.open(),
      newestVersion: () => transactor.model.newestVersion,
      stateAt: (version) => this.#stateAt(version),
      judge: (state, when) => this.#judge(state, when),
      write: (step, what) => this.#transact({ kind: "records", steps: [step] }, what),
      failed: (error, what) => this.#failed(error, what),
    });
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
      inFlight.add(what, this.#indexes.run(first), ignore, (error) =>
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
      await this.#indexes.buildAll(await this.#open());
    } catch (error) {
      this.#failed(error, what, this.#manageErrors());
    }
  }

  async #migrateAll(): Promise<void> {
    const what = "migrating to the newest schema once faults have stopped";
    for (let tried = 1; ; tried++) {
      try {
        await this.#programs.run(NEWEST_SCHEMA);
        break;
      } catch (error) {
        // A batch took too long beside clients that are about to end. It goes on where it was.
        if (hasCode(error, "TRANSACTION_TIMED_OUT")) {
          if (tried < SETTLING_TRIES) continue;
          throw new OracleFailure("O39", `${what}: it does not end in ${tried} tries`, error);
        }
        this.#failed(error, what);
        return;
      }
    }
    const { schemaVersion, migration } = this.#stateAt(this.#transactor.model.newestVersion);
    if (schemaVersion === SCHEMAS[NEWEST_SCHEMA].version && migration === null) return;
    throw new OracleFailure("O39", `${what}: the records are open with schema ${schemaVersion}`);
  }

  get #migrates(): boolean {
    return this.#session.options.workload === "migrations";
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

function ignore(): void {}
