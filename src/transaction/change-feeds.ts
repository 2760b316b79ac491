/**
 * Change feeds for their users: registered by name for a range of keys, they hold what every later commit changes there, in
 * the order of the commits, until it is popped. Registration and what is read are ordinary transactions on the system's keys,
 * on any `Database` whose commits are recorded (`change-feed-recorder.ts`).
 *
 * Promises: reading from version v on gives each commit from v on exactly once, in order, and in the end all of them, whoever
 * commits meanwhile and however often the reader begins again behind the last version it has dealt with. Memory holds one
 * commit's changes and `READ_CHUNKS` chunks, however much is waiting.
 */
import { refuseUnknownOptions } from "../engine/options.js";
import { StillwaterError } from "../platform/errors.js";
import { mutant } from "../platform/probes.js";
import {
  type ChangeFeedMutation,
  checkFeedName,
  DEFINITIONS,
  definitionKey,
  definitionOf,
  definitionValue,
  entriesEnd,
  entriesFrom,
  type FeedDefinition,
  newestKey,
  notRegistered,
  poppedKey,
  REGISTRY_KEY,
  readMutations,
  stampOfEntryKey,
} from "./change-feed-format.js";
import { TransactionError } from "./errors.js";
import { keyBytes, keyText, keyTextAfter } from "./key-text.js";
import { checkRange, USER_KEYS_END } from "./limits.js";
import type { Runner } from "./runner.js";
import type { KeyValue, ReadTransaction, Transaction } from "./transaction.js";
import { VERSIONSTAMP_BYTES, versionOfStamp, versionstampOf } from "./versionstamp.js";

/** What one commit changed in the range of a feed. */
export interface ChangeFeedCommit {
  /** To go on behind it, read from `version + 1`. */
  readonly version: number;
  readonly versionstamp: Uint8Array;
  /** To be applied in this order. */
  readonly mutations: readonly ChangeFeedMutation[];
}

/** A change feed as it is registered. */
export interface ChangeFeedInfo {
  readonly name: string;
  readonly begin: Uint8Array;
  /** Exclusive. */
  readonly end: Uint8Array;
  /** The feed holds what was committed after this version. */
  readonly version: number;
  /** Commits below may be gone. */
  readonly poppedVersion: number;
}

/** From where a change feed is read, and whether it waits for more. */
export interface ChangeFeedReadOptions {
  /** The first version to be read. Default: the first that is there. */
  readonly from?: number;
  /** At most so many commits. */
  readonly limit?: number;
  /** At the end wait for more, until `signal` ends it. Default false: ends with what is committed now. */
  readonly wait?: boolean;
  /** Ends the reading, without an error. */
  readonly signal?: AbortSignal;
}

/** Chunks read at once: at most about a megabyte. */
const READ_CHUNKS = 16;
const SYSTEM = { accessSystemKeys: true };
const READ_OPTIONS: readonly (keyof ChangeFeedReadOptions)[] = ["from", "limit", "wait", "signal"];

/** What was committed in ranges, in order, from any version on: `database.changeFeeds`. */
export class ChangeFeeds {
  readonly #database: Runner;
  readonly #isRecording: boolean;

  constructor(database: Runner, isRecording: boolean) {
    this.#database = database;
    this.#isRecording = isRecording;
  }

