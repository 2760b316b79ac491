/** Versionstamps: where they go, how they order, what cannot be read before they are known. */
import { expect } from "vitest";
import { lastLessThan } from "../../../src/transaction/key-selector.js";
import type { Transaction } from "../../../src/transaction/transaction.js";
import type { ContractCase } from "./backend.js";
import { b, everything, fails, fill, rows, s } from "./support.js";

const TEN = "0123456789";

export function defineVersionstampCases(test: ContractCase): void {
  const keys = { needs: "versionstampedKeys" } as const;
  const values = { needs: "versionstampedValues" } as const;

  test(
    "versionstamps: the ten bytes go to the offset, at both borders and alone",
    async (db) => {
      const tx = db.createTransaction();
      tx.setVersionstampedKey(b(`${TEN}<key`), 0, b("first"));
      tx.setVersionstampedKey(b(`key>${TEN}`), 4, b("last"));
      tx.setVersionstampedValue(b("alone"), b(TEN), 0);
      tx.setVersionstampedValue(b("first"), b(`${TEN}<`), 0);
      tx.setVersionstampedValue(b("last"), b(`>${TEN}`), 1);
      const stamp = tx.getVersionstamp();
      await tx.commit();
      const text = s(await stamp) as string;
      const expected = [
        `${text}<key=first`,
        `alone=${text}`,
        `first=${text}<`,
        `key>${text}=last`,
        `last=>${text}`,
      ];
      expect(await everything(db)).toEqual(expected.sort());
      expect(Buffer.from(text, "latin1").readBigUInt64BE()).toBe(BigInt(tx.getCommittedVersion()));
    },
    keys,
  );

  test(
    "versionstamps: an offset that does not fit is refused",
    async (db) => {
      const tx = db.createTransaction();
      for (const offset of [-1, 0.5, 1, 2 ** 32, Number.NaN]) {
        expect(() => tx.setVersionstampedKey(b(TEN), offset, b(""))).toThrow(
          fails("CLIENT_INVALID_OPERATION") as Error,
        );
        expect(() => tx.setVersionstampedValue(b("k"), b(TEN), offset)).toThrow(
          fails("CLIENT_INVALID_OPERATION") as Error,
        );
      }
      expect(() => tx.setVersionstampedKey(b("012345678"), 0, b(""))).toThrow(
        fails("CLIENT_INVALID_OPERATION") as Error,
      );
      tx.cancel();
    },
    keys,
  );

  test(
    "versionstamps: of commits at the same time each has its own",
    async (db) => {
      await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          db.transact((tx) => tx.setVersionstampedKey(b(`log/${TEN}`), 4, b(String(i)))),
        ),
      );
      expect((await everything(db)).length).toBe(10);
    },
    keys,
  );

  const unreadable = async (tx: Transaction, read: Promise<unknown>): Promise<void> => {
    await expect(read).rejects.toEqual(fails("ACCESSED_UNREADABLE"));
    tx.cancel();
  };

  test(
    "versionstamps: what was there can be read, what the commit will put there cannot",
    async (db) => {
      await db.transact((tx) => tx.setVersionstampedKey(b(`log/${TEN}`), 4, b("old")));
      const [old] = await everything(db);
      const append = async (): Promise<Transaction> => {
        const tx = db.createTransaction();
        await tx.getReadVersion();
        tx.setVersionstampedKey(b(`log/${TEN}`), 4, b("new"));
        return tx;
      };
      const tx = await append();
      expect(rows(await tx.getRangeAll(b("log/"), b("log0"), { limit: 1 }))).toEqual([old]);
      expect(rows(await tx.getRangeAll(b("log0"), b("z")))).toEqual([]);
      await unreadable(tx, tx.getRangeAll(b("log/"), b("log0")));
      const back = await append();
      await unreadable(back, back.getRangeAll(b("log/"), b("log0"), { reverse: true, limit: 1 }));
      const selected = await append();
      await unreadable(selected, selected.getKey({ key: b("log0"), orEqual: false, offset: 0 }));
      const snapshot = await append();
      await unreadable(snapshot, snapshot.snapshot.get(b(`log/${"\xff".repeat(10)}`)));
      const without = db.createTransaction({ readYourWrites: false });
      without.setVersionstampedKey(b(`log/${TEN}`), 4, b("new"));
      expect(rows(await without.getRangeAll(b("log/"), b("log0")))).toEqual([old]);
      without.cancel();
    },
    keys,
  );

  test(
    "versionstamps: a read that is not waited for cannot read them either, whatever is written after it",
    async (db) => {
      const tx = db.createTransaction();
      tx.setVersionstampedKey(b(`log/${TEN}`), 4, b("new"));
      const read = tx.getRangeAll(b("log/"), b("log0"));
      tx.clearRange(b("log/"), b("log0"));
      await unreadable(tx, read);
    },
    keys,
  );

  test(
    "versionstamps: setting a stamped value anew does not make it readable, clearing it does",
    async (db) => {
      const tx = db.createTransaction();
      tx.setVersionstampedValue(b("k"), b(TEN), 0);
      tx.clear(b("k"));
      expect(await tx.get(b("k"))).toBeUndefined();
      tx.set(b("k"), b("1"));
      expect(s(await tx.get(b("k")))).toBe("1");
      tx.setVersionstampedValue(b("k"), b(TEN), 0);
      tx.set(b("k"), b("2"));
      await expect(tx.get(b("k"))).rejects.toEqual(fails("ACCESSED_UNREADABLE"));
      tx.cancel();
      await db.transact((other) => {
        other.setVersionstampedValue(b("k"), b(TEN), 0);
        other.set(b("k"), b("2"));
      });
      expect(await everything(db)).toEqual(["k=2"]);
    },
    values,
  );

  test(
    "versionstamps: a stamped key that is cleared afterwards is not written, one that is set afterwards is",
    async (db) => {
      await fill(db, "l");
      const tx = db.createTransaction();
      tx.setVersionstampedKey(b(`k${TEN}`), 1, b("gone"));
      tx.clearRange(b("k"), b("m"));
      expect(await tx.getRangeAll(b("k"), b("m"))).toEqual([]);
      tx.setVersionstampedKey(b(`k${TEN}`), 1, b("kept"));
      const stamp = tx.getVersionstamp();
      await tx.commit();
      expect(await everything(db)).toEqual([`k${s(await stamp)}=kept`]);
    },
    keys,
  );

  test(
    "versionstamps: the promise of a stamp fails with its commit",
    async (db) => {
      const tx = db.createTransaction();
      await tx.get(b("k"));
      tx.setVersionstampedValue(b("k"), b(TEN), 0);
      const stamp = tx.getVersionstamp();
      await fill(db, "k");
      await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
      await expect(stamp).rejects.toEqual(fails("NOT_COMMITTED"));
      const reset = db.createTransaction();
      const lost = reset.getVersionstamp();
      reset.reset();
      await expect(lost).rejects.toEqual(fails("TRANSACTION_CANCELLED"));
      reset.cancel();
    },
    values,
  );

  test(
    "versionstamps: a read across their places is refused also when more is written before its answer",
    async (db) => {
      const tx = db.createTransaction();
      tx.setVersionstampedKey(b(`k${TEN}`), 1, b(""));
      const read = tx.getKey(lastLessThan(b("\xff")));
      tx.clear(b("a"));
      await expect(read).rejects.toEqual(fails("ACCESSED_UNREADABLE"));
      tx.cancel();
    },
    keys,
  );
}
