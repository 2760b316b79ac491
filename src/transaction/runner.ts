/**
 * The retry loop: runs a body in a transaction and commits it, until it commits or fails for a reason that does not pass.
 * Owns what happens when nobody knows whether a commit took effect. Does not own how long to wait (`retry.ts`), nor which
 * errors pass (`errors.ts`).
 */
import { TransactionError } from "./errors.js";
import type { Transaction } from "./transaction.js";

/** Whether a commit with an unknown result took effect. After "no" it never will. Throws when that cannot be told. */
export type Resolver = () => Promise<boolean>;

/**
 * Resolves with what `body` returned in the run that was committed, as far as this process knows: when an unknown result
 * turns out to be a success, with what it returned then.
 */
export async function runTransaction<T>(
  transaction: Transaction,
  body: (transaction: Transaction) => Promise<T> | T,
  resolver: Resolver | null,
): Promise<T> {
  for (;;) {
    let committing: { readonly result: T } | null = null;
    try {
      const result = await body(transaction);
      committing = { result };
      await transaction.commit();
      return result;
    } catch (error) {
      try {
        if (committing !== null && resolver !== null && isUnknown(error) && (await tookEffect(resolver))) {
          transaction.cancel();
          return committing.result;
        }
        await transaction.onError(error);
      } catch (final) {
        transaction.cancel();
        throw final;
      }
    }
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof TransactionError && error.maybeCommitted;
}

async function tookEffect(resolver: Resolver): Promise<boolean> {
  try {
    return await resolver();
  } catch (error) {
    throw new TransactionError(
      "COMMIT_UNKNOWN_RESULT",
      `no answer came to the commit, and whether it took effect cannot be found out now: ${String(error)} ` +
        "Run the transaction again with the same idempotency key once the database can be reached or has been reopened.",
      { cause: error },
    );
  }
}
