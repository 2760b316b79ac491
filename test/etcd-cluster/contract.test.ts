/**
 * The contract of `Database` on a cluster of three, whose leader is killed without notice while a case in the middle runs,
 * and comes back later. No case knows of it.
 */
import { afterAll, beforeAll, describe, expect } from "vitest";
import { openEtcdDatabase } from "../../src/backend/etcd/database.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { SharedDatabase } from "../transaction/contract/backend.js";
import { defineContract } from "../transaction/contract.js";
import { MAX_OPERATIONS, TestCluster } from "./cluster.js";

const KILLED_IN_CASE = 120;
const RESTARTED_IN_CASE = 180;

describe("etcd, three members, the leader killed midway", () => {
  let cluster: TestCluster;
  let shared: SharedDatabase;
  let cases = 0;
  let killed: Promise<number> | null = null;

  beforeAll(async () => {
    cluster = await TestCluster.start();
    shared = new SharedDatabase((transactions) =>
      openEtcdDatabase(
        {
          hosts: cluster.hosts,
          prefix: `${cases}/`,
          maxOperations: MAX_OPERATIONS,
          attemptTimeoutMs: 500,
          watchIntervalMs: 20,
          // An election takes longer than most transactions have.
          transactions: { timeoutMs: 30_000, ...transactions },
        },
        nodePlatform(),
      ),
    );
  });

  afterAll(async () => {
    await shared?.close();
    await cluster?.stop();
    expect(cases, "cases after the restart").toBeGreaterThan(RESTARTED_IN_CASE);
  });

  defineContract({
    name: "etcd",
    limits: { largeTransactions: "TRANSACTION_TOO_LARGE" },
    run: async (body, setting) => {
      cases++;
      if (cases === KILLED_IN_CASE) killed = cluster.killLeader();
      if (cases === RESTARTED_IN_CASE && killed !== null) cluster.restart(await killed);
      await shared.run(body, setting);
    },
  });
});
