// README: "Changes are written to disk atomically, so if the process crashes during a write, it will not corrupt the
// existing config." Of the power it says nothing.
import Conf from "conf";
import { beyond, expectNewest, expectWholeVersion } from "../old-or-new.mjs";

export default ({ acknowledged, crash }) => {
  if (!acknowledged.includes("ready") || (crash === "power-loss" && !beyond)) return;
  new Conf({ cwd: "/data", configName: "db" }).get("version");
  expectWholeVersion("/data/db.json", acknowledged);
  if (crash === "process-kill") expectNewest("/data/db.json", acknowledged);
};
