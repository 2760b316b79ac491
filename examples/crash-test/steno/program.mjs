import { Writer } from "steno";
import { startWith } from "../durable-start.mjs";
import { contentOf } from "../old-or-new.mjs";

startWith("/data/db.json", JSON.stringify(contentOf(0)));
const file = new Writer("/data/db.json");
for (let version = 1; version <= 2; version++) {
  await file.write(JSON.stringify(contentOf(version)));
  console.log(version);
}