  /**
   * Registers a feed of [begin, end), part of the user's keys. Doing so again is no error; with another range it is `EXISTS`.
   * What is committed after the version it resolves with is in the feed; what was there by then can be read at that version.
   */
  async create(
    name: string,
    range: { readonly begin: Uint8Array; readonly end: Uint8Array },
  ): Promise<number> {
    checkFeedName(name);
    checkRange(range.begin, range.end, USER_KEYS_END);
    if (!this.#isRecording) {
      throw new StillwaterError(
        "INVALID_ARGUMENT",
        "commits of this database are not recorded. Open it, and every other client, with changeFeeds: true.",
      );
    }
    const definition: FeedDefinition = { name, begin: range.begin, end: range.end };
    await this.#database.transact(async (transaction) => {
      const key = definitionKey(name);
      const value = await transaction.get(key);
      if (value === undefined) {
        transaction.setVersionstampedValue(key, definitionValue(definition), 0);
        // There from the start, so that who waits for more sees it go when the feed is removed.
        transaction.setVersionstampedValue(newestKey(name), new Uint8Array(VERSIONSTAMP_BYTES), 0);
        changeRegistry(transaction);
      } else if (!isSameRange(definitionOf(key, value), definition)) {
        throw new StillwaterError(
          "EXISTS",
          `there is a change feed "${name}" of another range. Choose another name.`,
        );
      }
    }, SYSTEM);
    return (await this.describe(name)).version;
  }

  /** Ends the feed and removes what it holds. Throws `CHANGE_FEED_NOT_REGISTERED`. */
  async remove(name: string): Promise<void> {
    checkFeedName(name);
    await this.#database.transact(async (transaction) => {
      await definitionIn(transaction, name);
      for (const key of [definitionKey(name), poppedKey(name), newestKey(name)]) transaction.clear(key);
      transaction.clearRange(entriesFrom(name, new Uint8Array(0)), entriesEnd(name));
      changeRegistry(transaction);
    }, SYSTEM);
  }

  /**
   * Commits below `version` are not needed any more: their room is given back, and reading from them is
   * `CHANGE_FEED_POPPED`. One clear of a range, whatever it holds.
   */
  async pop(name: string, version: number): Promise<void> {
    checkFeedName(name);
    checkVersion(version);
    await this.#database.transact(async (transaction) => {
      await definitionIn(transaction, name);
      if (version <= (await poppedIn(transaction, name))) return;
      transaction.set(poppedKey(name), versionstampOf(version));
      transaction.clearRange(
        entriesFrom(name, new Uint8Array(0)),
        entriesFrom(name, versionstampOf(mutant("T30-pop-takes-one-more") ? version + 1 : version)),
      );
    }, SYSTEM);
  }

  /** Throws `CHANGE_FEED_NOT_REGISTERED`. */
  async describe(name: string): Promise<ChangeFeedInfo> {
    checkFeedName(name);
    return this.#database.read((transaction) => infoIn(transaction, name), SYSTEM);
  }

  async list(): Promise<ChangeFeedInfo[]> {
    return this.#database.read(async (transaction) => {
      const rows = await transaction.getRangeAll(DEFINITIONS.begin, DEFINITIONS.end);
      return Promise.all(rows.map(([key, value]) => infoIn(transaction, definitionOf(key, value).name)));
    }, SYSTEM);
  }

  /**
   * The commits from a version on. Leaving the loop ends it. Throws `CHANGE_FEED_NOT_REGISTERED`, also when the feed is
   * removed meanwhile, and `CHANGE_FEED_POPPED` when what is to be read next has been popped.
   */
  read(name: string, options: ChangeFeedReadOptions = {}): AsyncIterable<ChangeFeedCommit> {
    checkFeedName(name);
    refuseUnknownOptions(options, READ_OPTIONS, "the read of a change feed");
    if (options.from !== undefined) checkVersion(options.from);
    return this.#read(name, options);
  }

  async *#read(name: string, options: ChangeFeedReadOptions): AsyncGenerator<ChangeFeedCommit, void, void> {
    const { limit = Number.POSITIVE_INFINITY, wait = false, signal } = options;
    const position = new Position(name, options.from ?? null);
    let count = 0;
    while (count < limit && !isAborted(signal)) {
      const rows = await this.#database.read((transaction) => position.rowsIn(transaction), SYSTEM);
      for (const row of rows) {
        const commit = position.take(row);
        if (commit === null) continue;
        yield commit;
        if (++count >= limit || isAborted(signal)) return;
      }
      if (rows.length === READ_CHUNKS) continue;
      if (!wait) return;
      await this.#waitForMore(position, signal);
    }
  }

  async #waitForMore(position: Position, signal: AbortSignal | undefined): Promise<void> {
    const watch = await this.#database.transact(async (transaction) => {
      if (await position.hasMoreIn(transaction)) return null;
      return transaction.watch(newestKey(position.name));
    }, SYSTEM);
    if (watch === null) return;
    const stop = (): void => watch.cancel();
    signal?.addEventListener("abort", stop, { once: true });
    if (isAborted(signal)) stop();
    try {
      await watch.changed;
    } catch (error) {
      if (!isAborted(signal)) throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }
}

