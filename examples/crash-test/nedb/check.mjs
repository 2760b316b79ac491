// Documentation of `Persistence` (lib/persistence.js): "compaction forces the OS to physically flush data to disk, while
// appends to the data file do not … The worst that can happen is a crash between two syncs, causing a loss of all data
// between the two syncs." So: what was there at a compaction survives everything, what was added since survives the end
// of the process, and then the datafile loads. Before the first compaction nothing was promised: a damaged datafile is
// refused by design (`corruptAlertThreshold`).
import Datastore from "@seald-io/nedb";
import { beyond } from "../old-or-new.mjs";

export default async ({ acknowledged, crash }) => {
  const synced = acknowledged.lastIndexOf("compacted");
  if (crash === "power-loss" && synced < 0 && !beyond) return;
  const kept = crash === "process-kill" || beyond ? acknowledged : acknowledged.slice(0, synced + 1);
  const db = new Datastore({ filename: "/data/db" });
  await db.loadDatabaseAsync();
  const ids = new Set(db.getAllData().map(({ _id }) => _id));
  const wanted = kept.filter((line) => line !== "compacted");
  if (synced >= 0) for (let index = 0; index < 30; index++) wanted.push(`base-${index}`);
  const missing = wanted.filter((id) => !ids.has(id));
  if (missing.length > 0) throw new Error(`missing: ${missing.join(", ")}`);
};
