import Datastore from "@seald-io/nedb";

const db = new Datastore({ filename: "/data/db" });
await db.loadDatabaseAsync();
// Enough lines that a damaged one stays below the threshold of 10 % that the package has for loading.
await db.insertAsync(Array.from({ length: 30 }, (_, index) => ({ _id: `base-${index}` })));
await db.compactDatafileAsync();
console.log("compacted");
for (let version = 1; version <= 2; version++) {
  await db.insertAsync({ _id: `later-${version}` });
  console.log(`later-${version}`);
}
await db.compactDatafileAsync();
console.log("compacted");
