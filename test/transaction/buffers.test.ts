/** Callers may pass Buffers, whose `slice` shares memory, and use them again at once: nothing of ours is changed by that. */
import { expect, test } from "vitest";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";

test("keys, values and operands may change once the call has returned, and are never written to", async () => {
  await using db = await openEngineDatabase("/db", {}, nodePlatform({ vfs: await createMemoryVFS() }));
  const [set, operand, stamped, key] = ["set", "\x01", "<0123456789>", "k0123456789"].map((text) =>
    Buffer.from(text),
  ) as [Buffer, Buffer, Buffer, Buffer];
  const tx = db.createTransaction();
  tx.set(Buffer.from("a"), set);
  tx.atomic("add", Buffer.from("b"), operand);
  tx.setVersionstampedValue(Buffer.from("c"), stamped, 1);
  tx.setVersionstampedKey(key, 1, set);
  set.fill(0);
  operand.fill(0);
  const [stampedBefore, keyBefore] = [stamped.toString(), key.toString()];
  const stamp = tx.getVersionstamp();
  (await tx.get(Buffer.from("a")))?.fill(0);
  await tx.commit();
  expect([stamped.toString(), key.toString()]).toEqual([stampedBefore, keyBefore]);
  const rows = await db.read((later) => later.getRangeAll(Buffer.from(""), Buffer.from([0xff])));
  const hex = Buffer.from(await stamp).toString("hex");
  const text = (of: string): string => Buffer.from(of).toString("hex");
  expect(rows.map(([k, v]) => [Buffer.from(k).toString("hex"), Buffer.from(v).toString("hex")])).toEqual([
    [text("a"), text("set")],
    [text("b"), "01"],
    [text("c"), `${text("<")}${hex}${text(">")}`],
    [`${text("k")}${hex}`, text("set")],
  ]);
});
