/**
 * When an opening must write nothing (O13): the process before has closed the store in order, with nothing left in its log,
 * and its seal is there to be found. Owns what is known of the last close. Does not own: the promise itself
 * (`oracles/idempotent-recovery.ts`).
 */
import { parseFileName } from "../../src/engine/files.js";
import type { Store } from "../../src/engine/store.js";
import type { VFS } from "../../src/platform/vfs.js";
import { checkQuietOpening } from "../oracles/idempotent-recovery.js";
import { type Session, STORE_DIRECTORY } from "./session.js";

export class QuietOpening {
  readonly #session: Session;
  /** The first live log segment of the store that the last process has closed in order; null when it has not. */
  #closedWithLogFrom: number | null = null;
  /**
   * A close in order has made the seal of the newest manifest durable, and nothing has been written to it since. When a
   * close says that it could not, the next process may find the seal in the page cache, trust it (what it vouches for is
   * durable), write nothing, and close in order, with a seal that is still in the page cache alone. After a power loss
   * (seed 42398 of 2026-11-20), or once the page cache has let go of it (seed 53303), the process after that finds none,
   * and must write. No call would have told the one before that the medium has no seal.
   */
  #sealIsDurable = false;
  /** Evictions from the page cache by the time when the last opening began. */
  #evictions = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  crashed(): void {
    this.#closedWithLogFrom = null;
    if (this.#session.fileNumbers.makesManifests) this.#sealIsDurable = false;
  }

  closed(inOrder: boolean, minWalNumber: number): void {
    this.#closedWithLogFrom = inOrder ? minWalNumber : null;
    if (this.#session.fileNumbers.makesManifests) this.#sealIsDurable = inOrder;
  }

  /** The store is about to be opened. Returns what judges the store that comes of it. `powerLost`: since the last close. */
  opening(attempt: number, powerLost: boolean): (store: Store) => void {
    const { disk, ledger } = this.#session;
    const { counters } = disk;
    const { bytesWritten } = counters;
    const evictions = this.#evictions;
    this.#evictions = counters.evictions;
    const logFrom = this.#closedWithLogFrom;
    // An attempt that failed may have left a manifest of its own.
    const isQuiet = attempt === 1 && logFrom !== null && !hasLog(disk.snapshotDurable(), logFrom);
    return (store) => {
      // With other options a table may be moved to another level at once, or the attempt may have failed.
      const { trivialMoves, failure, jobFailures } = store.stats();
      const hasMoved = trivialMoves + jobFailures > 0 || failure !== null;
      const findsSeal = this.#sealIsDurable || (!powerLost && counters.evictions === evictions);
      if (isQuiet && findsSeal && !disk.lossShows && !hasMoved)
        checkQuietOpening(ledger, counters.bytesWritten - bytesWritten);
    };
  }
}

/**
 * With an obstacle in its way, such as a full disk, a store closes without having moved its log into tables; a segment
 * that no commit has come to use stays; and a stray file may look like one.
 */
function hasLog(durable: VFS, minWalNumber: number): boolean {
  return durable
    .list(STORE_DIRECTORY)
    .map(parseFileName)
    .some(({ kind, number }) => kind === "wal" && number >= minWalNumber);
}
