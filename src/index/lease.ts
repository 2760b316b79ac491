/**
 * Leases: work that only one may do at a time, whichever process it is in (features DF-47). A lease is held until it is released or
 * not renewed in time; then anybody may take it.
 *
 *     (leases, name, 0) → owner                     written when it changes hands: what `check` reads
 *     (leases, name, 1) → (expires at, lasts for)   written by every renewal, milliseconds of the wall clock
 *
 * Clocks differ and jump, so they decide only when somebody may try: what keeps two owners apart is that every transaction of the
 * work calls `check`, which reads the owner with a conflict. Owns these keys and the timer of the renewals.
 */
import type { Subspace } from "../keyspace/subspace.js";
import { pack, unpack } from "../keyspace/tuple.js";
import { StillwaterError } from "../platform/errors.js";
import type { Platform, Timer } from "../platform/platform.js";
import { mutant } from "../platform/probes.js";
import { KEYSPACE } from "../record/keyspace.js";
import { TRANSACTION_PRESETS } from "../transaction/presets.js";
import type { Database, ReadTransaction, Transaction } from "../transaction/transaction.js";
import { pause } from "./pause.js";

export interface LeaseSettings {
  /** How long to wait for another owner; then `LEASE_HELD`. */
  readonly waitMs: number;
  /** From one renewal to the next. */
  readonly renewMs: number;
  /** Not renewed for so long, it is anybody's. */
  readonly staleMs: number;
}

export const LEASE_PRESETS = {
  default: { waitMs: 30_000, renewMs: 10_000, staleMs: 60_000 },
  longRunning: { waitMs: 300_000, renewMs: 60_000, staleMs: 600_000 },
  /** Of builds: who comes after a crash waits until the other's lease is over, and not much longer. */
  build: { waitMs: 15_000, renewMs: 3_000, staleMs: 10_000 },
  /** Of migrations: a store is open only when one of them is done, however long that takes. */
  migration: { waitMs: Number.POSITIVE_INFINITY, renewMs: 3_000, staleMs: 10_000 },
} as const satisfies Readonly<Record<string, LeaseSettings>>;

export interface LeaseParts {
  readonly database: Database;
  readonly root: Subspace;
  readonly world: Pick<Platform, "clock" | "scheduler" | "random">;
}

/** What the work has of its lease. */
export interface HeldLease {
  /** To be called by each transaction of the work: it commits only while the lease is held. Throws `LEASE_LOST`. */
  check(transaction: Transaction): Promise<void>;
  /** With the last transaction of the work: the lease is over if it commits, so that no crash leaves it behind work that is done. */
  release(transaction: Transaction): void;
}

/** Waiting looks again that often. */
const POLL_MS = 250;

export class Lease {
  readonly #parts: LeaseParts;
  readonly #name: string;
  readonly #settings: LeaseSettings;
  readonly #owner: Uint8Array;
  readonly #ownerKey: Uint8Array;
  readonly #timeKey: Uint8Array;

  /** Throws `INVALID_ARGUMENT`. */
  constructor(parts: LeaseParts, name: string, settings: LeaseSettings = LEASE_PRESETS.default) {
    const { waitMs, renewMs, staleMs } = settings;
    if (!(waitMs >= 0 && renewMs > 0 && renewMs < staleMs)) {
      throw new StillwaterError(
        "INVALID_ARGUMENT",
        `a lease cannot be renewed each ${renewMs} ms and be over after ${staleMs} ms. Renew it several times before.`,
      );
    }
    this.#parts = parts;
    this.#name = name;
    this.#settings = settings;
    this.#owner = ownerId(parts.world.random);
    const space = parts.root.subspace(KEYSPACE.leases, name);
    this.#ownerKey = space.pack([0]);
    this.#timeKey = space.pack([1]);
  }

