import storage from "node-persist";

const store = storage.create({ dir: "/data/store" });
await store.init();
for (const key of ["a", "b"]) {
  await store.setItem(key, "x".repeat(6000));
  console.log(key);
}
await store.setItem("a", "y".repeat(6000));
console.log("a again");
store.stopExpiredKeysInterval();
store.stopWriteQueueInterval();
