/**
 * Runs a program on a database and writes down everything that can be seen of it: each answer, each error by its code, which
 * watches fired, and the rows in the end. Two databases that do the same write the same.
 */
import { setImmediate } from "node:timers/promises";
import { StillwaterError } from "../../../src/platform/errors.js";
import type { KeySelector } from "../../../src/transaction/key-selector.js";
import type {
  Database,
  KeyValue,
  ReadTransaction,
  Transaction,
} from "../../../src/transaction/transaction.js";
import { b, rows, s } from "../contract/support.js";
import { type Bound, type Operation, type Step, TRANSACTIONS } from "./program.js";

export async function runProgram(db: Database, program: readonly Step[]): Promise<string[]> {
  await db.transact((tx) => tx.clearRange(b(""), b("\xff")));
  return new ProgramRun(db).run(program);
}

interface Actor {
  readonly transaction: Transaction;
  iterator: AsyncIterator<KeyValue> | null;
  lastError: unknown;
}

class ProgramRun {
  readonly #db: Database;
  readonly #actors: Actor[];
  readonly #log: string[] = [];
  readonly #late: Promise<void>[] = [];
  readonly #watches: { readonly what: string; state: string }[] = [];
  /** Of commits, in the order in which they were told. */
  readonly #stamps: string[] = [];
  readonly #versions: number[] = [];

