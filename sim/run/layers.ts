/**
 * The clients of the workloads about layers above the storage: one database a life, which all of them share, as a process
 * does. They commit under idempotency keys, or beside change feeds that come and go; what layers promise is asked after each
 * recovery and with each comparison of the whole store. Does not own: what is right (`oracles/exactly-once.ts`,
 * `oracles/change-feeds.ts`), what the store is told (`observed-commit.ts`).
 */
import { hasCode, StillwaterError } from "../../src/platform/errors.js";
import type { ChangeFeedCommit, ChangeFeedInfo } from "../../src/transaction/change-feeds.js";
import type { TransactionOptions } from "../../src/transaction/options.js";
import type { Row } from "../model/comparison.js";
import { checkFeed } from "../oracles/change-feeds.js";
import { ExactlyOnce } from "../oracles/exactly-once.js";
import { OracleFailure } from "../oracles/failure.js";
import { runStep } from "../transactions/steps.js";
import { keyBytes, keyText } from "../workload/bytes.js";
import type { TransactionStep } from "../workload/transaction-steps.js";
import {
  type ClientOperation,
  type LayerClients,
  openSharedDatabase,
  type SharedDatabase,
} from "./layer-clients.js";
import { DamageFound, type Session } from "./session.js";
import { think } from "./think.js";
import { LEGAL, type Transact, type Transactor } from "./transactor.js";

type FeedStep = Extract<TransactionStep, readonly ["feed", ...unknown[]]>;

/** The shortest that there is. */
const WINDOW_MS = 10_000;
/** Keys that are looked for at a time. */
const KEYS_FOUND = 8;
const ANSWERS_LOST = 0.1;
/** One of everything, one whose bounds lie among the keys. */
const FEED_RANGES = [
  ["k/", "t"],
  ["k/b", "k/d\0"],
] as const;
const EIGHTHS = 8;

export class Layers implements LayerClients {
  readonly #transactor: Transactor;
  readonly #session: Session;
  readonly #once: ExactlyOnce;
  #opened: SharedDatabase | null = null;
  /** Of the operation that began last: commits are told under it. */
  #number = 0;
  /** Time that the store was open in earlier lives, as far as anything was seen of it, and the last look in this one. */
  #earlierMs = 0;
  #beganMs = 0;
  #seenMs = 0;

  constructor(transactor: Transactor) {
    this.#transactor = transactor;
    this.#session = transactor.session;
    this.#once = new ExactlyOnce(transactor.session.ledger, WINDOW_MS);
  }

