/**
 * Who migrates: one process at a time. The owner writes the lease anew in every transaction of the migration, so that one which has
 * lost it cannot commit, and while its own code runs at least every two seconds. Who waits takes it over when it has not changed for
 * ten seconds by its own clock: no clocks of two machines are ever compared.
 *
 *     (leases, "migration") → [owner, beats]
 */
import { pack, unpack } from "../keyspace/tuple.js";
import { KEYSPACE } from "../record/keyspace.js";
import { RecordError } from "../record/record-error.js";
import type { Transaction } from "../transaction/transaction.js";
import type { SharedStore } from "./shared-store.js";

const TAKEN_OVER_AFTER_MS = 10_000;
const BEAT_MS = 2_000;
const LOOK_MS = 200;

export class MigrationLease {
  readonly #shared: SharedStore;
  readonly #key: Uint8Array;
  readonly #owner: string;
  #beats = 0;
  /** Ends the beats, and resolves when the last one is over. */
  #stop: (() => Promise<void>) | null = null;

  constructor(shared: SharedStore) {
    this.#shared = shared;
    this.#key = shared.root.pack([KEYSPACE.leases, "migration"]);
    const { random } = shared.world;
    this.#owner = `${random.nextUint32().toString(16)}-${random.nextUint32().toString(16)}`;
  }

  /** Waits for it. False: `isNeeded` has said no. */
  async acquire(isNeeded: () => Promise<boolean>): Promise<boolean> {
    const { database, world } = this.#shared;
    let seen = "";
    let sinceMs = world.clock.nowMs();
    for (;;) {
      if (!(await isNeeded())) return false;
      const isStale = world.clock.nowMs() - sinceMs >= TAKEN_OVER_AFTER_MS;
      const other = await database.transact(async (transaction) => {
        const row = await transaction.get(this.#key);
        const text = row === undefined ? "" : Buffer.from(row).toString("hex");
        if (text !== "" && !this.#isOwn(row) && !(isStale && text === seen)) return text;
        this.#write(transaction);
        return null;
      }, AGAIN);
      if (other === null) break;
      if (other !== seen) {
        seen = other;
        sinceMs = world.clock.nowMs();
      }
      await this.#pause(LOOK_MS);
    }
    this.#stop = this.#beat();
    return true;
  }

  /** In every transaction of the migration. Throws `MIGRATION_TAKEN_OVER`. */
  async require(transaction: Transaction): Promise<void> {
    if (!this.#isOwn(await transaction.get(this.#key))) throw takenOver();
    this.#write(transaction);
  }

  /** With the last transaction of the migration, so that none is left behind it. */
  giveUp(transaction: Transaction): void {
    transaction.clear(this.#key);
  }

  async release(): Promise<void> {
    await this.#stop?.();
    this.#stop = null;
    await this.#shared.database.transact(async (transaction) => {
      if (this.#isOwn(await transaction.get(this.#key))) transaction.clear(this.#key);
    }, AGAIN);
  }

  #isOwn(row: Uint8Array | undefined): boolean {
    return row !== undefined && unpack(row)[0] === this.#owner;
  }

  #write(transaction: Transaction): void {
    transaction.set(this.#key, pack([this.#owner, ++this.#beats]));
  }

  #beat(): () => Promise<void> {
    const { database, world } = this.#shared;
    let isOver = false;
    let last: Promise<void> = Promise.resolve();
    const beat = async () => {
      // One that fails is one that is late: the next transaction of the migration finds out who owns the lease.
      await database.transact((transaction) => this.require(transaction), AGAIN).catch(() => undefined);
      if (!isOver) timer = world.scheduler.after(BEAT_MS, next);
    };
    const next = () => {
      last = beat();
    };
    let timer = world.scheduler.after(BEAT_MS, next);
    return async () => {
      isOver = true;
      timer.cancel();
      await last;
    };
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#shared.world.scheduler.after(ms, resolve, true);
    });
  }
}

const AGAIN = { idempotent: true };

function takenOver(): RecordError {
  return new RecordError(
    "MIGRATION_TAKEN_OVER",
    "another process has taken over the migration, for this one has not been heard of for ten seconds.",
  );
}
