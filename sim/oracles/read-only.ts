/**
 * O40. Verifies of a reader beside the writer, another process on the same machine: what it reads is the state after one prefix
 * of the commits, the one its version stands for, with every commit that had been acknowledged as durable when it was asked
 * to open or refresh; its version never goes back; and a view reads the same until the reader moves on, whatever the writer has
 * flushed, merged and removed meanwhile. A power loss ends readers too, so what they see need not be durable.
 * Does not verify: that nothing is written and no lock taken (`test/engine/readonly.test.ts`), errors (O16).
 */
import { type Row, scanMismatch } from "../model/comparison.js";
import type { Model, PrefixSpan } from "../model/model.js";
import { shownKey } from "../workload/bytes.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** A reader was asked for its newest view. */
export interface NewView {
  readonly version: number;
  /** The version of the view before; 0 for none. */
  readonly versionBefore: number;
  /** The newest commit that was acknowledged as durable when it was asked. */
  readonly durable: number;
  /** What reads give; null where they cannot be made. */
  readonly rows: readonly Row[] | null;
}

/** `span`: prefixes that `version` may stand for; null when the model has forgotten them. */
export function checkNewView(
  ledger: OracleLedger,
  model: Model,
  span: PrefixSpan | null,
  { version, versionBefore, durable, rows }: NewView,
): void {
  ledger.count("O40");
  if (version < versionBefore)
    throw new OracleFailure("O40", `a reader goes back from version ${versionBefore} to ${version}`);
  if (span === null) return;
  if (span.high < durable) {
    throw new OracleFailure(
      "O40",
      `a reader is at version ${version}, which is commit ${span.high} at most, though commit ${durable} was durable before`,
    );
  }
  if (rows === null) return;
  let mismatch: string | null = null;
  for (let sequence = Math.max(span.low, durable); sequence <= span.high; sequence++) {
    mismatch = scanMismatch(model, sequence, {}, Number.POSITIVE_INFINITY, rows);
    if (mismatch === null) return;
  }
  throw new OracleFailure(
    "O40",
    `a reader at version ${version}: ${mismatch} (commit ${Math.max(span.low, durable)} to ${span.high})`,
  );
}

/** A view that was read before is read again. */
export function checkSameView(
  ledger: OracleLedger,
  what: string,
  before: readonly Row[],
  now: readonly Row[],
): void {
  ledger.count("O40");
  const length = Math.max(before.length, now.length);
  for (let i = 0; i < length; i++) {
    const [a, b] = [before[i], now[i]];
    if (a !== undefined && b !== undefined && a.key === b.key && Buffer.compare(a.value, b.value) === 0)
      continue;
    const shown = (row: Row | undefined): string => (row === undefined ? "no row" : shownKey(row.key));
    throw new OracleFailure("O40", `${what} reads ${shown(b)} where it had ${shown(a)}, or another value`);
  }
}
