/**
 * Judges what a recovery brought back: asks each oracle in turn, from the most telling to the most general, and
 * returns the prefixes of the commits that the store may hold now. Every oracle named here is evaluated on every recovery;
 * a prefix that explains the content and is long enough satisfies them all.
 */

import type { Row } from "../model/comparison.js";
import { StoreContent } from "../model/comparison.js";
import type { Model } from "../model/model.js";
import { checkAtomicity } from "./atomicity.js";
import { checkDurability } from "./durability.js";
import type { OracleLedger } from "./failure.js";
import { checkPrefix } from "./prefix.js";
import { checkNoResurrection } from "./resurrection.js";
import { checkNoSilentCorruption } from "./silent-corruption.js";
import { checkUnknownOutcome } from "./unknown-outcome.js";

/** A recovered store beside the trace, and how much of the trace had to survive. */
export interface Recovery {
  readonly content: StoreContent;
  /** The shortest prefix that the crashes since the last recovery allow. */
  readonly floor: number;
  /** The longest prefix that explains the content and reaches the floor; null when there is none. */
  readonly prefix: number | null;
}

/** The prefixes that explain a recovered store; they differ by commits that changed nothing. */
export interface RecoveredPrefix {
  readonly shortest: number;
  readonly longest: number;
}

/** Throws `OracleFailure` for a broken promise. `cacheLost`: the power failed since the last recovery, or a sync did. */
export function judgeRecovery(
  ledger: OracleLedger,
  model: Model,
  rows: readonly Row[],
  cacheLost: boolean,
): RecoveredPrefix {
  const content = new StoreContent(model, rows);
  const floor = cacheLost ? model.floorAfterPowerLoss : model.floorAfterKill;
  const recovery: Recovery = { content, floor, prefix: content.longestPrefix(floor) };
  checkUnknownOutcome(ledger, recovery);
  checkDurability(ledger, recovery);
  checkNoResurrection(ledger, recovery);
  checkNoSilentCorruption(ledger, recovery);
  checkAtomicity(ledger, recovery);
  const longest = checkPrefix(ledger, recovery);
  return { shortest: content.shortestPrefix(floor) ?? longest, longest };
}
