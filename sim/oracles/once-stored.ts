/**
 * O23, for a store that has lost what nobody could keep: a sync lied to it, or a rename was split. Verifies: every row is
 * one that some write of this run put under that key, however long ago.
 * Does not verify: anything about which of them; order and durability are void then.
 */
import type { Row } from "../model/comparison.js";
import { isValueOf, shownKey } from "../workload/bytes.js";
import type { Operation } from "../workload/operation.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** `extra`: a key that the runner writes itself, by no operation. `computed`: whether a transaction has stored this. */
export function checkOnceStored(
  ledger: OracleLedger,
  operations: readonly Operation[],
  rows: readonly Row[],
  extra: string,
  computed: (row: Row) => boolean,
): void {
  ledger.count("O23");
  const written = new Map<string, (readonly [writer: number, length: number])[]>();
  for (const operation of operations) {
    if (operation.kind !== "write") continue;
    for (const mutation of operation.mutations) {
      if (mutation[0] !== "put") continue;
      const [, key, writer, length] = mutation;
      const values = written.get(key);
      if (values === undefined) written.set(key, [[writer, length]]);
      else values.push([writer, length]);
    }
  }
  for (const { key, value } of rows) {
    if (key === extra || computed({ key, value })) continue;
    const known = written.get(key)?.some(([writer, length]) => isValueOf(value, writer, length));
    if (known !== true) {
      throw new OracleFailure("O23", `${shownKey(key)} holds ${value.length} bytes that nobody stored there`);
    }
  }
}
