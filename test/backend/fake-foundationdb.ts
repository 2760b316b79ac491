/**
 * The structural interface of npm's `foundationdb` over our own engine, with the habits of the native client that differ from
 * ours: errors are numbers, versions are eight bytes, a limit of 0 is none, range reads come in pieces, a versionstamp's
 * place stands behind its key, options are forgotten by a reset, a conflict is told under special keys. So it shows whether
 * the adapter translates; what a cluster does is not its business.
 */
import type {
  FdbDatabase,
  FdbModule,
  FdbRows,
  FdbTransaction,
  FdbWatch,
} from "../../src/backend/foundationdb/client.js";
import { ATOMIC_OPERATIONS, type AtomicOperation } from "../../src/transaction/atomic.js";
import { ConflictError, errorOfNumber, TransactionError } from "../../src/transaction/errors.js";
import type { TransactionOptions } from "../../src/transaction/options.js";
import type { Database, Transaction } from "../../src/transaction/transaction.js";

class FDBError extends Error {
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/** Nothing is limited unless an option says so. */
const NATIVE_DEFAULTS: TransactionOptions = { timeoutMs: 0, retryLimit: -1, idempotent: true };

const CONFLICTING_KEYS = "\xff\xff/transaction/conflicting_keys/";
const ROWS_PER_PIECE = 7;

/** `versions`: every API version that was asked for. */
export function fakeFoundationdb(below: Database, versions: number[] = []): FdbModule {
  return {
    setAPIVersion: (version) => {
      versions.push(version);
    },
    open: (): FdbDatabase => ({
      _db: { createTransaction: () => new FakeTransaction(below) },
      close: () => {},
    }),
  };
}

class FakeTransaction implements FdbTransaction {
  readonly #transaction: Transaction;
  #options: Record<string, unknown> = {};
  #lastError: TransactionError | null = null;

  constructor(below: Database) {
    this.#transaction = below.createTransaction(NATIVE_DEFAULTS);
  }

  setOption(code: number, value: string | number | Buffer | null): void {
    if (code === 30) {
      this.#transaction.skipNextWriteConflict();
      return;
    }
    const flag = FLAGS[code];
    const name = NUMBERS[code];
    const options = { ...this.#options };
    if (flag !== undefined && value === null) Object.assign(options, flag);
    else if (name !== undefined && Number.isInteger(value)) options[name] = value;
    else throw new FDBError("Option or value is not valid", 2006);
    try {
      this.#transaction.setOptions(options);
    } catch (error) {
      throw error instanceof TransactionError ? new FDBError(error.message, error.fdbCode) : error;
    }
    this.#options = options;
  }

  commit(): Promise<void> {
    return this.#native(this.#transaction.commit());
  }

  reset(): void {
    this.#options = {};
    this.#transaction.reset();
  }

  cancel(): void {
    this.#transaction.cancel();
  }

  async onError(code: number): Promise<void> {
    const error = this.#lastError?.fdbCode === code ? this.#lastError : errorOfNumber(code, "given");
    await this.#native(this.#transaction.onError(error ?? new FDBError("unknown", code)));
  }

  async get(key: Buffer, isSnapshot: boolean): Promise<Buffer | undefined> {
    const value = await this.#native(this.#reads(isSnapshot).get(key));
    return value && Buffer.from(value);
  }

  async getKey(key: Buffer, orEqual: boolean, offset: number, isSnapshot: boolean): Promise<Buffer> {
    return Buffer.from(await this.#native(this.#reads(isSnapshot).getKey({ key, orEqual, offset })));
  }

  async getRange(
    ...[
      begin,
      beginOrEqual,
      beginOffset,
      end,
      endOrEqual,
      endOffset,
      limit,
      bytes,
      mode,
      iteration,
      isSnapshot,
      reverse,
    ]: Parameters<FdbTransaction["getRange"]>
  ): Promise<FdbRows> {
    if (begin.toString("latin1") === CONFLICTING_KEYS) return this.#conflictingKeys();
    if (mode === 0 && limit === 0) throw new FDBError("Exact streaming mode requires limits", 2210);
    if (bytes !== 0 || (mode === -1 && iteration < 1)) throw new FDBError("Invalid API call", 2000);
    const most = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    const piece = mode === -2 || mode === 0 ? most : Math.min(most, ROWS_PER_PIECE);
    const rows = await this.#native(
      this.#reads(isSnapshot).getRangeAll(
        { key: begin, orEqual: beginOrEqual, offset: beginOffset },
        { key: end, orEqual: endOrEqual, offset: endOffset },
        { limit: piece, reverse },
      ),
    );
    const results = rows.map(([key, value]): [Buffer, Buffer] => [Buffer.from(key), Buffer.from(value)]);
    return { results, more: rows.length === piece };
  }

