/**
 * O24. Verifies, at every durable instant: no table holds versions newer than its manifest vouches for; the live
 * segments of the log follow each other, each continuing the one before, and begin where the tables end; and what log and
 * tables together have once held durably they never cease to hold while the power is on. So a log that goes before its
 * table is recorded, a manifest that lets go of a segment too early and a segment that is cut off are seen at once,
 * without a crash.
 * Does not verify: that a commit was durable when it was acknowledged (O1 sees it at a crash, the durability lint without
 * one), nor what is in the tables (O1 to O6).
 */
import type { DurableSegment, DurableStore } from "./durable-reader.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

export class LogAndTables {
  readonly #ledger: OracleLedger;
  #store: DurableStore | null = null;

  constructor(ledger: OracleLedger) {
    this.#ledger = ledger;
  }

  /** The power failed: what is held from now on may be anything that O1 to O4 allow. */
  powerLost(): void {
    this.#store = null;
  }

  /**
   * To be called with each new state. A sync of the log can only add to what is held, so the segments need not be read
   * after each of them: before names or manifest change what was held is still there to be read.
   */
  observe(store: DurableStore): void {
    this.#ledger.count("O24");
    const former = this.#store;
    if (former === store) return;
    this.#store = store;
    const { counters, levels } = store;
    for (const tables of store.manifestChanged ? levels : []) {
      for (const { fileNumber, maxVersion } of tables) {
        if (maxVersion <= counters.lastVersion) continue;
        throw new OracleFailure(
          "O24",
          `table ${fileNumber} holds version ${maxVersion}, but the durable manifest vouches up to ${counters.lastVersion}`,
        );
      }
    }
    const before = former === null ? 0 : heldUpTo(former);
    const now = heldUpTo(store);
    if (now >= before) return;
    throw new OracleFailure(
      "O24",
      `log and tables held versions up to ${before} durably, and now hold them up to ${now} only`,
    );
  }
}

/** The newest version that a recovery would find, going from the tables through the segments as far as they hold. */
function heldUpTo({ segments, counters: { lastVersion } }: DurableStore): number {
  let held = lastVersion;
  let before: DurableSegment | null = null;
  for (const segment of segments) {
    segment.follow();
    const { header, fileNumber } = segment;
    // A stray file, which recovery passes over.
    if (segment.isEmpty) continue;
    // Being created; what comes after it, if anything does, cannot be read.
    if (header === null) return held;
    const holds = segment.lastVersion > header.baseVersion;
    if (holds && header.baseVersion < lastVersion) {
      throw new OracleFailure(
        "O24",
        `log segment ${fileNumber} holds versions from ${header.baseVersion + 1}, but the tables go to ${lastVersion} already`,
      );
    }
    const follows =
      before === null ||
      (before.isSealed && header.previousLength === before.end && header.previousChain === before.chain);
    if (!follows) {
      throw new OracleFailure(
        "O24",
        `log segment ${fileNumber} does not continue the durable end of segment ${before?.fileNumber}`,
      );
    }
    if (holds) held = segment.lastVersion;
    before = segment;
  }
  return held;
}
