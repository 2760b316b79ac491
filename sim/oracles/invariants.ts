/**
 * O31. Verifies: what each workload of transactions promises of every committed state, by looking at the rows of the whole
 * store alone: the ring is one cycle, counters equal the sum of their logs, no money appears or vanishes, of two one is on
 * duty, numbers filed under versionstamps rise without a gap, prefixes of directories never meet. FoundationDB's workloads of these names are the model.
 * Does not verify: that nothing was lost (a shorter history keeps all of this as well; O1, O3), and anything that the
 * workloads do not write.
 */
import type { Row } from "../model/comparison.js";
import { numberOf } from "../transactions/atomics.js";
import {
  ACCOUNTS,
  COUNTER_BYTES,
  COUNTERS,
  DIRECTORY_NAME,
  DIRECTORY_NODES,
  DUTY,
  FILED,
  FIRST_BALANCE,
  LAST_NUMBER,
  LOG,
  RING,
} from "../transactions/places.js";
import { keyText } from "../workload/bytes.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

type TextRow = readonly [key: string, value: string];

export function checkInvariants(ledger: OracleLedger, rows: readonly Row[], when: string): void {
  ledger.count("O31");
  const texts = rows.map(({ key, value }): TextRow => [key, keyText(value)]);
  const under = (prefix: string): TextRow[] =>
    texts.filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]);
  const broken =
    ringIsBroken(under(RING)) ??
    countersDiffer(under(COUNTERS), under(LOG)) ??
    moneyDiffers(under(ACCOUNTS)) ??
    nobodyIsOnDuty(under(DUTY)) ??
    prefixesMeet(texts) ??
    numbersAreOutOfOrder(under(FILED), texts.find(([key]) => key === LAST_NUMBER)?.[1] ?? "");
  if (broken !== null) throw new OracleFailure("O31", `${when}: ${broken}`);
}

function ringIsBroken(nodes: readonly TextRow[]): string | null {
  if (nodes.length === 0) return null;
  const next = nodes.map(([, value]) => Number(value));
  let at = 0;
  for (let steps = 1; steps <= nodes.length; steps++) {
    at = next[at] ?? -1;
    if (at === 0) return steps === nodes.length ? null : `the ring closes after ${steps} of ${nodes.length}`;
  }
  return `the ring of ${nodes.length} does not come back: ${next.join(" ")}`;
}

function countersDiffer(counters: readonly TextRow[], logs: readonly TextRow[]): string | null {
  const sums = new Map<string, bigint>();
  for (const [key, value] of logs) {
    const [counter = ""] = key.split("/");
    sums.set(counter, (sums.get(counter) ?? 0n) + numberOf(value));
  }
  for (const [counter, value] of counters) {
    const sum = BigInt.asUintN(8 * COUNTER_BYTES, sums.get(counter) ?? 0n);
    if (numberOf(value) !== sum) return `counter ${counter} is ${numberOf(value)}, its log says ${sum}`;
    sums.delete(counter);
  }
  const [missing] = sums.keys();
  return missing === undefined ? null : `counter ${missing} is not there, its log is`;
}

function moneyDiffers(accounts: readonly TextRow[]): string | null {
  const sum = accounts.reduce((total, [, value]) => total + Number(value), 0);
  return sum === FIRST_BALANCE * accounts.length ? null : `${accounts.length} accounts hold ${sum}`;
}

function nobodyIsOnDuty(duties: readonly TextRow[]): string | null {
  const off = duties.filter(([, value]) => value === "off").map(([key]) => key.split("/")[0] ?? "");
  const twice = off.find((pair, index) => off.indexOf(pair) !== index);
  return twice === undefined ? null : `of pair ${twice} both are off duty`;
}

function prefixesMeet(rows: readonly TextRow[]): string | null {
  const named = rows
    .filter(([key]) => key.endsWith(DIRECTORY_NAME) && !key.startsWith(DIRECTORY_NODES))
    .map(([key, value]): TextRow => [key.slice(0, -DIRECTORY_NAME.length), value]);
  const names = named.map(([, name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return `directory ${twice} has two prefixes`;
  for (const [prefix, name] of named) {
    const inner = named.find(([other]) => other !== prefix && other.startsWith(prefix));
    if (inner !== undefined) return `the prefix of directory ${inner[1]} lies in that of ${name}`;
  }
  return null;
}

function numbersAreOutOfOrder(filed: readonly TextRow[], last: string): string | null {
  const numbers = filed.map(([, value]) => numberOf(value));
  const at = numbers.findIndex((number, index) => number !== BigInt(index + 1));
  if (at >= 0) return `entry ${at + 1} in the order of versionstamps has number ${numbers[at]}`;
  return numberOf(last) === BigInt(numbers.length)
    ? null
    : `the last number is ${numberOf(last)}, but ${numbers.length} are filed`;
}
