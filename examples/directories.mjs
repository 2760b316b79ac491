/**
 * Directories: where a program's data lives, under paths that can be moved, listed and removed as folders can, while keys
 * stay short and stay where they are. Prints what it does. Its database is ./directories.db, or the directory given.
 *
 *   node examples/directories.mjs [DIRECTORY]
 */
import { directoryLayer, openDatabase } from "stillwater";

const database = await openDatabase(process.argv[2] ?? "./directories.db");
const directories = directoryLayer();
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const text = (bytes) => Buffer.from(bytes).toString();

// A directory is a subspace with a prefix of its own, two or three bytes long, found under a path.
const users = await directories.createOrOpen(database, ["shop", "users"]);
const orders = await directories.createOrOpen(database, ["shop", "orders"], { layer: "log" });
console.log(`/shop/users has the prefix ${hex(users.prefix)}, /shop/orders ${hex(orders.prefix)}`);

await database.transact((transaction) => {
  transaction.set(users.pack(["ada"]), Buffer.from("Ada Lovelace"));
  transaction.set(orders.pack(["ada", 1]), Buffer.from("one engine, analytical"));
});

// Directory and contents change in one transaction, or not at all.
await database.transact(async (transaction) => {
  const archive = await directories.createOrOpen(transaction, ["archive"]);
  await orders.moveTo(transaction, [...archive.path, "orders 1843"]);
  await directories.create(transaction, ["shop", "orders"], { layer: "log" });
});
const archived = await directories.open(database, ["archive", "orders 1843"], { layer: "log" });
await database.read(async (transaction) => {
  const { begin, end } = archived.range();
  for await (const [key, value] of transaction.getRange(begin, end)) {
    console.log(`/${archived.path.join("/")}: ${archived.unpack(key).join(", ")} = ${text(value)}`);
  }
});

// A tenant in a partition: everything of it begins with one prefix, so it can be measured, copied or removed as a whole.
const tenant = await directories.createOrOpen(database, ["tenants", "acme"], { layer: "partition" });
const settings = await tenant.createOrOpen(database, ["settings"]);
await database.transact((transaction) => transaction.set(settings.pack(["theme"]), Buffer.from("dark")));
console.log(`in the partition /tenants/acme: ${(await tenant.list(database)).join(", ")}`);
await tenant.remove(database);

// Misuse is an error with a code, and leaves everything as it was.
await directories
  .open(database, ["shop", "orders"], { layer: "queue" })
  .catch((error) => console.log(`${error.code}: ${error.message}`));

console.log(`at the top: ${(await directories.list(database)).join(", ")}`);
await directories.remove(database, ["shop"]);
await directories.remove(database, ["archive"]);
await database.close();
