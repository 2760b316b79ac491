/**
 * Carries out the steps of a transaction on the public interface. What a workload promises of every consistent state it
 * also checks here, inside of transactions, where it reads that state (O31). Does not own: retries, commits, turns.
 */
import { DirectoryLayer } from "../../src/keyspace/directory-layer.js";
import type { Random } from "../../src/platform/platform.js";
import type { Transaction, Watch } from "../../src/transaction/transaction.js";
import { OracleFailure } from "../oracles/failure.js";
import { keyBytes, keyText } from "../workload/bytes.js";
import type { TransactionStep } from "../workload/transaction-steps.js";
import { numberOf, textOf } from "./atomics.js";
import {
  ACCOUNTS,
  accountKey,
  COUNTER_BYTES,
  counterKey,
  DIRECTORY_NAME,
  dutyKey,
  FILED,
  FIRST_BALANCE,
  LAST_NUMBER,
  logKey,
  nodeKey,
  onceKey,
  RING,
} from "./places.js";
import { STAMP_BYTES } from "./replay.js";

/** Hears of watches; they outlive the transaction. */
export type OnWatch = (key: string, watch: Watch) => void;

/** `turn` is awaited before every call that waits for an answer; `random` is what the directory layer draws from. */
export async function runStep(
  transaction: Transaction,
  step: TransactionStep,
  turn: () => Promise<void>,
  onWatch: OnWatch,
  random: Random,
): Promise<void> {
  switch (step[0]) {
    case "get":
      await (step[2] ? transaction.snapshot : transaction).get(keyBytes(step[1]));
      return;
    case "range": {
      const [, begin, end, limit, reverse, isSnapshot] = step;
      await (isSnapshot ? transaction.snapshot : transaction).getRangeAll(keyBytes(begin), keyBytes(end), {
        reverse,
        ...(limit === 0 ? {} : { limit }),
      });
      return;
    }
    case "walk":
      return walk(transaction, step, turn);
    case "select": {
      const [, key, orEqual, offset, isSnapshot] = step;
      await (isSnapshot ? transaction.snapshot : transaction).getKey({ key: keyBytes(key), orEqual, offset });
      return;
    }
    case "rotate":
      return rotate(transaction, step[1], step[2], turn);
    case "transfer":
      return transfer(transaction, step, turn);
    case "audit":
      return audit(transaction, step[1], step[2], turn);
    case "duty":
      return changeDuty(transaction, step[1], step[2], turn);
    case "file":
      return file(transaction, step[1]);
    case "directory":
      return useDirectory(transaction, random, step[1], step[2]);
    case "feed":
      // A call of its own (`run/layers.ts`).
      return;
    case "watch":
      onWatch(step[1], transaction.watch(keyBytes(step[1])));
      return;
    default:
      return write(transaction, step);
  }
}

type Of<Kind extends TransactionStep[0]> = Extract<TransactionStep, readonly [Kind, ...unknown[]]>;

/** Steps that nobody waits for. */
function write(
  transaction: Transaction,
  step: Of<
    | "set"
    | "clear"
    | "clearRange"
    | "atomic"
    | "stampKey"
    | "stampValue"
    | "readConflict"
    | "writeConflict"
    | "skipConflict"
    | "count"
    | "increment"
  >,
): void {
  switch (step[0]) {
    case "set":
      return transaction.set(keyBytes(step[1]), keyBytes(step[2]));
    case "clear":
      return transaction.clear(keyBytes(step[1]));
    case "clearRange":
      return transaction.clearRange(keyBytes(step[1]), keyBytes(step[2]));
    case "atomic":
      return transaction.atomic(step[1], keyBytes(step[2]), keyBytes(step[3]));
    case "stampKey": {
      const [, prefix, suffix, value] = step;
      const key = keyBytes(prefix + NO_STAMP + suffix);
      return transaction.setVersionstampedKey(key, prefix.length, keyBytes(value));
    }
    case "stampValue": {
      const [, key, prefix, suffix] = step;
      const value = keyBytes(prefix + NO_STAMP + suffix);
      return transaction.setVersionstampedValue(keyBytes(key), value, prefix.length);
    }
    case "readConflict":
      return transaction.addReadConflictRange(keyBytes(step[1]), keyBytes(step[2]));
    case "writeConflict":
      return transaction.addWriteConflictRange(keyBytes(step[1]), keyBytes(step[2]));
    case "skipConflict":
      return transaction.skipNextWriteConflict();
    case "increment": {
      const bytes = keyBytes(textOf(BigInt(step[2]), COUNTER_BYTES));
      return transaction.atomic("add", keyBytes(onceKey(step[1])), bytes);
    }
    case "count": {
      const [, counter, id, amount] = step;
      const bytes = textOf(BigInt(amount), COUNTER_BYTES);
      transaction.atomic("add", keyBytes(counterKey(counter)), keyBytes(bytes));
      return transaction.set(keyBytes(logKey(counter, id)), keyBytes(bytes));
    }
  }
}

const NO_STAMP = "\0".repeat(STAMP_BYTES);

async function walk(
  transaction: Transaction,
  [, begin, end, rows, reverse]: Of<"walk">,
  turn: () => Promise<void>,
): Promise<void> {
  let left = rows;
  for await (const _ of transaction.getRange(keyBytes(begin), keyBytes(end), { reverse })) {
    if (--left <= 0) break;
    await turn();
  }
}

