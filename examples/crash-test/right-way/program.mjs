// Write a temporary file, sync it, rename it, sync the directory: old or new, and new once it is acknowledged.
import { open, rename, writeFile } from "node:fs/promises";
import { startWith } from "../durable-start.mjs";
import { contentOf } from "../old-or-new.mjs";

startWith("/data/db.json", JSON.stringify(contentOf(0)));
for (let version = 1; version <= 2; version++) {
  await writeFile("/data/db.json.tmp", JSON.stringify(contentOf(version)), { flush: true });
  await rename("/data/db.json.tmp", "/data/db.json");
  const directory = await open("/data");
  await directory.sync();
  await directory.close();
  console.log(version);
}
