/**
 * O19, of crash loops (simulation.md T8). Verifies: when opening crashes again and again at the same site, what is left of
 * the attempts does not pile up: from the fourth on the disk is no fuller than it was then, but for twice what one of the
 * first attempts has added.
 * Does not verify: how much a store takes when it runs.
 */
import { OracleFailure, type OracleLedger } from "./failure.js";

/** Attempts after which everything that is cleared away late has had its turn. */
const SETTLED_AFTER = 4;
/** Files that are larger or smaller by chance. */
const SLACK_BYTES = 16 * 4096;

export class CrashLoop {
  readonly #ledger: OracleLedger;
  /** Bytes taken after each crash since the last recovery. */
  readonly #used: number[] = [];

  constructor(ledger: OracleLedger) {
    this.#ledger = ledger;
  }

  /** Crashes in a row without a recovery that was completed. */
  get length(): number {
    return this.#used.length;
  }

  recovered(): void {
    this.#used.length = 0;
  }

  /**
   * `manifestBytes`: what the largest manifest takes. One for each crash may add up, of those that come between its becoming
   * durable and the removal of the one before it: until then nobody knows which of them a power loss would leave.
   */
  crashed(usedBytes: number, manifestBytes: number): void {
    this.#used.push(usedBytes);
    if (this.#used.length <= SETTLED_AFTER) return;
    this.#ledger.count("O19");
    const first = this.#used.slice(0, SETTLED_AFTER);
    const growths = first.slice(1).map((bytes, index) => bytes - (first[index] as number)); // index < length
    const allowed =
      Math.max(...first) + 2 * Math.max(0, ...growths) + this.#used.length * manifestBytes + SLACK_BYTES;
    if (usedBytes > allowed) {
      throw new OracleFailure(
        "O19",
        `${this.#used.length} crashes in a row while opening have filled the disk: ${this.#used.join(", ")} bytes`,
      );
    }
  }
}
