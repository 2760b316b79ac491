import { JSONFilePreset } from "lowdb/node";
import { startWith } from "../durable-start.mjs";
import { contentOf } from "../old-or-new.mjs";

startWith("/data/db.json", JSON.stringify(contentOf(0)));
const db = await JSONFilePreset("/data/db.json", {});
for (let version = 1; version <= 2; version++) {
  await db.update((data) => Object.assign(data, contentOf(version)));
  console.log(version);
}
