import { expectWholeVersion } from "../old-or-new.mjs";

export default ({ acknowledged }) => expectWholeVersion("/data/db.json", acknowledged);
