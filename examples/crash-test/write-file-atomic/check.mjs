// README, "Description": "Atomically and asynchronously writes data to a file, replacing the file if it already exists."
// So the old content or the new one, whole. That the new one is durable once the promise resolves is not said.
import { beyond, expectNewest, expectWholeVersion } from "../old-or-new.mjs";

export default ({ acknowledged }) => {
  expectWholeVersion("/data/db.json", acknowledged);
  if (beyond && acknowledged.includes("ready")) expectNewest("/data/db.json", acknowledged);
};
