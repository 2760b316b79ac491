/** The contract of `Database` on the backends that run everywhere. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import { defineContract } from "./contract.js";

const folder = mkdtempSync(join(tmpdir(), "stillwater-contract-"));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;

describe("the engine on the real file system", () => {
  defineContract(() => openEngineDatabase(join(folder, String(++count)), {}, nodePlatform()));
});
