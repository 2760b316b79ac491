/**
 * One directory operation at a time in each transaction, in the order of the calls. Programs start several at once and
 * await them together; without turns two that create the same parent would each find it missing and create it twice.
 * Operations of different transactions do not wait for each other: those meet in conflicts.
 */
import type { ReadTransaction } from "../transaction/transaction.js";
import { DirectoryError } from "./directory-errors.js";

interface Waiting {
  start(): void;
  fail(error: unknown): void;
}

/** Has a transaction exactly while an operation of it is under way, with those that wait for it. */
const queues = new WeakMap<ReadTransaction, Waiting[]>();

/**
 * Runs `operation` once those before it in the same transaction are done. When one of them fails for another reason than
 * misuse, the transaction is lost and will be begun anew: what has been waiting must not run in that, and fails as well.
 */
export function inTurn<T>(transaction: ReadTransaction, operation: () => Promise<T>): Promise<T> {
  const queue = queues.get(transaction);
  if (queue === undefined) {
    queues.set(transaction, []);
    return run(transaction, operation);
  }
  return new Promise((resolve, reject) => {
    queue.push({ start: () => resolve(run(transaction, operation)), fail: reject });
  });
}

async function run<T>(transaction: ReadTransaction, operation: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await operation();
  } catch (error) {
    if (error instanceof DirectoryError) startNext(transaction);
    else failAll(transaction, error);
    throw error;
  }
  startNext(transaction);
  return result;
}

function startNext(transaction: ReadTransaction): void {
  const next = queues.get(transaction)?.shift();
  if (next === undefined) queues.delete(transaction);
  else next.start();
}

function failAll(transaction: ReadTransaction, error: unknown): void {
  const waiting = queues.get(transaction) ?? [];
  queues.delete(transaction);
  for (const one of waiting) one.fail(error);
}
