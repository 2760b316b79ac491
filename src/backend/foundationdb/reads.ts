/** The reads of a transaction on a cluster, with conflicts or, as snapshot reads, without. */
import { TransactionError } from "../../transaction/errors.js";
import { firstGreaterOrEqual, firstGreaterThan, type KeySelector } from "../../transaction/key-selector.js";
import { checkRangeEnd, checkReadKey } from "../../transaction/limits.js";
import { checkRangeOptions } from "../../transaction/reads.js";
import type {
  KeyValue,
  RangeBound,
  RangeOptions,
  ReadTransaction,
  StreamingMode,
} from "../../transaction/transaction.js";
import { type FdbTransaction, STREAMING_MODE } from "./client.js";
import { translated } from "./errors.js";
import { versionOf } from "./versions.js";

/** The client has 32 bits for it. */
const LIMIT_MAX = 2 ** 31 - 1;

/** What reads need to know of their transaction. */
export interface ReadingTransaction {
  /** The native transaction. Throws when reads are not legal now. */
  useForRead(): FdbTransaction;
  /** The first key that may not be read. */
  readonly keysEnd: Uint8Array;
  /** Changes when it begins anew. */
  readonly tries: number;
}

export class FoundationReads implements ReadTransaction {
  readonly #transaction: ReadingTransaction;
  readonly #isSnapshot: boolean;

  constructor(transaction: ReadingTransaction, isSnapshot: boolean) {
    this.#transaction = transaction;
    this.#isSnapshot = isSnapshot;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const native = this.#transaction.useForRead();
    checkReadKey(key, this.#transaction.keysEnd);
    const value = await answered(native.get(bufferOf(key), this.#isSnapshot));
    return value === undefined ? undefined : new Uint8Array(value);
  }

  async getKey({ key, orEqual, offset }: KeySelector): Promise<Uint8Array> {
    const native = this.#transaction.useForRead();
    checkRangeEnd(key, this.#transaction.keysEnd);
    return new Uint8Array(await answered(native.getKey(bufferOf(key), orEqual, offset, this.#isSnapshot)));
  }

  getRange(begin: RangeBound, end: RangeBound, options: RangeOptions = {}): AsyncIterable<KeyValue> {
    const { limit, isReverse } = checkRangeOptions(options);
    this.#transaction.useForRead();
    const mode = modeOf(options.streamingMode ?? "iterator", limit);
    return this.#rows(this.#transaction.tries, this.#bound(begin), this.#bound(end), limit, isReverse, mode);
  }

  async getRangeAll(begin: RangeBound, end: RangeBound, options: RangeOptions = {}): Promise<KeyValue[]> {
    const { limit, isReverse } = checkRangeOptions(options);
    this.#transaction.useForRead();
    const mode = modeOf(options.streamingMode ?? "wantAll", limit);
    const [from, to] = [this.#bound(begin), this.#bound(end)];
    const rows: KeyValue[] = [];
    for await (const row of this.#rows(this.#transaction.tries, from, to, limit, isReverse, mode))
      rows.push(row);
    return rows;
  }

  async getReadVersion(): Promise<number> {
    const native = this.#transaction.useForRead();
    return versionOf(await answered(native.getReadVersion()));
  }

  async *#rows(
    tries: number,
    begin: KeySelector,
    end: KeySelector,
    limit: number,
    isReverse: boolean,
    mode: number,
  ): AsyncGenerator<KeyValue> {
    let from = begin;
    let to = end;
    let left = limit;
    // To the client a limit of 0 is none.
    for (let iteration = 1; left > 0; iteration++) {
      const { results, more } = await answered(
        this.#goOn(tries).getRange(
          bufferOf(from.key),
          from.orEqual,
          from.offset,
          bufferOf(to.key),
          to.orEqual,
          to.offset,
          left === Number.POSITIVE_INFINITY ? 0 : Math.min(left, LIMIT_MAX),
          0,
          mode,
          iteration,
          this.#isSnapshot,
          isReverse,
        ),
      );
      for (const [key, value] of results) {
        if (this.#transaction.tries !== tries) throw outlived();
        yield [new Uint8Array(key), new Uint8Array(value)];
      }
      const last = results[results.length - 1]?.[0];
      left -= results.length;
      if (!more || last === undefined) return;
      if (isReverse) to = firstGreaterOrEqual(last);
      else from = firstGreaterThan(last);
    }
  }

  /** The native transaction, if it is still in the try in which the rows were asked for. */
  #goOn(tries: number): FdbTransaction {
    const native = this.#transaction.useForRead();
    if (this.#transaction.tries !== tries) throw outlived();
    return native;
  }

  /** Checked, and a copy: the rows may be asked for later. */
  #bound(bound: RangeBound): KeySelector {
    const selector = bound instanceof Uint8Array ? firstGreaterOrEqual(bound) : bound;
    checkRangeEnd(selector.key, this.#transaction.keysEnd);
    return { ...selector, key: new Uint8Array(selector.key) };
  }
}

function outlived(): TransactionError {
  return new TransactionError(
    "TRANSACTION_CANCELLED",
    "the range read is of an earlier try of the transaction.",
  );
}

/** The answer, or the error as one of ours. */
export async function answered<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw translated(error);
  }
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** "exact" means as many rows as the limit; without one the client refuses it. */
function modeOf(mode: StreamingMode, limit: number): number {
  if (mode === "exact" && limit === Number.POSITIVE_INFINITY) return STREAMING_MODE.wantAll;
  return STREAMING_MODE[mode];
}