  opened(): void {
    this.#opened = null;
    this.#earlierMs += this.#seenMs - this.#beganMs;
    this.#beganMs = this.#session.life.platform.clock.nowMs();
    this.#seenMs = this.#beganMs;
    this.lost(this.#transactor.model.newestVersion);
  }

  closing(): void {}

  async settle(): Promise<void> {}

  lost(version: number): void {
    this.#once.lost(version);
  }

  taken(version: number, idempotencyKey: string | null): void {
    if (idempotencyKey !== null) this.#once.taken(idempotencyKey, version, this.#openMs());
  }

  checkRows(rows: readonly Row[], when: string): void {
    if (this.#session.options.workload === "idempotency")
      this.#once.checkRows(rows, this.#session.store.version, when);
  }

  begin(operation: ClientOperation, number: number): void {
    if (operation.kind !== "transact") return;
    this.#number = number;
    const { inFlight } = this.#session;
    const [first] = operation.steps;
    const what = `transaction of operation ${number}`;
    if (first?.[0] === "feed") {
      inFlight.add(what, this.#callFeed(first), ignore, (error) => this.#failed(error, what, FEED_ERRORS));
      return;
    }
    const { idempotencyKey: key } = operation;
    const steps = key === undefined ? operation.steps : this.#once.sends(key, operation.steps);
    inFlight.add(
      what,
      this.#transact(operation, steps),
      () => (key === undefined ? undefined : this.#once.acknowledged(key, what)),
      (error) => this.#failed(error, what, []),
    );
  }

  async check(when: string): Promise<void> {
    const session = this.#session;
    if (session.options.workload === "idempotency") {
      for (const key of this.#once.newestKeys(KEYS_FOUND)) {
        await session.retrying(`looking for "${key}" ${when}`, async () => {
          const { database, store } = this.#open();
          const visible = store.version;
          const found = await database.findCommit(keyBytes(key));
          this.#once.checkFound(key, found, visible, this.#openMs());
        });
      }
      return;
    }
    const part = session.world.choices.stream("clients").below(EIGHTHS + 1, "clients.feed-part");
    await session.retrying(`reading change feeds ${when}`, async () => {
      const open = this.#open();
      for (const { name } of await open.database.changeFeeds.list()) {
        for (const at of [0, part]) await this.#readFeed(open, name, at).catch(unlessFeedError);
      }
    });
  }

  #transact(operation: Transact, steps: readonly TransactionStep[]): Promise<void> {
    const { idempotencyKey, durability } = operation;
    // A store without durability has none to choose from.
    const isFree = this.#session.storeOptions.durability !== "none";
    const options: TransactionOptions = {
      ...(durability === undefined || !isFree ? {} : { durability }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey: keyBytes(idempotencyKey) }),
    };
    const { random } = this.#session.life.platform;
    const turn = (): Promise<void> => think(this.#session);
    return this.#open().database.transact(async (transaction) => {
      for (const step of steps) {
        await turn();
        await runStep(transaction, step, turn, ignore, random);
      }
      await turn();
    }, options);
  }

  async #callFeed([, how, feed, part]: FeedStep): Promise<void> {
    const open = this.#open();
    const { changeFeeds } = open.database;
    const range = FEED_RANGES[feed % FEED_RANGES.length] as (typeof FEED_RANGES)[number]; // it is not empty
    const name = `feed ${feed}`;
    await think(this.#session);
    switch (how) {
      case "create":
        await changeFeeds.create(name, { begin: keyBytes(range[0]), end: keyBytes(range[1]) });
        return;
      case "remove":
        return changeFeeds.remove(name);
      case "pop": {
        const info = await changeFeeds.describe(name);
        await think(this.#session);
        return changeFeeds.pop(name, placeIn(info, open.store.version, part));
      }
      case "read":
        return this.#readFeed(open, name, part);
    }
  }

  /** Reads from the first version that is there, or from a later one, to the end. */
  async #readFeed(open: SharedDatabase, name: string, part: number): Promise<void> {
    const { ledger } = this.#session;
    const { store } = open;
    const { changeFeeds } = open.database;
    const before = await changeFeeds.describe(name);
    const visible = store.version;
    const from = placeIn(before, visible, part);
    const commits: ChangeFeedCommit[] = [];
    for await (const commit of changeFeeds.read(name, part === 0 ? {} : { from })) commits.push(commit);
    const after = await changeFeeds.describe(name);
    // Made anew meanwhile: what was read is a part of each.
    if (after.version !== before.version) return;
    // Without a place to begin at, it begins where it has been popped by then.
    if (part === 0 && after.poppedVersion !== before.poppedVersion) return;
    const [begin, end] = [keyText(before.begin), keyText(before.end)];
    checkFeed(ledger, this.#transactor.model, { name, begin, end, from, visible, commits });
    await this.#readPopped(open, after);
  }

  /** What has been popped is refused, and never comes. */
  async #readPopped(
    { database }: SharedDatabase,
    { name, version, poppedVersion }: ChangeFeedInfo,
  ): Promise<void> {
    const from = poppedVersion - 1;
    if (from <= version) return;
    this.#session.ledger.count("O34");
    try {
      for await (const commit of database.changeFeeds.read(name, { from, limit: 1 })) {
        const { version: read } = commit;
        if ((await database.changeFeeds.describe(name)).version !== version) return;
        throw new OracleFailure(
          "O34",
          `the change feed "${name}" gives ${read}, popped up to ${poppedVersion}`,
        );
      }
    } catch (error) {
      if (hasCode(error, "CHANGE_FEED_POPPED")) return;
      throw error;
    }
    const again = await database.changeFeeds.describe(name);
    if (again.version !== version) return;
    throw new OracleFailure(
      "O34",
      `the change feed "${name}" reads from ${from}, popped up to ${poppedVersion}`,
    );
  }

  #failed(error: unknown, what: string, also: readonly string[]): void {
    const session = this.#session;
    if (error instanceof StillwaterError && also.includes(error.code)) return;
    const legal = session.closing ? [...LEGAL, "CLOSED" as const] : LEGAL;
    if (session.judge(error, what, legal) === "damage") throw new DamageFound(what);
  }

  #open(): SharedDatabase {
    if (this.#opened !== null) return this.#opened;
    const choices = this.#session.world.choices.stream("clients");
    this.#opened = openSharedDatabase(this.#transactor, {
      // Neither clients nor checks have a time limit: think times are long.
      settings: { idempotencyWindowMs: WINDOW_MS, transactions: { timeoutMs: 0 } },
      operation: () => this.#number,
      losesAnswer: ({ options }) =>
        options.idempotencyKey !== undefined && choices.chance(ANSWERS_LOST, "clients.answer-lost"),
    });
    return this.#opened;
  }

  /** For how long the store has been open in all. */
  #openMs(): number {
    this.#seenMs = this.#session.life.platform.clock.nowMs();
    return this.#earlierMs + this.#seenMs - this.#beganMs;
  }
}

const FEED_ERRORS: readonly string[] = ["CHANGE_FEED_NOT_REGISTERED", "CHANGE_FEED_POPPED"];

/** So many eighths of the way from the first version that a feed holds to behind the newest. */
function placeIn({ version, poppedVersion }: ChangeFeedInfo, newest: number, part: number): number {
  const first = Math.max(version + 1, poppedVersion);
  return first + Math.floor((Math.max(0, newest + 1 - first) * part) / EIGHTHS);
}

/** Somebody else may pop a feed or remove it while it is being read. */
function unlessFeedError(error: unknown): void {
  if (error instanceof StillwaterError && FEED_ERRORS.includes(error.code)) return;
  throw error;
}

function ignore(): void {}
