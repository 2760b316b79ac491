/**
 * O38. Verifies: every read within a transaction of records answers as brute force over the raw documents of its read version, with the
 * transaction's own writes over them; a commit leaves each document that it touched as it was asked to, and all others as they
 * were; a unique violation is told only where there is one, and an index is refused only where it is not readable. Does not verify: rows of
 * indexes (O11), that the version is new enough (O5).
 */
import { type Item, textOfDocument } from "../records/declarations.js";
import { type AskedQuery, answerOf, sortKeyOf } from "../records/queries.js";
import { parsed, type RawState, shown } from "../records/raw-state.js";
import type { RecordsView, ViewedDocument } from "../records/view.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** `found` and `expected` in canonical form. */
export function checkFound(
  ledger: OracleLedger,
  expected: readonly string[],
  found: readonly string[],
  what: string,
): void {
  ledger.count("O38");
  const length = Math.max(expected.length, found.length);
  for (let at = 0; at < length; at++) {
    if (expected[at] === found[at]) continue;
    throw new OracleFailure(
      "O38",
      `${what} gives ${found[at] ?? "nothing"} as document ${at}, but ${expected[at] ?? "nothing"} is due`,
    );
  }
}

/**
 * A query gives documents that meet it, each once, so many as there are or `most`, with the values in the order that it asks for;
 * which of equal ones come first, and which are cut off, is open. `all` are the documents there are.
 */
export function checkQueried(
  ledger: OracleLedger,
  asked: AskedQuery,
  all: readonly string[],
  found: readonly string[],
  most: number,
  what: string,
): void {
  ledger.count("O38");
  const due = answerOf(asked, all.map(parsed) as readonly Item[]);
  const left = new Set(due.map(textOfDocument));
  for (const [at, text] of found.entries()) {
    if (!left.delete(text))
      throw new OracleFailure("O38", `${what} gives ${text}, which does not meet it or was given before`);
    // As many come before as are equal to it or less.
    const [is, must] = [sortKeyOf(asked, parsed(text) as Item), sortKeyOf(asked, due[at] as Item)];
    if (is !== must) throw new OracleFailure("O38", `${what} gives ${text} out of its order`);
  }
  const count = Math.min(most, due.length);
  if (found.length !== count)
    throw new OracleFailure("O38", `${what} gives ${found.length} documents, but ${count} are due`);
}

/** As a read with `limit` and `reverse` gives them. */
export function window(documents: readonly ViewedDocument[], limit: number, reverse: boolean): string[] {
  const all = documents.map(({ text }) => text);
  return (reverse ? all.toReversed() : all).slice(0, limit);
}

export function checkCommitted(
  ledger: OracleLedger,
  view: RecordsView,
  before: RawState,
  after: RawState,
  what: string,
): void {
  ledger.count("O38");
  for (const { id, name } of after.collections) {
    const changes = view.changes.get(name) ?? new Map<string, string | null>();
    const [old, fresh] = [before.itemsOf(id), after.itemsOf(id)];
    for (const packedId of new Set([...old.keys(), ...fresh.keys(), ...changes.keys()])) {
      const asked = changes.get(packedId);
      const due = asked === undefined ? (old.get(packedId)?.text ?? null) : asked;
      const is = fresh.get(packedId)?.text ?? null;
      if (is === due) continue;
      throw new OracleFailure(
        "O38",
        `${what} leaves ${is ?? "nothing"} under ${shown(packedId)} of "${name}", but ${due ?? "nothing"} is due`,
      );
    }
  }
}

/** A transaction was refused because of a unique value: two of its documents, or one of its and another, must share one. */
export function checkRefusedValue(
  ledger: OracleLedger,
  view: RecordsView,
  error: unknown,
  what: string,
): void {
  ledger.count("O38");
  if (view.state.collections.some(({ name }) => view.broken(name) !== null)) return;
  throw new OracleFailure("O38", `${what} is told ${error}, but no value stands twice`, error);
}
