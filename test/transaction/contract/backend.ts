/**
 * What the contract needs of a backend, and how a case is made of a name and a body. A backend runs bodies on an empty
 * database, and lists what it documents not to do: there, a case that needs it asserts the typed error instead.
 */
import { expect, test } from "vitest";
import type { ErrorCode } from "../../../src/platform/errors.js";
import type { TransactionOptions } from "../../../src/transaction/options.js";
import type { Database } from "../../../src/transaction/transaction.js";
import { b, fails } from "./support.js";

export interface ContractBackend {
  readonly name: string;
  /** The code with which each thing that it does not do is refused. */
  readonly limits?: Readonly<Partial<Record<Capability, ErrorCode>>>;
  /** Runs a case on a database without user keys. In it, nothing is awaited but promises of the database. */
  run(body: CaseBody, setting?: CaseSetting): Promise<void>;
}

export type CaseBody = (db: Database) => Promise<void>;

export interface CaseSetting {
  /** The case closes its database: it gets one of its own. */
  readonly closes?: boolean;
  /** Options of the database's transactions: it gets one of its own. */
  readonly transactions?: TransactionOptions;
}

export interface CaseOptions extends CaseSetting {
  readonly needs?: Capability;
}

/** What a backend may not be able to do, with the smallest use of it: it must reject where the backend lists a limit. */
const CAPABILITIES = {
  versionstampedKeys: (db) => db.transact((tx) => tx.setVersionstampedKey(b("k0123456789"), 1, b(""))),
  versionstampedValues: (db) => db.transact((tx) => tx.setVersionstampedValue(b("k"), b("0123456789"), 0)),
  /** Changing a value without a conflict with who does it at the same time. */
  atomicOperations: (db) => db.transact((tx) => tx.atomic("add", b("k"), b("1"))),
  readConflictRanges: (db) =>
    db.transact((tx) => {
      tx.addReadConflictRange(b("a"), b("c"));
      tx.set(b("k"), b(""));
    }),
  writeConflictRanges: (db) => db.transact((tx) => tx.addWriteConflictRange(b("a"), b("c"))),
  conflictReport: async (db) => {
    db.createTransaction({ reportConflictingRanges: true }).cancel();
  },
  watches: (db) =>
    db.transact((tx) => {
      tx.watch(b("k"));
    }),
  /** Reading at a version that another transaction has read at. */
  chosenReadVersions: (db) =>
    db.transact(async (tx) => {
      tx.setReadVersion(await db.read((other) => other.getReadVersion()));
      await tx.get(b("k"));
    }),
  systemKeys: async (db) => {
    db.createTransaction({ accessSystemKeys: true }).cancel();
  },
  /** Commits that are remembered under a key of their caller. */
  idempotencyKeys: (db) => db.transact((tx) => tx.set(b("k"), b("")), { idempotencyKey: b("key") }),
  /** Up to FoundationDB's limit of ten million bytes. */
  largeTransactions: (db) =>
    db.transact((tx) => {
      for (let i = 0; i < 90; i++) tx.set(b(`large/${i}`), new Uint8Array(100_000));
    }),
} as const satisfies Record<string, (db: Database) => Promise<void>>;

export type Capability = keyof typeof CAPABILITIES;

export type ContractCase = (name: string, body: CaseBody, options?: CaseOptions) => void;

/** Defines tests that run their bodies on `backend`. */
export function casesOn(backend: ContractBackend): ContractCase {
  return (name, body, { needs, ...setting } = {}) => {
    const limit = needs === undefined ? undefined : backend.limits?.[needs];
    if (needs === undefined || limit === undefined) {
      test(name, () => backend.run(body, setting));
      return;
    }
    test(`${name} — not here: ${needs} fails with ${limit}`, () =>
      backend.run(async (db) => {
        // An async function, so that an error that is thrown at once counts as well.
        const use = async (): Promise<void> => CAPABILITIES[needs](db);
        await expect(use()).rejects.toEqual(fails(limit));
      }, setting));
  };
}

/** `run` over one database for all cases that need none of their own, emptied before each. */
export class SharedDatabase {
  readonly #open: (options: TransactionOptions) => Promise<Database>;
  #shared: Promise<Database> | null = null;

  constructor(open: (options: TransactionOptions) => Promise<Database>) {
    this.#open = open;
  }

  async run(body: CaseBody, setting: CaseSetting = {}): Promise<void> {
    const isOwn = setting.closes === true || setting.transactions !== undefined;
    if (!isOwn) this.#shared ??= this.#open({});
    const db = isOwn
      ? await this.#open(setting.transactions ?? {})
      : await (this.#shared as Promise<Database>);
    await db.transact((tx) => tx.clearRange(b(""), b("\xff")));
    try {
      await body(db);
    } finally {
      if (isOwn) await db.close();
    }
  }

  /** After the last case. */
  async close(): Promise<void> {
    await (await this.#shared)?.close();
  }
}
