/** The record suite on a cluster of three, whose leader is killed without notice while a case in the middle runs. */
import { afterAll, beforeAll, describe, expect } from "vitest";
import { openEtcdDatabase } from "../../src/backend/etcd/database.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { defineRecordSuite } from "../collection/suite/record-suite.js";
import { MAX_OPERATIONS, TestCluster } from "./cluster.js";

const KILLED_IN_CASE = 6;
const RESTARTED_IN_CASE = 12;

describe("etcd, three members, the leader killed midway", () => {
  let cluster: TestCluster;
  let cases = 0;
  let killed: Promise<number> | null = null;

  beforeAll(async () => {
    cluster = await TestCluster.start();
  });

  afterAll(async () => {
    await cluster?.stop();
    expect(cases, "cases after the restart").toBeGreaterThan(RESTARTED_IN_CASE);
  });

  defineRecordSuite({
    name: "three-node etcd",
    run: async (body) => {
      cases++;
      if (cases === KILLED_IN_CASE) killed = cluster.killLeader();
      if (cases === RESTARTED_IN_CASE && killed !== null) cluster.restart(await killed);
      const platform = nodePlatform();
      const options = {
        hosts: cluster.hosts,
        prefix: `records ${cases}/`,
        maxOperations: MAX_OPERATIONS,
        attemptTimeoutMs: 500,
        // An election takes longer than most transactions have.
        transactions: { timeoutMs: 30_000 },
      };
      const database = await openEtcdDatabase(options, platform);
      try {
        await body(database, platform);
      } finally {
        await database.close();
      }
    },
  });
});
