/** The record suite on every database that needs no server. On three-node etcd: test/etcd-cluster/records.test.ts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { ReferenceDatabase } from "../../sim/model/database/reference-database.js";
import { openEtcdDatabase } from "../../src/backend/etcd/database.js";
import { openFoundationDatabase } from "../../src/backend/foundationdb/database.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import type { Database } from "../../src/transaction/transaction.js";
import { FakeEtcd } from "../backend/fake-etcd.js";
import { fakeFoundationdb } from "../backend/fake-foundationdb.js";
import { runSimulated } from "../transaction/contract/simulated.js";
import { defineRecordSuite, type RecordBackend } from "./suite/record-suite.js";

const world = nodePlatform();
const folder = mkdtempSync(join(tmpdir(), "stillwater-records-"));
afterAll(() => rmSync(folder, { recursive: true }));
let stores = 0;
const inMemory = async (): Promise<Database> =>
  openEngineDatabase("/db", {}, nodePlatform({ vfs: await createMemoryVFS() }));

function backend(name: string, open: () => Promise<Database>): RecordBackend {
  return {
    name,
    run: async (body) => {
      const database = await open();
      try {
        await body(database, world);
      } finally {
        await database.close();
      }
    },
  };
}

defineRecordSuite(backend("the engine in memory", inMemory));
defineRecordSuite(
  backend("the engine on files", () =>
    openEngineDatabase(join(folder, String(++stores)), {}, nodePlatform()),
  ),
);
defineRecordSuite(backend("the reference model", async () => new ReferenceDatabase(world)));
defineRecordSuite({ name: "the simulated engine", run: (body) => runSimulated(body) });
defineRecordSuite(
  backend("a fake of etcd", async () => {
    const etcd = new FakeEtcd();
    etcd.maxOperations = 20_000;
    return openEtcdDatabase(
      { hosts: etcd.hosts, maxOperations: etcd.maxOperations, watchIntervalMs: 1 },
      world,
      etcd.connect,
    );
  }),
);
defineRecordSuite(
  backend("a fake of FoundationDB", async () =>
    openFoundationDatabase({}, fakeFoundationdb(await inMemory())),
  ),
);