/** FoundationDB's Cycle: a → b → c → d becomes a → c → b → d, by three reads and three writes. */
async function rotate(
  transaction: Transaction,
  nodes: number,
  at: number,
  turn: () => Promise<void>,
): Promise<void> {
  const nextOf = async (node: number): Promise<number | null> => {
    const value = await transaction.get(keyBytes(nodeKey(node)));
    await turn();
    return value === undefined ? null : Number(keyText(value));
  };
  const link = (from: number, to: number): void =>
    transaction.set(keyBytes(nodeKey(from)), keyBytes(String(to)));
  const second = await nextOf(at);
  if (second === null) {
    for (let node = 0; node < nodes; node++) link(node, (node + 1) % nodes);
    return;
  }
  const third = await nextOf(second);
  const fourth = third === null ? null : await nextOf(third);
  if (third === null || fourth === null) {
    throw new OracleFailure("O31", `${RING}: node ${third ?? second} of the ring is not there`);
  }
  link(at, third);
  link(third, second);
  link(second, fourth);
}

async function transfer(
  transaction: Transaction,
  [, accounts, from, to, amount]: Of<"transfer">,
  turn: () => Promise<void>,
): Promise<void> {
  const balance = async (account: number): Promise<number | null> => {
    const value = await transaction.get(keyBytes(accountKey(account)));
    await turn();
    return value === undefined ? null : Number(keyText(value));
  };
  const set = (account: number, money: number): void =>
    transaction.set(keyBytes(accountKey(account)), keyBytes(String(money)));
  const there = await balance(from);
  if (there === null) {
    for (let account = 0; account < accounts; account++) set(account, FIRST_BALANCE);
    return;
  }
  const other = await balance(to);
  if (other === null) throw new OracleFailure("O31", `${ACCOUNTS}: account ${to} is not there`);
  const moved = Math.min(amount, there);
  if (from === to) return;
  set(from, there - moved);
  set(to, other + moved);
}

async function audit(
  transaction: Transaction,
  accounts: number,
  how: "points" | "range" | "reverse",
  turn: () => Promise<void>,
): Promise<void> {
  const balances: number[] = [];
  if (how === "points") {
    for (let account = 0; account < accounts; account++) {
      const value = await transaction.get(keyBytes(accountKey(account)));
      if (value !== undefined) balances.push(Number(keyText(value)));
      await turn();
    }
  } else {
    const reverse = how === "reverse";
    const begin = keyBytes(accountKey(0));
    for await (const [, value] of transaction.getRange(begin, keyBytes(accountKey(accounts)), { reverse })) {
      balances.push(Number(keyText(value)));
      await turn();
    }
  }
  if (balances.length === 0) return;
  const sum = balances.reduce((total, balance) => total + balance, 0);
  if (balances.length === accounts && sum === accounts * FIRST_BALANCE) return;
  throw new OracleFailure(
    "O31",
    `${ACCOUNTS}: an audit finds ${sum} in ${balances.length} of ${accounts} accounts`,
  );
}

/** Write skew's own example: each reads both and changes only itself. */
async function changeDuty(
  transaction: Transaction,
  pair: number,
  side: number,
  turn: () => Promise<void>,
): Promise<void> {
  const isOff = async (which: number): Promise<boolean> => {
    const value = await transaction.get(keyBytes(dutyKey(pair, which)));
    await turn();
    return value !== undefined && keyText(value) === "off";
  };
  const own = await isOff(side);
  const other = await isOff(1 - side);
  if (own && other) throw new OracleFailure("O31", `duty: of pair ${pair} both are off`);
  transaction.set(keyBytes(dutyKey(pair, side)), keyBytes(own || other ? "on" : "off"));
}

async function file(transaction: Transaction, suffix: string): Promise<void> {
  const last = await transaction.get(keyBytes(LAST_NUMBER));
  const next = textOf(1n + numberOf(last === undefined ? "" : keyText(last)), COUNTER_BYTES);
  transaction.set(keyBytes(LAST_NUMBER), keyBytes(next));
  transaction.setVersionstampedKey(keyBytes(FILED + NO_STAMP + suffix), FILED.length, keyBytes(next));
}

/** A new directory must be given a prefix that is not in use; one that was there must be the one it was. */
async function useDirectory(
  transaction: Transaction,
  random: Random,
  number: number,
  how: "open" | "remove",
): Promise<void> {
  const layer = DirectoryLayer.create(random);
  const name = String(number);
  const isThere = await layer.exists(transaction, [name]);
  if (how === "remove") {
    if (isThere) await layer.remove(transaction, [name]);
    return;
  }
  const { prefix } = await layer.createOrOpen(transaction, [name]);
  const nameKey = keyText(prefix) + DIRECTORY_NAME;
  const rows = await transaction.getRangeAll(prefix, keyBytes(`${keyText(prefix)}\xff`));
  const found = rows.map(([key, value]) => `${keyText(key)} = ${keyText(value)}`).join();
  const due = isThere ? `${nameKey} = ${name}` : "";
  if (found !== due) {
    throw new OracleFailure(
      "O31",
      `directories: ${isThere ? "old" : "new"} directory ${name} holds ${JSON.stringify(found)}`,
    );
  }
  transaction.set(keyBytes(nameKey), keyBytes(name));
}
