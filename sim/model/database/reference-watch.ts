/** A watch of the reference database, from the call that asks for it to its end. */
import { TransactionError } from "../../../src/transaction/errors.js";
import type { Watch } from "../../../src/transaction/transaction.js";
import type { ReferenceDatabase, WaitingWatch } from "./reference-database.js";

export class ReferenceWatch implements Watch {
  readonly key: string;
  readonly changed: Promise<void>;
  /** What the key held for the transaction when it asked. */
  value: Uint8Array | undefined = undefined;
  readonly #database: ReferenceDatabase;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};
  #waiting: WaitingWatch | null = null;
  #forgetClose: () => void = () => {};
  #isOver = false;

  constructor(database: ReferenceDatabase, key: string) {
    this.#database = database;
    this.key = key;
    database.watches++;
    this.changed = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.changed.catch(() => {});
  }

  /** The transaction has committed. */
  start(): void {
    if (this.#isOver) return;
    this.#forgetClose = this.#database.onClose(() =>
      this.fail(new TransactionError("OPERATION_CANCELLED", "the database is closed.")),
    );
    this.#waiting = { key: this.key, value: this.value, fire: () => this.#over(this.#resolve) };
    this.#database.watch(this.#waiting);
  }

  fail(error: Error): void {
    this.#over(() => this.#reject(error));
  }

  cancel(): void {
    this.fail(new TransactionError("OPERATION_CANCELLED", "the watch was cancelled."));
  }

  #over(tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#database.watches--;
    this.#forgetClose();
    if (this.#waiting !== null) this.#database.unwatch(this.#waiting);
    tell();
  }
}
