/**
 * Money moves between accounts by eight clients at once while the leader is killed: none is made or lost, at any version that
 * an auditor reads, and every transfer that was acknowledged has left its receipt.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { openEtcdDatabase } from "../../src/backend/etcd/database.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { Database, Transaction } from "../../src/transaction/transaction.js";
import { b, s } from "../transaction/contract/support.js";
import { MAX_OPERATIONS, TestCluster } from "./cluster.js";

const CLIENTS = 8;
const ACCOUNTS = 16;
const OPENING_BALANCE = 100;
const TRANSFERS_PER_CLIENT = 60;
const TRANSFERS = CLIENTS * TRANSFERS_PER_CLIENT;

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
});

afterAll(() => cluster?.stop());

function open(): Promise<Database> {
  return openEtcdDatabase(
    {
      hosts: cluster.hosts,
      maxOperations: MAX_OPERATIONS,
      attemptTimeoutMs: 500,
      transactions: { timeoutMs: 60_000, retryLimit: -1, maxRetryDelayMs: 50 },
    },
    nodePlatform(),
  );
}

const account = (number: number): Uint8Array => b(`account/${String(number).padStart(2, "0")}`);

async function balanceOf(tx: Transaction, number: number): Promise<number> {
  return Number(s(await tx.get(account(number))));
}

async function sum(db: Database): Promise<number> {
  const rows = await db.read((tx) => tx.getRangeAll(b("account/"), b("account0")));
  expect(rows.length).toBe(ACCOUNTS);
  return rows.reduce((total, [, value]) => total + Number(s(value)), 0);
}

async function transfer(db: Database, from: number, to: number, receipt: string): Promise<void> {
  await db.transact(async (tx) => {
    const [rich, poor] = [await balanceOf(tx, from), await balanceOf(tx, to)];
    const amount = Math.min(rich, 1 + ((from + to) % 7));
    tx.set(account(from), b(String(rich - amount)));
    tx.set(account(to), b(String(poor + amount)));
    tx.set(b(receipt), b(`${from} ${to} ${amount}`));
    tx.atomic("add", b("transfers"), Uint8Array.of(1, 0, 0, 0));
  });
}

test("eight clients move money while the leader dies: the sum stands, and no acknowledged transfer is lost", async () => {
  const auditor = await open();
  const clients = await Promise.all(Array.from({ length: CLIENTS }, open));
  await auditor.transact((tx) => {
    for (let i = 0; i < ACCOUNTS; i++) tx.set(account(i), b(String(OPENING_BALANCE)));
  });
  const acknowledged: string[] = [];
  let killed: number | null = null;
  let isOver = false;
  const audit = (async () => {
    while (!isOver) expect(await sum(auditor)).toBe(ACCOUNTS * OPENING_BALANCE);
  })();
  const acknowledge = async (receipt: string): Promise<void> => {
    acknowledged.push(receipt);
    if (acknowledged.length === TRANSFERS / 4) killed = await cluster.killLeader();
    if (acknowledged.length === (TRANSFERS * 3) / 4 && killed !== null) cluster.restart(killed);
  };
  await Promise.all(
    clients.map(async (db, client) => {
      for (let n = 0; n < TRANSFERS_PER_CLIENT; n++) {
        const receipt = `receipt/${client}/${n}`;
        // Every client walks through the pairs of accounts in an order of its own.
        const from = (client * 5 + n * 7) % ACCOUNTS;
        await transfer(db, from, (from + 1 + ((client + n) % (ACCOUNTS - 1))) % ACCOUNTS, receipt);
        await acknowledge(receipt);
      }
    }),
  );
  isOver = true;
  await audit;
  await cluster.untilHealthy();
  const receipts = await auditor.read((tx) => tx.getRangeAll(b("receipt/"), b("receipt0")));
  expect(receipts.map(([key]) => s(key)).sort()).toEqual([...acknowledged].sort());
  expect(acknowledged.length).toBe(TRANSFERS);
  const counted = (await auditor.read((tx) => tx.get(b("transfers")))) as Uint8Array; // just added to
  expect(Buffer.from(counted).readUInt32LE()).toBe(TRANSFERS);
  expect(await sum(auditor)).toBe(ACCOUNTS * OPENING_BALANCE);
  expect(killed).not.toBeNull();
  for (const db of [...clients, auditor]) await db.close();
});
