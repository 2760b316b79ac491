/**
 * The transactions of a run: one engine storage a life over the store of that life, clients that run the steps of an
 * operation in a transaction until it commits, and the model of what they have committed. Hands everything that is heard
 * on the way to the oracles; tells the model of the store of each commit when it is taken, so that all its oracles hold for
 * transactions too. Does not own: the store's life (`life.ts`), what comes of watches (`watch-ledger.ts`).
 */
import type { ErrorCode } from "../../src/platform/errors.js";
import { hasCode, StillwaterError } from "../../src/platform/errors.js";
import type { Random } from "../../src/platform/platform.js";
import { StorageDatabase } from "../../src/transaction/database.js";
import { EngineStorage } from "../../src/transaction/engine-storage.js";
import type { TransactionOptions } from "../../src/transaction/options.js";
import type { CommitRequest } from "../../src/transaction/storage.js";
import type { Transaction, Watch } from "../../src/transaction/transaction.js";
import type { Row } from "../model/comparison.js";
import { OracleFailure } from "../oracles/failure.js";
import { checkInvariants } from "../oracles/invariants.js";
import { type ListClient, ListHistory } from "../oracles/list-append.js";
import { checkReads, checkRecovered } from "../oracles/transactions.js";
import { AttemptLog } from "../transactions/attempt-log.js";
import {
  type ClientListener,
  type CommitListener,
  ObservedStorage,
  ObservedStore,
} from "../transactions/observed-storage.js";
import { ObservedTransaction, type TransactionListener } from "../transactions/observed-transaction.js";
import { runStep } from "../transactions/steps.js";
import { VersionedMap } from "../transactions/versioned-map.js";
import { keyText } from "../workload/bytes.js";
import type { Operation } from "../workload/operation.js";
import { isRecordWorkload } from "../workload/record-workloads.js";
import { isLayerWorkload } from "../workload/transaction-workloads.js";
import type { ClientOperation, LayerClients } from "./layer-clients.js";
import { Layers } from "./layers.js";
import { ObservedCommit } from "./observed-commit.js";
import { Records } from "./records.js";
import { DamageFound, type Session } from "./session.js";
import { think } from "./think.js";
import { WatchLedger } from "./watch-ledger.js";

export type Transact = Extract<Operation, { kind: "transact" }>;

/** The engine's storage in one life. */
export interface Engine {
  readonly store: ObservedStore;
  readonly storage: EngineStorage;
}

export class Transactor {
  readonly session: Session;
  readonly model = new VersionedMap();
  /** Where clients are judged by what they see alone; null in other workloads. */
  readonly lists: ListHistory | null;
  /** The commit that the storage would have taken, but the store had no room: it is asked again, or never. */
  tentative: ObservedCommit | null = null;
  readonly watches: WatchLedger;
  /** In workloads of the layers above the storage, which have their own clients; null in others. */
  readonly layers: LayerClients | null;
  #engine: Engine | null = null;
  /** Every value that any transaction was to store, by key. */
  readonly #stored = new Map<string, Set<string>>();

  constructor(session: Session) {
    this.session = session;
    this.lists = session.options.workload === "list-append" ? new ListHistory(session.ledger) : null;
    this.watches = new WatchLedger(session, this.model);
    const { workload } = session.options;
    if (isRecordWorkload(workload)) this.layers = new Records(this);
    else this.layers = isLayerWorkload(workload) ? new Layers(this) : null;
  }

  /** To be told before the store can hold it. */
  stores(effects: ReadonlyMap<string, string | undefined>): void {
    for (const [key, value] of effects) {
      const values = this.#stored.get(key);
      if (values === undefined) this.#stored.set(key, new Set([value ?? ""]));
      else values.add(value ?? "");
    }
  }

  readonly hasStored = ({ key, value }: Row): boolean => this.#stored.get(key)?.has(keyText(value)) === true;

