/**
 * The watches of one life that wait for their end: hears of it, and hands it to the oracle. Does not own: what is right
 * (`oracles/watches.ts`).
 */
import type { Watch } from "../../src/transaction/transaction.js";
import { checkFired, checkWaiting, type RunningWatch } from "../oracles/watches.js";
import type { AttemptLog } from "../transactions/attempt-log.js";
import { seenBy } from "../transactions/replay.js";
import type { VersionedMap } from "../transactions/versioned-map.js";
import type { Session } from "./session.js";

export class WatchLedger {
  readonly #session: Session;
  readonly #model: VersionedMap;
  readonly #running = new Set<RunningWatch>();

  constructor(session: Session, model: VersionedMap) {
    this.#session = session;
    this.#model = model;
  }

  /** The process is another one. */
  clear(): void {
    this.#running.clear();
  }

  /** A try has just asked for a watch. */
  begins(key: string, watch: Watch, log: AttemptLog, what: string): void {
    const value = seenBy(log, this.#model.at(log.read?.version ?? 0), key);
    const running: RunningWatch = { key, value, log, watch, what };
    this.#running.add(running);
    const ended = (judge: () => void): void => {
      // Also of a process that is gone.
      if (!this.#running.delete(running) || this.#session.ended()) return;
      try {
        judge();
      } catch (error) {
        this.#session.found(error);
      }
    };
    watch.changed.then(
      () => ended(() => this.#fired(running)),
      (error: unknown) => ended(() => this.#failed(running, error)),
    );
  }

  /** When no client is under way. Lets those be told first who are about to be. */
  async checkWaiting(): Promise<void> {
    if (this.#running.size === 0) return;
    const session = this.#session;
    await session.pause(0);
    session.checkAlive();
    if (!session.hasStore) return;
    const { version } = session.store;
    for (const running of this.#running) checkWaiting(session.ledger, this.#model, running, version);
  }

  #fired(running: RunningWatch): void {
    const { ledger, hasStore } = this.#session;
    const version = hasStore ? this.#session.store.version : this.#model.newestVersion;
    checkFired(ledger, this.#model, running, version);
  }

  /** Watches of tries that did not commit end with these. */
  #failed({ log, what }: RunningWatch, error: unknown): void {
    const session = this.#session;
    const hasCommitted = log.outcome === "acknowledged";
    if (hasCommitted)
      session.judge(error, `the watch of ${what}`, session.closing ? ["OPERATION_CANCELLED", "CLOSED"] : []);
  }
}