/** How far a feed has been read. Entries never change, so it may go on in another transaction in the middle of a commit. */
class Position {
  readonly name: string;
  /** Null: from the first that is there. */
  #from: number | null;
  #definition: (FeedDefinition & { readonly stamp: Uint8Array }) | null = null;
  /** The last chunk that was taken, of a commit that is not complete or of the last one that was. */
  #lastKey: Uint8Array | null = null;
  #chunks: Uint8Array[] = [];

  constructor(name: string, from: number | null) {
    this.name = name;
    this.#from = from;
  }

  async rowsIn(transaction: ReadTransaction): Promise<KeyValue[]> {
    const definition = await definitionIn(transaction, this.name);
    this.#checkSame(definition);
    const popped = await poppedIn(transaction, this.name);
    this.#from = Math.max(this.#from ?? popped, versionOfStamp(definition.stamp) + 1);
    if (this.#from < popped) {
      throw new TransactionError(
        "CHANGE_FEED_POPPED",
        `version ${this.#from} of the change feed "${this.name}" has been popped, which goes up to ${popped}. ` +
          "What it held is gone: read the range itself, and the feed from that version on.",
      );
    }
    const begin =
      this.#lastKey === null ? entriesFrom(this.name, versionstampOf(this.#from)) : keyAfter(this.#lastKey);
    return transaction.getRangeAll(begin, entriesEnd(this.name), { limit: READ_CHUNKS });
  }

  /** A commit, when the row is its last. */
  take([key, value]: KeyValue): ChangeFeedCommit | null {
    this.#lastKey = key;
    this.#chunks.push(value);
    const versionstamp = stampOfEntryKey(this.name, key);
    const version = versionOfStamp(versionstamp);
    this.#from = version;
    if (value[0] !== 1) return null;
    if (mutant("T29-chunks-in-reverse")) this.#chunks.reverse();
    const mutations = readMutations(this.#definition as FeedDefinition, versionstamp, this.#chunks);
    this.#chunks = [];
    this.#from = version + 1;
    return { version, versionstamp, mutations };
  }

  /** Whether there is anything behind what was taken. Throws when the feed is not the one that was read. */
  async hasMoreIn(transaction: Transaction): Promise<boolean> {
    this.#checkSame(await definitionIn(transaction, this.name));
    const newest = await transaction.get(newestKey(this.name));
    return newest !== undefined && versionOfStamp(newest) >= (this.#from ?? 0);
  }

  /** A feed of the same name that was made anew is another one: what lies between the two is in neither. */
  #checkSame(definition: FeedDefinition & { readonly stamp: Uint8Array }): void {
    const before = this.#definition;
    this.#definition = definition;
    if (before !== null && Buffer.compare(before.stamp, definition.stamp) !== 0)
      throw notRegistered(this.name);
  }
}

async function definitionIn(
  transaction: ReadTransaction,
  name: string,
): Promise<FeedDefinition & { readonly stamp: Uint8Array }> {
  const key = definitionKey(name);
  const value = await transaction.get(key);
  if (value === undefined) throw notRegistered(name);
  return definitionOf(key, value);
}

async function poppedIn(transaction: ReadTransaction, name: string): Promise<number> {
  const value = await transaction.get(poppedKey(name));
  return value === undefined ? 0 : versionOfStamp(value);
}

async function infoIn(transaction: ReadTransaction, name: string): Promise<ChangeFeedInfo> {
  const { begin, end, stamp } = await definitionIn(transaction, name);
  return {
    name,
    begin,
    end,
    version: versionOfStamp(stamp),
    poppedVersion: await poppedIn(transaction, name),
  };
}

/** Commits that look which feeds there are conflict with this. */
function changeRegistry(transaction: Transaction): void {
  transaction.setVersionstampedValue(REGISTRY_KEY, new Uint8Array(VERSIONSTAMP_BYTES), 0);
}

function isSameRange(a: FeedDefinition, b: FeedDefinition): boolean {
  return Buffer.compare(a.begin, b.begin) === 0 && Buffer.compare(a.end, b.end) === 0;
}

function checkVersion(version: number): void {
  if (Number.isSafeInteger(version) && version >= 0) return;
  throw new TransactionError("VERSION_INVALID", `${version} is no version: a whole number of at least 0.`);
}

/** A function, since it changes while others wait. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function keyAfter(key: Uint8Array): Uint8Array {
  return keyBytes(keyTextAfter(keyText(key)));
}