  /** A store was opened, and what recovery brought back was found to be all up to commit `longest`. */
  opened(rows: readonly Row[], longest: number): void {
    const { ledger, life, store } = this.session;
    this.tentative = null;
    this.watches.clear();
    this.#engine = null;
    // Of commits that change nothing the content does not tell whether they are there, but the version does.
    const lost = this.model.commits.find(
      ({ sequence, version }) => sequence > longest || version > store.version,
    );
    if (lost !== undefined) this.model.truncate(lost.version - 1);
    this.layers?.opened();
    this.lists?.recovered(rows, lost?.version ?? null, `the recovery of life ${life.number}`);
    if (this.model.commits.length === 0) return;
    checkRecovered(ledger, this.model, rows);
    checkInvariants(ledger, rows, `after the recovery of life ${life.number}`);
  }

  /** Nothing is under way. */
  checkRows(rows: readonly Row[], when: string): void {
    this.lists?.check(when);
    this.layers?.checkRows(rows, when);
    if (this.model.commits.length > 0) checkInvariants(this.session.ledger, rows, when);
  }

  /** Before the store closes: as a database does. */
  closing(): void {
    this.layers?.closing();
    this.#engine?.storage.close();
  }

  /** Starts a client, and waits while there are too many. */
  async run(operation: ClientOperation, number: number): Promise<void> {
    const { inFlight, options } = this.session;
    if (this.layers !== null) {
      this.layers.begin(operation, number);
      return inFlight.waitBelow(options.transactions.clientsMax - 1);
    }
    // A case may have been edited: nobody here knows records.
    if (operation.kind !== "transact") return;
    const client = new Client(this, this.engineOf(), operation, number);
    inFlight.add(
      client.what,
      client.run(),
      () => client.ended(),
      (error) => client.failed(error),
    );
    await inFlight.waitBelow(options.transactions.clientsMax - 1);
  }

  /** The storage decides about a commit: what it was about to take before, it did not. */
  decides(): void {
    this.tentative?.withdraw();
    this.tentative = null;
  }

  engineOf(): Engine {
    if (this.#engine === null) {
      const { store, life } = this.session;
      const observed = new ObservedStore(store);
      this.#engine = { store: observed, storage: new EngineStorage(observed, life.platform.clock) };
    }
    return this.#engine;
  }
}

/** One transaction from its first try to its end. */
class Client implements ClientListener, TransactionListener {
  readonly what: string;
  readonly #transactor: Transactor;
  readonly #session: Session;
  readonly #operation: Transact;
  readonly #number: number;
  readonly #storage: ObservedStorage;
  readonly #database: StorageDatabase;
  readonly #settings: TransactionOptions;
  readonly #beganMs: number;
  readonly #random: Random;
  readonly #lists: ListClient | null;
  #log = new AttemptLog(true);
  #transaction: Transaction | null = null;
  /** The answer to its last commit. */
  #answer: Promise<unknown> = Promise.resolve();

