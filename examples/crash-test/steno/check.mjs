// README, "Features": "Safe: No partial writes (writes are atomic)". It does not say against what.
import { beyond, expectNewest, expectWholeVersion } from "../old-or-new.mjs";

export default ({ acknowledged }) => {
  expectWholeVersion("/data/db.json", acknowledged);
  if (beyond && acknowledged.includes("ready")) expectNewest("/data/db.json", acknowledged);
};
