// Whole, and never older than what was acknowledged: what the right way may promise.
import { expectNewest, expectWholeVersion } from "../old-or-new.mjs";

export default ({ acknowledged }) => {
  expectWholeVersion("/data/db.json", acknowledged);
  if (acknowledged.includes("ready")) expectNewest("/data/db.json", acknowledged);
};
