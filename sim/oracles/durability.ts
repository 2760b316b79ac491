/**
 * O1. Verifies: after a crash the store holds at least the shortest prefix that was promised: for a power loss
 * everything up to the newest commit acknowledged as `sync`, made durable by a flush or a close, or acknowledged as
 * `buffered` longer ago than the window of the store; for the end of the process everything acknowledged.
 * Does not verify: commits of a store opened with durability `none`, of which nothing is promised before a flush.
 */
import { describeValue } from "../model/comparison.js";
import { shownKey } from "../workload/bytes.js";
import { OracleFailure, type OracleLedger } from "./failure.js";
import type { Recovery } from "./recovery.js";

export function checkDurability(ledger: OracleLedger, { content, floor, prefix }: Recovery): void {
  ledger.count("O1");
  if (prefix !== null) return;
  const { model } = content;
  const found = content.longestPrefix(content.low);
  if (found !== null) {
    const lost = model.commits.find((commit) => commit.sequence > found);
    throw new OracleFailure(
      "O1",
      `everything up to commit ${floor} was promised, but only commits up to ${found} are there: ` +
        `${lost?.describe() ?? "a commit"} is lost`,
    );
  }
  // No prefix explains the whole; a single key may still show nothing but loss.
  content.pairs((history, row) => {
    if (history === undefined || row !== undefined) return;
    if (content.spanOf(history, undefined) !== null) return;
    const index = history.indexAt(floor);
    throw new OracleFailure(
      "O1",
      `${shownKey(history.key)} is ${describeValue(undefined)}, though it was there in every state since commit ` +
        `${content.low} (last written by commit ${history.sequences[index] ?? 0})`,
    );
  });
}
