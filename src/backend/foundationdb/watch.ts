/** A watch of the cluster's. Owns that it ends once, and as ours do. */
import { TransactionError } from "../../transaction/errors.js";
import type { Watch } from "../../transaction/transaction.js";
import type { FdbWatch } from "./client.js";
import { translated } from "./errors.js";

export class FoundationWatch implements Watch {
  readonly changed: Promise<void>;
  readonly #native: FdbWatch;
  #reject: (error: unknown) => void = () => {};

  constructor(native: FdbWatch) {
    this.#native = native;
    this.changed = new Promise((resolve, reject) => {
      this.#reject = reject;
      native.promise.then(
        (hasChanged) => (hasChanged ? resolve() : reject(over())),
        (error: unknown) => reject(translated(error)),
      );
    });
    // Who never asks is not told.
    this.changed.catch(() => {});
  }

  cancel(): void {
    this.#reject(over());
    this.#native.cancel();
  }

  /** Its transaction will not commit. */
  fail(error: Error): void {
    this.#reject(error);
    this.#native.cancel();
  }
}

function over(): TransactionError {
  return new TransactionError("OPERATION_CANCELLED", "the watch was cancelled.");
}
