/**
 * Clients of something that stands above the storage and adds keys of its own to commits: one database a life, which all of them
 * share, as a process does. What they hear of the run, and how that database is made. Does not own: what clients do
 * (`layers.ts`, `records.ts`).
 */

import type { DatabaseSettings } from "../../src/transaction/database.js";
import { StorageDatabase } from "../../src/transaction/database.js";
import type { CommitRequest } from "../../src/transaction/storage.js";
import type { Row } from "../model/comparison.js";
import { AttemptLog } from "../transactions/attempt-log.js";
import type { ObservedStore } from "../transactions/observed-storage.js";
import { WholeStorage } from "../transactions/whole-storage.js";
import { keyText } from "../workload/bytes.js";
import type { Operation } from "../workload/operation.js";
import { ObservedCommit } from "./observed-commit.js";
import type { Transactor } from "./transactor.js";

export type ClientOperation = Extract<Operation, { kind: "transact" | "records" }>;

export interface LayerClients {
  /** A store was opened, and the model knows what is left. */
  opened(): void;
  /** Before the store closes. */
  closing(): void;
  /** Commits above this version have never been. */
  lost(version: number): void;
  /** The storage takes a commit now. */
  taken(version: number, idempotencyKey: string | null): void;
  /** All that is in the store. */
  checkRows(rows: readonly Row[], when: string): void;
  /** Starts a client. */
  begin(operation: ClientOperation, number: number): void;
  /** What can be read now is what was promised. */
  check(when: string): Promise<void>;
  /** Faults have stopped: what clients have left undone can be done now. */
  settle(): Promise<void>;
}

/** What one life has open. Calls go on with it when it is closed, and are told so. */
export interface SharedDatabase {
  readonly store: ObservedStore;
  readonly database: StorageDatabase;
}

export interface SharedDatabaseParts {
  readonly settings: DatabaseSettings;
  /** The operation that commits are told under. */
  readonly operation: () => number;
  readonly losesAnswer: (request: CommitRequest) => boolean;
  /** Before a commit arrives at the storage. Null: at once. */
  readonly underWay?: () => Promise<void> | null;
}

export function openSharedDatabase(
  transactor: Transactor,
  { settings, operation, losesAnswer, underWay }: SharedDatabaseParts,
): SharedDatabase {
  const { life, order, counts, storeOptions } = transactor.session;
  const { clock, random, scheduler } = life.platform;
  const { store, storage } = transactor.engineOf();
  const whole = new WholeStorage(storage, store, {
    opened: (version) => order.readAt("a transaction", version),
    commits: ({ options }) => {
      counts.commits++;
      const durability = options.durability ?? storeOptions.durability ?? "sync";
      const key = options.idempotencyKey === undefined ? null : keyText(options.idempotencyKey);
      const what = key === null ? "a transaction" : `a transaction with the key "${key}"`;
      return new ObservedCommit(transactor, new AttemptLog(true), operation(), durability, what, key);
    },
    losesAnswer,
    ...(underWay === undefined ? {} : { underWay }),
  });
  const close = (): Promise<void> => Promise.resolve();
  const database = new StorageDatabase({ storage: whole, clock, random, scheduler, settings, close });
  return { store, database };
}
