import writeFileAtomic from "write-file-atomic";
import { startWith } from "../durable-start.mjs";
import { contentOf } from "../old-or-new.mjs";

startWith("/data/db.json", JSON.stringify(contentOf(0)));
for (let version = 1; version <= 2; version++) {
  await writeFileAtomic("/data/db.json", JSON.stringify(contentOf(version)));
  console.log(version);
}
