/**
 * One try of a transaction: everything that a reset forgets. Its view of the storage, opened by the first read; what it has
 * written; what it has read and written as far as conflicts go; and how it ended. Ending it fails every call that is
 * still waiting. Does not own: which calls are legal when (`buffered-transaction.ts`).
 */
import type { TransactionError } from "./errors.js";
import { RangeSet } from "./range-set.js";
import type { OwnRead } from "./reads.js";
import type { Answer, StorageView, TransactionStorage } from "./storage.js";
import type { PendingWatch } from "./watch.js";
import { WriteBuffer } from "./write-buffer.js";
import { WriteConflicts } from "./write-conflicts.js";

export class Attempt {
  readonly writes = new WriteBuffer();
  readonly readConflicts = new RangeSet();
  readonly writeConflicts = new WriteConflicts(this.writes);
  readonly watches: PendingWatch[] = [];
  /** Range reads under way: what they have read so far conflicts by what is written so far. */
  readonly openRanges = new Set<{ settleConflicts(): void }>();
  /** Reads whose answer has not come. They see what was written before they were asked for. */
  readonly #reads = new Map<OwnRead, Promise<unknown>>();
  /** Why it must not commit: a read that failed, or a write that was refused for its size. */
  failure: unknown = null;
  /** Bytes of mutations and conflict ranges. */
  sizeBytes = 0;
  /** The version to read at, when the user has said so. */
  askedVersion: number | null = null;
  readonly #storage: TransactionStorage;
  #hasRead = false;
  #view: StorageView | null = null;
  #opening: Promise<StorageView> | null = null;
  #error: TransactionError | null = null;
  #rejectEnd: ((error: TransactionError) => void) | null = null;
  #end: Promise<never> | null = null;

  constructor(storage: TransactionStorage) {
    this.#storage = storage;
  }

  /** Why every call fails from now on; null while the attempt goes on. */
  get error(): TransactionError | null {
    return this.#error;
  }

  get readVersion(): number | null {
    return this.#view?.version ?? this.askedVersion;
  }

  /** The view, if a read has opened it. */
  get openedView(): StorageView | null {
    return this.#view;
  }

  get hasRead(): boolean {
    return this.#hasRead;
  }

  /** The view that all reads share. */
  view(): Answer<StorageView> {
    if (this.#view !== null) return this.#view;
    if (this.#opening !== null) return this.#opening;
    this.#hasRead = true;
    const answer = this.#storage.openView(this.askedVersion);
    if (!(answer instanceof Promise)) {
      this.#view = answer;
      return answer;
    }
    this.#opening = answer.then((view) => {
      if (this.#error !== null) {
        view.close();
        throw this.#error;
      }
      this.#view = view;
      return view;
    });
    return this.#opening;
  }

  /** To be called before each write. */
  beforeWrite(): void {
    for (const range of this.openRanges) range.settleConflicts();
    this.writeConflicts.beforeWrite();
    let before: WriteBuffer | null = null;
    for (const read of this.#reads.keys()) {
      if (read.writes !== this.writes) continue;
      before ??= this.writes.copy();
      read.writes = before;
    }
  }

  /** The answer of a read that may be under way; if it fails, so does the commit. */
  reading<T>(read: OwnRead, run: () => Answer<T>): Promise<T> {
    let answer: Answer<T>;
    try {
      answer = run();
    } catch (error) {
      this.failure ??= error;
      return Promise.reject(error);
    }
    if (!(answer instanceof Promise)) return Promise.resolve(answer);
    const done = answer.then(
      () => {
        this.#reads.delete(read);
      },
      (error: unknown) => {
        this.#reads.delete(read);
        this.failure ??= error;
      },
    );
    this.#reads.set(read, done);
    return this.orEnd(answer);
  }

  /** Resolves when all reads that were asked for have their answers. */
  async readsDone(): Promise<void> {
    while (this.#reads.size > 0) await Promise.all(this.#reads.values());
  }

  /** `promise`, or the end of the attempt if that comes first. */
  orEnd<T>(promise: Promise<T>): Promise<T> {
    if (this.#error !== null) {
      promise.catch(ignoreAfterEnd);
      return Promise.reject(this.#error);
    }
    this.#end ??= new Promise<never>((_, reject) => {
      this.#rejectEnd = reject;
    });
    return Promise.race([promise, this.#end]);
  }

  /** Fails what is waiting and all that comes. The first reason stays. */
  fail(error: TransactionError): void {
    if (this.#error !== null) return;
    this.#error = error;
    if (this.#end !== null) {
      this.#end.catch(ignoreAfterEnd);
      this.#rejectEnd?.(error);
    }
    this.closeView();
    for (const watch of this.watches) watch.fail(error);
  }

  closeView(): void {
    this.#view?.close();
    this.#view = null;
  }
}

/** The caller has been told already that the attempt ended. */
function ignoreAfterEnd(): void {}
