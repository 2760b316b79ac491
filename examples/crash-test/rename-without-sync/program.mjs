// A temporary file and a rename, without a sync in between: atomic for other processes, not for the power.
import { rename, writeFile } from "node:fs/promises";
import { startWith } from "../durable-start.mjs";
import { contentOf } from "../old-or-new.mjs";

startWith("/data/db.json", JSON.stringify(contentOf(0)));
for (let version = 1; version <= 2; version++) {
  await writeFile("/data/db.json.tmp", JSON.stringify(contentOf(version)));
  await rename("/data/db.json.tmp", "/data/db.json");
  console.log(version);
}
