/**
 * Snapshots that callers hold by a name, each for a time: what a browser or a script cannot hold as an object. A snapshot keeps old
 * versions from being compacted away, so there is a bound to how many there are and how long each is kept.
 *
 * Promise: a snapshot is closed when its time is over, whoever forgot it, and all are when the admin closes.
 */
import type { Snapshot } from "../engine/snapshots.js";
import { StillwaterError } from "../platform/errors.js";
import type { Timer } from "../platform/platform.js";
import type { AdminPlatform, ReadableStore } from "./context.js";

export const SNAPSHOT_TIME_MS = 60_000;
export const SNAPSHOT_TIME_MS_MAX = 600_000;
export const SNAPSHOTS_MAX = 64;

export interface HeldSnapshot {
  readonly id: string;
  readonly snapshot: Snapshot;
  readonly expiresAtMs: number;
}

export class SnapshotShelf {
  readonly #store: ReadableStore | null;
  readonly #platform: AdminPlatform;
  readonly #held = new Map<string, HeldSnapshot & { readonly timer: Timer }>();

  constructor(store: ReadableStore | null, platform: AdminPlatform) {
    this.#store = store;
    this.#platform = platform;
  }

  /** Throws `BUSY` when there are too many, `NOT_SUPPORTED` without a store. */
  take(timeMs: number): HeldSnapshot {
    if (this.#store === null) {
      throw new StillwaterError(
        "NOT_SUPPORTED",
        "this database has no store of Stillwater's own engine below it, so there are no snapshots of it.",
      );
    }
    if (this.#held.size >= SNAPSHOTS_MAX) {
      throw new StillwaterError(
        "BUSY",
        `${SNAPSHOTS_MAX} snapshots are held already. Delete one, or wait until one expires.`,
      );
    }
    const { clock, random, scheduler } = this.#platform;
    const id = Buffer.from(Uint32Array.from({ length: 4 }, () => random.nextUint32()).buffer).toString("hex");
    const held = {
      id,
      snapshot: this.#store.snapshot(),
      expiresAtMs: clock.nowMs() + timeMs,
      timer: scheduler.after(timeMs, () => this.#drop(id)),
    };
    this.#held.set(id, held);
    return held;
  }

  /** Throws `NOT_FOUND` for one that has expired, was deleted or never was. */
  get(id: string): HeldSnapshot {
    const held = this.#held.get(id);
    if (held === undefined || held.expiresAtMs <= this.#platform.clock.nowMs()) {
      throw new StillwaterError(
        "NOT_FOUND",
        "there is no such snapshot: it has expired, was deleted, or is another admin's. Take a new one.",
      );
    }
    return held;
  }

  /** Throws `NOT_FOUND`. */
  delete(id: string): void {
    this.get(id);
    this.#drop(id);
  }

  list(): HeldSnapshot[] {
    const nowMs = this.#platform.clock.nowMs();
    return [...this.#held.values()].filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  }

  close(): void {
    for (const id of this.#held.keys()) this.#drop(id);
  }

  #drop(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    held.timer.cancel();
    held.snapshot.close();
    this.#held.delete(id);
  }
}
