/**
 * The keys and values of directories, byte by byte, as FoundationDB's clients write them: what is literal here was worked
 * out by hand from its layout. So directories made by one client are found by every other.
 */
import { describe, expect, test } from "vitest";
import { DirectoryLayer } from "../../src/keyspace/directory-layer.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { Random } from "../../src/platform/platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import type { Database } from "../../src/transaction/transaction.js";

const text = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The numbers given, then zeros. */
function drawing(...numbers: number[]): Random {
  return { nextUint32: () => numbers.shift() ?? 0 };
}

const open = async (): Promise<Database> =>
  openEngineDatabase("/db", {}, nodePlatform({ vfs: await createMemoryVFS() }));

async function dump(db: Database): Promise<Record<string, string>> {
  const rows = await db.read((tx) => tx.getRangeAll(text(""), text("ff")));
  return Object.fromEntries(rows.map(([key, value]) => [hex(key), hex(value)]));
}

/** A literal with spaces for the reader. */
function expected(rows: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(rows).map(([key, value]) => [key.replaceAll(" ", ""), value.replaceAll(" ", "")]),
  );
}

/** The node of the root: the subspace 0xFE, then 0xFE as a byte string. */
const ROOT = "fe 01fe00";
const VERSION = `${ROOT} 0176657273696f6e00`;
const COUNTERS = `${ROOT} 0168636100 14`;
const RECENT = `${ROOT} 0168636100 1501`;
const LAYER = "016c6179657200";
const VERSION_1_0_0 = "01000000 00000000 00000000";

describe("the rows", () => {
  test("of /a/b: version, allocator, and for each node its link and its layer", async () => {
    await using db = await open();
    const directory = await DirectoryLayer.create(drawing(37, 12)).createOrOpen(db, ["a", "b"]);
    // The directory asked for is allocated first, then its parents.
    expect(hex(directory.prefix)).toBe("1525");
    expect(await dump(db)).toEqual(
      expected({
        [VERSION]: VERSION_1_0_0,
        [`${COUNTERS} 14`]: "0200000000000000",
        [`${RECENT} 150c`]: "",
        [`${RECENT} 1525`]: "",
        [`${ROOT} 14 026100`]: "150c",
        [`fe 01150c00 ${LAYER}`]: "",
        [`fe 01150c00 14 026200`]: "1525",
        [`fe 01152500 ${LAYER}`]: "",
      }),
    );
  });

  test("of layers, names with zeros and beyond ASCII, and a prefix given by hand", async () => {
    await using db = await open();
    const layer = DirectoryLayer.create(drawing(1), { allowManualPrefixes: true });
    await layer.create(db, ["x\0y\u00fc"], { layer: "queue", prefix: text("00 61") });
    expect(await dump(db)).toEqual(
      expected({
        [VERSION]: VERSION_1_0_0,
        [`${ROOT} 14 02 78 00ff 79 c3bc 00`]: "0061",
        [`fe 01 00ff 61 00 ${LAYER}`]: "7175657565",
      }),
    );
  });

  test("of a partition: a tree of its own below its prefix and 0xFE, and contents below its prefix", async () => {
    await using db = await open();
    const directory = await DirectoryLayer.create(drawing(5, 9)).create(db, ["p"], { layer: "partition" });
    await directory.create(db, ["q"]);
    const inner = "1505 fe 01 1505fe 00";
    expect(await dump(db)).toEqual(
      expected({
        [`${inner} 0168636100 14 14`]: "0100000000000000",
        [`${inner} 0168636100 1501 1509`]: "",
        [`${inner} 0176657273696f6e00`]: VERSION_1_0_0,
        [`${inner} 14 027100`]: "1505 1509",
        [`1505 fe 01 15051509 00 ${LAYER}`]: "",
        [VERSION]: VERSION_1_0_0,
        [`${COUNTERS} 14`]: "0100000000000000",
        [`${RECENT} 1505`]: "",
        [`${ROOT} 14 027000`]: "1505",
        [`fe 01150500 ${LAYER}`]: "706172746974696f6e",
      }),
    );
  });

  test("after a move: the link alone; after a removal: nothing but version and allocator", async () => {
    await using db = await open();
    const layer = DirectoryLayer.create(drawing(3, 4));
    const directory = await layer.create(db, ["a"]);
    await layer.create(db, ["a", "b"]);
    await db.transact((tx) => tx.set(directory.pack([1]), text("76")));
    const before = await dump(db);
    await layer.move(db, ["a"], ["z"]);
    const { [expectedKey(`${ROOT} 14 026100`)]: link, ...rest } = before;
    expect(await dump(db)).toEqual({ ...rest, [expectedKey(`${ROOT} 14 027a00`)]: link });
    await layer.remove(db, ["z"]);
    expect(Object.keys(await dump(db))).toEqual(
      Object.keys(
        expected({ [`${COUNTERS} 14`]: "", [`${RECENT} 1503`]: "", [`${RECENT} 1504`]: "", [VERSION]: "" }),
      ),
    );
  });

  test("made by another client are read, with layers, children and a newer micro version", async () => {
    await using db = await open();
    await db.transact((tx) => {
      tx.set(text(VERSION), text("01000000 00000000 07000000"));
      tx.set(text(`${ROOT} 14 026100`), text("15ff"));
      tx.set(text(`fe 0115ff00 ${LAYER}`), text("71"));
      tx.set(text(`fe 0115ff00 14 026200`), text("160123"));
      tx.set(text(`fe 0116012300 ${LAYER}`), text(""));
    });
    const layer = DirectoryLayer.create(drawing());
    expect(await layer.list(db)).toEqual(["a"]);
    expect(await layer.list(db, ["a"])).toEqual(["b"]);
    const directory = await layer.open(db, ["a"], { layer: text("71") });
    expect(hex(directory.pack(["x"]))).toBe("15ff027800");
    expect(hex((await directory.open(db, ["b"])).prefix)).toBe("160123");
  });
});

describe("the allocator", () => {
  test("leaves a window when it is half full, clears what it left, and widens", async () => {
    await using db = await open();
    await db.transact((tx) => {
      tx.set(text(`${COUNTERS} 15c0`), text("1e00000000000000")); // 30 of 64 drawn from 192
      tx.set(text(`${RECENT} 15c1`), text(""));
    });
    const layer = DirectoryLayer.create(drawing(1, 0, 0, 1023));
    // 1 is taken, 0 makes it 31; with the next it is half full: on to 256, the first window of 1024.
    expect(hex((await layer.create(db, ["a"])).prefix)).toBe("15c0");
    expect(hex((await layer.create(db, ["b"])).prefix)).toBe("160100");
    expect(hex((await layer.create(db, ["c"])).prefix)).toBe("1604ff");
    const rows = Object.keys(await dump(db)).filter((key) => key.startsWith(expectedKey(`${ROOT} 01686361`)));
    expect(rows).toEqual(
      [`${COUNTERS} 160100`, `${RECENT} 160100`, `${RECENT} 1604ff`].map((key) => expectedKey(key)),
    );
  });
});

function expectedKey(key: string): string {
  return key.replaceAll(" ", "");
}
