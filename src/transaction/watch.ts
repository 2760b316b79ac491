/**
 * A watch from the call that asks for it, over the commit that starts it, to its end. Owns its promise and its place in
 * the database's limit. Does not own: noticing changes (the storage).
 */
import { TransactionError } from "./errors.js";
import { WATCHES_MAX } from "./limits.js";
import type { StorageWatch, TransactionStorage } from "./storage.js";
import type { Watch } from "./transaction.js";

export class PendingWatch implements Watch {
  readonly changed: Promise<void>;
  readonly key: Uint8Array;
  /** Resolves when it is known what the transaction saw; null once it is. */
  observed: Promise<void> | null = null;
  #value: Uint8Array | undefined = undefined;
  readonly #counter: { count: number };
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};
  #running: StorageWatch | null = null;
  #isOver = false;

  /** Throws `TOO_MANY_WATCHES`. */
  constructor(key: Uint8Array, counter: { count: number }) {
    if (counter.count >= WATCHES_MAX) {
      throw new TransactionError(
        "TOO_MANY_WATCHES",
        `${counter.count} watches are waiting already. Cancel some, or watch one key that stands for several.`,
      );
    }
    counter.count++;
    this.#counter = counter;
    this.key = new Uint8Array(key);
    this.changed = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Who never asks is not told.
    this.changed.catch(() => {});
  }

  /** What the transaction saw under the key when it asked for the watch: any other value is a change. */
  observe(value: Promise<Uint8Array | undefined>): void {
    this.observed = value.then(
      (seen) => {
        this.#value = seen;
        this.observed = null;
      },
      (error: Error) => {
        this.fail(error);
        this.observed = null;
      },
    );
  }

  /** The transaction has committed at `version`. */
  start(storage: TransactionStorage, version: number): void {
    if (this.#isOver) return;
    this.#running = storage.watch(this.key, this.#value, version);
    this.#running.changed.then(
      () => this.#over(this.#resolve),
      (error: Error) => this.fail(error),
    );
  }

  fail(error: Error): void {
    this.#over(() => this.#reject(error));
  }

  cancel(): void {
    this.#running?.cancel();
    this.fail(new TransactionError("OPERATION_CANCELLED", "the watch was cancelled."));
  }

  #over(tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#counter.count--;
    tell();
  }
}
