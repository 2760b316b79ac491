import Conf from "conf";
import { startWith } from "../durable-start.mjs";
import { contentOf } from "../old-or-new.mjs";

startWith("/data/db.json", JSON.stringify(contentOf(0)));
const config = new Conf({ cwd: "/data", configName: "db" });
for (let version = 1; version <= 2; version++) {
  config.set(contentOf(version));
  console.log(version);
}
