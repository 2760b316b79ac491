// README, "Features": "Safe atomic writes". It does not say against what.
import { JSONFilePreset } from "lowdb/node";
import { beyond, expectNewest, expectWholeVersion } from "../old-or-new.mjs";

export default async ({ acknowledged }) => {
  if (!acknowledged.includes("ready")) return;
  await JSONFilePreset("/data/db.json", {}); // throws when it cannot read what is there
  expectWholeVersion("/data/db.json", acknowledged);
  if (beyond) expectNewest("/data/db.json", acknowledged);
};
