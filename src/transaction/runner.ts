/**
 * The retry loop: runs a body in a transaction and commits it, until it commits or fails for a reason that does not pass.
 * Owns what happens when nobody knows whether a commit took effect. Does not own how long to wait (`retry.ts`), nor which
 * errors pass (`errors.ts`).
 */
import { TransactionError } from "./errors.js";
import { ObservedTransaction } from "./observed-transaction.js";
import type { Database, ReadTransaction, Transaction } from "./transaction.js";

/** What the layers need of a database that only run transactions. */
export type Runner = Pick<Database, "transact" | "read">;

/**
 * The version of the commit whose result is unknown, if it took effect; if not, it never will. Throws when that cannot be
 * told.
 */
export type Resolver = () => Promise<number | undefined>;

/**
 * Resolves with what `body` returned in the run that was committed, as far as this process knows: when an unknown result
 * turns out to be a success, with what it returned then. `onFailed` is called before it rejects.
 */
export async function runTransaction<T>(
  transaction: Transaction,
  body: (transaction: Transaction) => Promise<T> | T,
  resolver: Resolver | null,
  onFailed: () => void = nothing,
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
        const version =
          committing !== null && resolver !== null && isUnknown(error) ? await resolved(resolver) : undefined;
        if (committing !== null && version !== undefined) {
          if (transaction instanceof ObservedTransaction) await transaction.hasCommitted(version);
          transaction.cancel();
          return committing.result;
        }
        await transaction.onError(error);
      } catch (final) {
        transaction.cancel();
        onFailed();
        throw final;
      }
    }
  }
}

/** As `runTransaction`, for bodies that only read. They see a snapshot, so nothing of theirs can conflict. */
export async function runReads<T>(
  transaction: Transaction,
  body: (transaction: ReadTransaction) => Promise<T> | T,
  onFailed: () => void = nothing,
): Promise<T> {
  try {
    for (;;) {
      try {
        const result = await body(transaction.snapshot);
        // Asks nobody, and ends it well for those who look on.
        if (transaction instanceof ObservedTransaction) await transaction.commit();
        return result;
      } catch (error) {
        await transaction.onError(error);
      }
    }
  } catch (final) {
    onFailed();
    throw final;
  } finally {
    transaction.cancel();
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof TransactionError && error.maybeCommitted;
}

async function resolved(resolver: Resolver): Promise<number | undefined> {
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

function nothing(): void {}