  set(key: Buffer, value: Buffer): void {
    this.#transaction.set(key, value);
  }

  clear(key: Buffer): void {
    this.#transaction.clear(key);
  }

  clearRange(begin: Buffer, end: Buffer): void {
    this.#transaction.clearRange(begin, end);
  }

  atomicOp(type: number, key: Buffer, operand: Buffer): void {
    const split = (bytes: Buffer): [Buffer, number] => [
      bytes.subarray(0, -4),
      bytes.readUInt32LE(bytes.length - 4),
    ];
    if (type === 14) this.#transaction.setVersionstampedKey(...split(key), operand);
    else if (type === 15) this.#transaction.setVersionstampedValue(key, ...split(operand));
    else {
      const named = Object.entries(ATOMIC_OPERATIONS).find(([, number]) => number === type);
      if (named === undefined) throw new FDBError("Invalid mutation type", 2018);
      this.#transaction.atomic(named[0] as AtomicOperation, key, operand);
    }
  }

  watch(key: Buffer): FdbWatch {
    const watch = this.#transaction.watch(key);
    return { cancel: () => watch.cancel(), promise: this.#native(watch.changed).then(() => true) };
  }

  addReadConflictRange(begin: Buffer, end: Buffer): void {
    this.#transaction.addReadConflictRange(begin, end);
  }

  addWriteConflictRange(begin: Buffer, end: Buffer): void {
    this.#transaction.addWriteConflictRange(begin, end);
  }

  setReadVersion(version: Buffer): void {
    this.#transaction.setReadVersion(Number(version.readBigInt64BE()));
  }

  async getReadVersion(): Promise<Buffer> {
    return bytes(await this.#native(this.#transaction.getReadVersion()));
  }

  getCommittedVersion(): Buffer {
    return bytes(this.#transaction.getCommittedVersion());
  }

  async getVersionstamp(): Promise<Buffer> {
    return Buffer.from(await this.#native(this.#transaction.getVersionstamp()));
  }

  #reads(isSnapshot: boolean): Transaction["snapshot"] {
    return isSnapshot ? this.#transaction.snapshot : this.#transaction;
  }

  #conflictingKeys(): FdbRows {
    const results = this.#transaction.getConflictingRanges().flatMap(([begin, end]): [Buffer, Buffer][] => [
      [Buffer.concat([Buffer.from(CONFLICTING_KEYS, "latin1"), begin]), Buffer.from("1")],
      [Buffer.concat([Buffer.from(CONFLICTING_KEYS, "latin1"), end]), Buffer.from("0")],
    ]);
    return { results, more: false };
  }

  async #native<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      if (!(error instanceof TransactionError)) throw error;
      this.#lastError = error instanceof ConflictError ? new ConflictError(error.ranges) : error;
      throw new FDBError(error.message, error.fdbCode);
    }
  }
}

const FLAGS: Readonly<Record<number, TransactionOptions>> = {
  51: { readYourWrites: false },
  200: { priority: "system" },
  201: { priority: "batch" },
  301: { accessSystemKeys: true },
  600: { snapshotReadYourWrites: true },
  601: { snapshotReadYourWrites: false },
  712: { reportConflictingRanges: true },
};

const NUMBERS: Readonly<Record<number, keyof TransactionOptions>> = {
  500: "timeoutMs",
  501: "retryLimit",
  502: "maxRetryDelayMs",
  503: "sizeLimitBytes",
};

function bytes(version: number): Buffer {
  const all = Buffer.alloc(8);
  all.writeBigInt64BE(BigInt(version));
  return all;
}