  /**
   * Runs `work` while holding the lease, and gives it back whatever happens. Throws `LEASE_HELD` when another owner does not let go in
   * time, what `work` throws, and `OPERATION_CANCELLED`.
   */
  async execute<T>(work: (lease: HeldLease) => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#acquire(signal);
    const renewals = new Renewals(this.#parts.world, this.#settings.renewMs, () => this.#renew());
    try {
      return await work({
        check: (transaction) => this.#check(transaction),
        release: (transaction) => this.#clear(transaction),
      });
    } finally {
      await renewals.end();
      await this.#release();
    }
  }

  async #acquire(signal: AbortSignal | undefined): Promise<void> {
    const { database, world } = this.#parts;
    const { waitMs } = this.#settings;
    const begunMs = world.clock.nowMs();
    for (;;) {
      const leftMs = await database.transact((transaction) => this.#take(transaction), AGAIN);
      if (leftMs === 0) return;
      const waitedMs = world.clock.nowMs() - begunMs;
      if (waitedMs >= waitMs) throw this.#held(leftMs);
      await pause(world.scheduler, Math.min(leftMs, POLL_MS, waitMs - waitedMs), signal);
    }
  }

  /** 0 when it is ours now; otherwise how long the other's lasts still. */
  async #take(transaction: Transaction): Promise<number> {
    const owner = await transaction.get(this.#ownerKey);
    if (owner !== undefined && !this.#isOwn(owner)) {
      const leftMs = await this.#leftMs(transaction);
      if (leftMs > 0) return leftMs;
    }
    transaction.set(this.#ownerKey, this.#owner);
    this.#extend(transaction);
    return 0;
  }

  /** More than twice what the lease was given for is not believed: then a clock was put back. */
  async #leftMs(reader: ReadTransaction): Promise<number> {
    const stored = await reader.get(this.#timeKey);
    if (stored === undefined) return 0;
    const [expiresAtMs, lastsMs] = unpack(stored).map(Number);
    const leftMs = (expiresAtMs ?? 0) - this.#parts.world.clock.wallMs();
    return leftMs > 2 * (lastsMs ?? 0) ? 0 : Math.max(0, leftMs);
  }

  #extend(transaction: Transaction): void {
    const { staleMs } = this.#settings;
    const expiresAtMs = Math.round(this.#parts.world.clock.wallMs()) + staleMs;
    transaction.set(this.#timeKey, pack([expiresAtMs, staleMs]));
  }

  async #check(transaction: Transaction): Promise<void> {
    const reader = mutant("I11-lease-checked-without-conflict") ? transaction.snapshot : transaction;
    const owner = await reader.get(this.#ownerKey);
    if (owner === undefined || !this.#isOwn(owner)) throw this.#lost();
  }

  /** Whether it is still ours. */
  #renew(): Promise<boolean> {
    return this.#parts.database.transact(async (transaction) => {
      const owner = await transaction.get(this.#ownerKey);
      if (owner === undefined || !this.#isOwn(owner)) return false;
      this.#extend(transaction);
      return true;
    }, AGAIN);
  }

  /** One that cannot be given back is over by itself: no reason to lose what the work has done, or its error. */
  async #release(): Promise<void> {
    const given = this.#parts.database.transact(async (transaction) => {
      const owner = await transaction.get(this.#ownerKey);
      if (owner === undefined || !this.#isOwn(owner)) return;
      this.#clear(transaction);
    }, AGAIN);
    await given.catch(() => undefined);
  }

  #clear(transaction: Transaction): void {
    transaction.clear(this.#ownerKey);
    transaction.clear(this.#timeKey);
  }

  #isOwn(owner: Uint8Array): boolean {
    return Buffer.compare(owner, this.#owner) === 0;
  }

  #held(leftMs: number): StillwaterError {
    return new StillwaterError(
      "LEASE_HELD",
      `another process does the work "${this.#name}", and its lease lasts for ${Math.ceil(leftMs)} ms still. Try again later.`,
    );
  }

  #lost(): StillwaterError {
    return new StillwaterError(
      "LEASE_LOST",
      `the lease of the work "${this.#name}" was not renewed in time, and another process has taken it. What was committed stays.`,
    );
  }
}

const AGAIN = { ...TRANSACTION_PRESETS.system, idempotent: true };

/** Renews at intervals until it is ended. A renewal that fails is tried again at the next: `check` is what counts. */
class Renewals {
  readonly #world: LeaseParts["world"];
  readonly #renewMs: number;
  readonly #renew: () => Promise<boolean>;
  #timer: Timer;
  #running: Promise<void> = Promise.resolve();
  #isEnded = false;

  constructor(world: LeaseParts["world"], renewMs: number, renew: () => Promise<boolean>) {
    this.#world = world;
    this.#renewMs = renewMs;
    this.#renew = renew;
    this.#timer = this.#later();
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    this.#timer.cancel();
    await this.#running;
  }

  #later(): Timer {
    return this.#world.scheduler.after(this.#renewMs, () => {
      this.#running = this.#renew().then(
        (isOurs) => {
          if (isOurs && !this.#isEnded) this.#timer = this.#later();
        },
        () => {
          if (!this.#isEnded) this.#timer = this.#later();
        },
      );
    });
  }
}

function ownerId(random: Platform["random"]): Uint8Array {
  const id = Buffer.alloc(16);
  for (let at = 0; at < id.length; at += 4) id.writeUInt32BE(random.nextUint32(), at);
  return id;
}
