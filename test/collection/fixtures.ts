/** A database over the engine on files in memory, and what a record store needs beside it. */
import type { RecordWorld } from "../../src/collection/shared-store.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";

export async function memoryDatabase(): Promise<StorageDatabase> {
  return openEngineDatabase("/store", {}, nodePlatform({ vfs: await createMemoryVFS() }));
}

export function memoryWorld(): RecordWorld {
  return nodePlatform();
}
