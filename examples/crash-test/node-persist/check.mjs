// README, changes of 3.0.0: "we immediately persist to disk now". So an item is there once `setItem` has resolved, for the
// end of the process; nothing is said of one that is being overwritten, nor of the power. `forgiveParseErrors` is on, as
// the README advises for folders with files that are not valid: without it `init` refuses the file that a kill cut short.
import storage from "node-persist";
import { beyond } from "../old-or-new.mjs";

export default async ({ acknowledged, crash }) => {
  if (crash === "power-loss" && !beyond) return;
  const store = storage.create({ dir: "/data/store", forgiveParseErrors: true });
  await store.init();
  try {
    // While "a" is written a second time, only "b" is at rest.
    const rewriting = acknowledged.includes("b") && !acknowledged.includes("a again");
    for (const key of ["a", "b"]) {
      if (!acknowledged.includes(key) || (key === "a" && rewriting && !beyond)) continue;
      const value = await store.getItem(key);
      if (typeof value !== "string" || value.length !== 6000)
        throw new Error(`${key} is lost: ${String(value)}`);
    }
  } finally {
    store.stopExpiredKeysInterval();
    store.stopWriteQueueInterval();
  }
};