  constructor(transactor: Transactor, engine: Engine, operation: Transact, number: number) {
    const { session } = transactor;
    const { clock, random, scheduler } = session.life.platform;
    this.what = `transaction of operation ${number}`;
    this.#transactor = transactor;
    this.#session = session;
    this.#operation = operation;
    this.#number = number;
    this.#storage = new ObservedStorage(engine.storage, engine.store, this);
    this.#database = new ObservedDatabase(
      { storage: this.#storage, clock, scheduler, random, close: () => Promise.resolve() },
      this,
    );
    this.#beganMs = session.world.clock.nowMs();
    this.#random = random;
    this.#lists = transactor.lists?.client(this.what) ?? null;
    const { timeoutMs } = session.options.transactions;
    // A store without durability has none to choose from.
    const isFree = session.storeOptions.durability !== "none";
    this.#settings = {
      timeoutMs,
      readYourWrites: operation.blind !== true,
      ...(operation.durability === undefined || !isFree ? {} : { durability: operation.durability }),
    };
  }

  run(): Promise<void> {
    return this.#database.transact(async (transaction) => {
      this.#transaction = transaction;
      for (const step of this.#operation.steps) {
        await this.#turn();
        await runStep(transaction, step, this.#turn, this.#onWatch, this.#random);
      }
      await this.#turn();
    }, this.#settings);
  }

  begins(): AttemptLog {
    this.#log = new AttemptLog(this.#operation.blind !== true);
    this.#storage.log = this.#log;
    this.#lists?.begins(this.#log);
    return this.#log;
  }

  hasRead(log: AttemptLog): void {
    if (this.#lists !== null) return;
    checkReads(this.#session.ledger, this.#transactor.model, log, this.what);
  }

  opened(log: AttemptLog, version: number): void {
    const { order, life } = this.#session;
    order.readAt(this.what, version);
    log.read = { version, atMs: life.platform.clock.nowMs() };
  }

  commits(log: AttemptLog, request: CommitRequest): CommitListener {
    this.#session.counts.commits++;
    const durability = request.options.durability ?? this.#session.storeOptions.durability ?? "sync";
    if (this.#lists !== null) this.#lists.mayBeLost = durability !== "sync";
    return new ObservedCommit(this.#transactor, log, this.#number, durability, this.what);
  }

  awaits(answer: Promise<unknown>): void {
    this.#answer = answer;
  }

  /** It says that it has committed. */
  ended(): void {
    const { outcome } = this.#log;
    this.#lists?.ends("ok");
    if (outcome !== "acknowledged" && (outcome !== "none" || this.#log.hasConflicts)) {
      throw new OracleFailure("O4", `${this.what} says that it has committed, but its commit is ${outcome}`);
    }
    if (!this.#operation.steps.some(([kind]) => kind === "watch")) return;
    const { world, options } = this.#session;
    const { resetProbability } = options.transactions;
    if (world.choices.stream("clients").chance(resetProbability, "clients.resets"))
      this.#transaction?.reset();
  }

  failed(error: unknown): void {
    const { outcome } = this.#log;
    this.#lists?.ends(outcome === "refused" ? "failed" : "unknown");
    const session = this.#session;
    if (outcome === "acknowledged" && !isTimeOut(error)) {
      throw new OracleFailure("O4", `${this.what} fails with ${error}, but it has committed`, error);
    }
    if (hasCode(error, "COMMIT_UNKNOWN_RESULT") !== (outcome === "unknown") && !isTimeOut(error)) {
      throw new OracleFailure("O4", `${this.what} fails with ${error}, but its commit is ${outcome}`, error);
    }
    if (isTimeOut(error)) {
      this.#checkTimeOut(error);
      return;
    }
    const legal: ErrorCode[] = [...LEGAL];
    if (session.closing) legal.push("CLOSED");
    if (session.judge(error, this.what, legal) === "damage") throw new DamageFound(this.what);
  }

  #checkTimeOut(error: unknown): void {
    const { timeoutMs } = this.#session.options.transactions;
    // Timers go by true time, whatever the process sees.
    const tookMs = this.#session.world.clock.nowMs() - this.#beganMs;
    if (timeoutMs > 0 && tookMs >= timeoutMs) {
      // The client waits no longer, but the storage goes on.
      this.#session.inFlight.add(`the commit of ${this.what}`, this.#answer, ignore, ignore);
      return;
    }
    throw new OracleFailure("O16", `${this.what} says after ${tookMs} ms: ${error}`, error);
  }

  readonly #onWatch = (key: string, watch: Watch): void => {
    this.#transactor.watches.begins(key, watch, this.#log, this.what);
  };

  readonly #turn = (): Promise<void> => think(this.#session);
}

class ObservedDatabase extends StorageDatabase {
  readonly #listener: TransactionListener;

  constructor(parts: ConstructorParameters<typeof StorageDatabase>[0], listener: TransactionListener) {
    super(parts);
    this.#listener = listener;
  }

  override createTransaction(options?: TransactionOptions): Transaction {
    return new ObservedTransaction(super.createTransaction(options), this.#listener);
  }
}

/** What a transaction may end with for reasons that its commit has been judged by. */
export const LEGAL: readonly ErrorCode[] = [
  "NOT_COMMITTED",
  "TRANSACTION_TOO_OLD",
  "COMMIT_UNKNOWN_RESULT",
  "BUSY",
  "NO_SPACE",
];

/** The storage's answers are judged where they are heard (`observed-commit.ts`). */
function ignore(): void {}

function isTimeOut(error: unknown): boolean {
  return error instanceof StillwaterError && error.code === "TRANSACTION_TIMED_OUT";
}
