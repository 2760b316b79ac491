/** The contract of `Database` on the backends that run everywhere. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { ReferenceDatabase } from "../../sim/model/database/reference-database.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import { type ContractBackend, SharedDatabase } from "./contract/backend.js";
import { runSimulated } from "./contract/simulated.js";
import { defineContract } from "./contract.js";

const folder = mkdtempSync(join(tmpdir(), "stillwater-contract-"));
let count = 0;
// Its own syncs have tests of their own; here they would be most of the time.
const onDisk = new SharedDatabase((transactions) =>
  openEngineDatabase(
    join(folder, String(++count)),
    { transactions: { durability: "buffered", ...transactions } },
    nodePlatform(),
  ),
);
const inMemory = new SharedDatabase(async (transactions) =>
  openEngineDatabase("/db", { transactions }, nodePlatform({ vfs: await createMemoryVFS() })),
);
const reference = new SharedDatabase(
  async (transactions) => new ReferenceDatabase(nodePlatform(), transactions),
);

const BACKENDS: readonly ContractBackend[] = [
  { name: "the engine on the real file system", run: (body, setting) => onDisk.run(body, setting) },
  { name: "the engine in memory", run: (body, setting) => inMemory.run(body, setting) },
  { name: "the engine on a simulated disk", run: runSimulated },
  { name: "the reference model", run: (body, setting) => reference.run(body, setting) },
];

for (const backend of BACKENDS) describe(backend.name, () => defineContract(backend));

afterAll(async () => {
  await onDisk.close();
  await inMemory.close();
  rmSync(folder, { recursive: true });
});