  constructor(db: Database) {
    this.#db = db;
    this.#actors = Array.from({ length: TRANSACTIONS }, (_, index) => ({
      transaction: db.createTransaction({
        maxRetryDelayMs: 0,
        retryLimit: 3,
        timeoutMs: 0,
        reportConflictingRanges: index % 2 === 0,
      }),
      iterator: null,
      lastError: new Error("none yet"),
    }));
  }

  async run(program: readonly Step[]): Promise<string[]> {
    for (const [index, step] of program.entries()) await this.#step(index, step);
    await Promise.all(this.#late);
    await setImmediate();
    // Of two commits at the same time one may undo the other, which a watch may notice or not.
    const isSeen = !program.some(({ operation }) => operation.kind === "commitAll");
    if (isSeen) for (const { what, state } of this.#watches) this.#log.push(`${what} ${state}`);
    for (const { transaction } of this.#actors) transaction.cancel();
    await setImmediate();
    if (isSeen) for (const { what, state } of this.#watches) this.#log.push(`${what} ${state} in the end`);
    this.#log.push(...(await this.#db.read(async (tx) => rows(await tx.getRangeAll(b(""), b("\xff"))))));
    return this.#log.map((line) => this.#withoutStamps(line));
  }

  async #step(index: number, { of, operation, late }: Step): Promise<void> {
    const actor = this.#actors[of] as Actor; // `of` is below TRANSACTIONS
    // What they interrupt would be interrupted at another place.
    if (ENDS_TRANSACTIONS.has(operation.kind)) await Promise.all(this.#late);
    const at = this.#log.length;
    this.#log.push("");
    const told = this.#do(actor, operation).then(
      (text) => text,
      (error: unknown) => {
        actor.lastError = error;
        return error instanceof StillwaterError ? error.code : `${String(error)}`;
      },
    );
    const done = told.then((text) => {
      this.#log[at] = `${index} T${of} ${JSON.stringify(operation)}: ${text}`;
    });
    this.#late.push(done);
    if (!late || !CAN_BE_LATE.has(operation.kind)) await done;
  }

  async #do(actor: Actor, operation: Operation): Promise<string> {
    const tx = actor.transaction;
    switch (operation.kind) {
      case "get":
        return String(s(await reader(tx, operation.snapshot).get(b(operation.key))));
      case "getKey":
        return String(s(await reader(tx, operation.snapshot).getKey(selector(operation.selector))));
      case "range":
        return (await all(tx, operation)).join(" ");
      case "iterate":
        actor.iterator = iterate(tx, operation);
        return "";
      case "next":
        return next(actor);
      case "leave":
        await actor.iterator?.return?.();
        actor.iterator = null;
        return "";
      case "readVersion": {
        // Which it is differs; that it is not above what commits so far have had does not.
        const version = await tx.getReadVersion();
        return String(this.#versions.filter((committed) => committed <= version).length);
      }
      case "watch":
        return this.#watch(tx, operation.key);
      case "commit":
        return this.#commit(actor);
      case "commitAll":
        // Commits that wait for reads come later than others; which of two is first would not be the same everywhere.
        await Promise.all(this.#late);
        await setImmediate();
        return (await Promise.all(this.#actors.map((one) => this.#commit(one)))).join(" ");
      case "onError":
        await tx.onError(actor.lastError);
        return "again";
      default:
        write(tx, operation);
        return "";
    }
  }

  #watch(tx: Transaction, key: string): string {
    const entry = { what: `watch ${this.#watches.length} of ${JSON.stringify(key)}`, state: "waits" };
    const watch = tx.watch(b(key));
    this.#watches.push(entry);
    watch.changed.then(
      () => {
        entry.state = "fired";
      },
      (error: StillwaterError) => {
        entry.state = error.code;
      },
    );
    return "";
  }

  async #commit(actor: Actor): Promise<string> {
    const { transaction } = actor;
    const stamp = transaction.getVersionstamp();
    stamp.catch(() => {});
    try {
      await transaction.commit();
    } catch (error) {
      actor.lastError = error;
      const ranges = transaction.getConflictingRanges().map(([begin, end]) => `[${s(begin)},${s(end)})`);
      return [(error as StillwaterError).code, ...ranges].join(" ");
    }
    const version = transaction.getCommittedVersion();
    if (version === -1) return "read only";
    this.#versions.push(version);
    this.#stamps.push(s(await stamp) as string);
    return "committed";
  }

  #withoutStamps(line: string): string {
    let text = line;
    for (const [index, stamp] of [...this.#stamps].sort().entries()) {
      text = text.replaceAll(stamp, `<stamp ${index}>`);
    }
    return text;
  }
}

/** What reads; the rest takes effect when it is called. */
const CAN_BE_LATE: ReadonlySet<Operation["kind"]> = new Set([
  "get",
  "getKey",
  "range",
  "next",
  "readVersion",
]);

const ENDS_TRANSACTIONS: ReadonlySet<Operation["kind"]> = new Set(["cancel", "reset", "onError"]);

const reader = (tx: Transaction, snapshot: boolean): ReadTransaction => (snapshot ? tx.snapshot : tx);

const selector = ({ key, orEqual, offset }: Exclude<Bound, string>): KeySelector => ({
  key: b(key),
  orEqual,
  offset,
});

const bound = (one: Bound): Uint8Array | KeySelector => (typeof one === "string" ? b(one) : selector(one));

type RangeOperation = Extract<Operation, { kind: "range" | "iterate" }>;

const optionsOf = ({ limit, reverse }: RangeOperation) => ({ reverse, ...(limit === null ? {} : { limit }) });

async function all(tx: Transaction, operation: RangeOperation): Promise<string[]> {
  const { begin, end, snapshot } = operation;
  return rows(await reader(tx, snapshot).getRangeAll(bound(begin), bound(end), optionsOf(operation)));
}

function iterate(tx: Transaction, operation: RangeOperation): AsyncIterator<KeyValue> {
  const { begin, end, snapshot } = operation;
  const range = reader(tx, snapshot).getRange(bound(begin), bound(end), optionsOf(operation));
  return range[Symbol.asyncIterator]();
}

async function next(actor: Actor): Promise<string> {
  if (actor.iterator === null) return "nothing";
  const result = await actor.iterator.next();
  return result.done === true ? "done" : (rows([result.value])[0] as string);
}

function write(tx: Transaction, operation: Operation): void {
  switch (operation.kind) {
    case "set":
      return tx.set(b(operation.key), b(operation.value));
    case "clear":
      return tx.clear(b(operation.key));
    case "clearRange":
      return tx.clearRange(b(operation.begin), b(operation.end));
    case "addReadRange":
      return tx.addReadConflictRange(b(operation.begin), b(operation.end));
    case "addWriteRange":
      return tx.addWriteConflictRange(b(operation.begin), b(operation.end));
    case "atomic":
      return tx.atomic(operation.operation, b(operation.key), b(operation.operand));
    case "stampKey":
      return tx.setVersionstampedKey(
        b(`${operation.prefix}..........`),
        operation.prefix.length,
        b(operation.value),
      );
    case "stampValue":
      return tx.setVersionstampedValue(b(operation.key), b(`..........${operation.value}`), 0);
    case "skipConflict":
      return tx.skipNextWriteConflict();
    case "reset":
      return tx.reset();
    case "cancel":
      return tx.cancel();
    case "readYourWrites":
      return tx.setOptions({ readYourWrites: operation.on });
    case "snapshotReadYourWrites":
      return tx.setOptions({ snapshotReadYourWrites: operation.on });
    default:
      throw new Error(`${operation.kind} is no write`);
  }
}
