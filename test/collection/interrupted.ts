/** What interrupts a process that uses a database: it dies when its nth transaction is done. */
import type { RecordWorld } from "../../src/collection/shared-store.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { Database } from "../../src/transaction/transaction.js";

export class Died extends Error {}

export interface Mortal extends Database {
  /** Transactions so far that may have written. */
  readonly transactions: number;
}

/** Dies when its `at`th transaction is done. */
export function mortal(database: Database, at = Number.POSITIVE_INFINITY): Mortal {
  let transactions = 0;
  let isDead = false;
  const die = (): never => {
    isDead = true;
    throw new Died("the process is dead");
  };
  const living = () => {
    if (isDead) die();
  };
  return {
    get transactions() {
      return transactions;
    },
    createTransaction: (options) => {
      living();
      return database.createTransaction(options);
    },
    async transact(body, options) {
      living();
      const own = ++transactions;
      const result = await database.transact((transaction) => {
        living();
        return body(transaction);
      }, options);
      if (own === at) die();
      living();
      return result;
    },
    async read(body, options) {
      living();
      const result = await database.read(body, options);
      living();
      return result;
    },
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

/** A world in which time passes for those alone who wait, and then at once. */
export function hastyWorld(): RecordWorld {
  let nowMs = 0;
  return {
    ...nodePlatform(),
    clock: { nowMs: () => nowMs, wallMs: () => nowMs },
    scheduler: {
      defer: (task) => void setImmediate(task),
      after(delayMs, task, keepsAlive = false) {
        if (!keepsAlive) return { cancel() {} };
        const timer = setImmediate(() => {
          nowMs += delayMs;
          task();
        });
        return { cancel: () => clearImmediate(timer) };
      },
    },
  };
}
