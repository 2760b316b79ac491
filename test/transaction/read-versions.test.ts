/** Reads that may be a little old: which version they get, and that it costs no request. */
import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { StorageDatabase } from "../../src/transaction/database.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import { TransactionError } from "../../src/transaction/errors.js";
import { TRANSACTION_PRESETS } from "../../src/transaction/presets.js";
import type {
  CommitRequest,
  CommitResult,
  RowCursor,
  StorageView,
  StorageWatch,
  TransactionStorage,
} from "../../src/transaction/storage.js";
import { b, fails, s } from "./contract/support.js";
import { type ShiftedPlatform, shiftedPlatform } from "./fixtures/shifted-platform.js";

const AGE_MS = 2_000;

/** A storage far away that keeps every version of one key, and counts who asks it for the newest version. */
class FarStorage implements TransactionStorage {
  readonly values: (Uint8Array | undefined)[] = [undefined];
  asked = 0;

  openView(version: number | null): Promise<StorageView> {
    if (version === null) this.asked++;
    const at = version ?? this.values.length - 1;
    const rows = (): RowCursor => ({ next: () => null, lastKey: () => "", close: () => {} });
    return Promise.resolve({ version: at, get: () => this.values[at], rows, close: () => {} });
  }

  commit({ writes, readVersion, readConflicts }: CommitRequest): Promise<CommitResult> {
    const isOld = readVersion !== null && !readConflicts.isEmpty && readVersion < this.values.length - 1;
    if (isOld) return Promise.reject(new TransactionError("NOT_COMMITTED", "conflict"));
    const written = writes.lookUp("k");
    this.values.push(written?.kind === "known" ? written.value : undefined);
    return Promise.resolve({ version: this.values.length - 1, versionstamp: new Uint8Array(10) });
  }

  watch(): StorageWatch {
    return { changed: Promise.resolve(), cancel: () => {} };
  }
}

let platform: ShiftedPlatform;
let far: FarStorage;
let database: StorageDatabase;
const read = async (readVersionAgeMs: number): Promise<string | undefined> =>
  s(await database.read((tx) => tx.get(b("k")), { readVersionAgeMs }));
/** Somebody else's commit, of which this database hears nothing. */
const foreign = (value: string): number => far.values.push(b(value));

beforeEach(async () => {
  platform = await shiftedPlatform();
  far = new FarStorage();
  const { clock, scheduler, random } = platform;
  database = new StorageDatabase({ storage: far, clock, scheduler, random, close: () => Promise.resolve() });
});

describe("a read that may be old", () => {
  test("uses the version of an earlier one while it is young enough, without asking", async () => {
    foreign("1");
    expect(await read(AGE_MS)).toBe("1");
    foreign("2");
    expect(await read(AGE_MS)).toBe("1");
    expect(far.asked).toBe(1);
    expect(await read(0)).toBe("2");
    platform.pass(AGE_MS + 1);
    foreign("3");
    expect(await read(AGE_MS)).toBe("3");
    expect(far.asked).toBe(3);
  });

  test("sees what its own database has committed", async () => {
    expect(await read(AGE_MS)).toBeUndefined();
    await database.transact((tx) => tx.set(b("k"), b("mine")));
    expect(await read(AGE_MS)).toBe("mine");
    expect(far.asked).toBe(1);
  });

  test("reads the newest version from the second try on", async () => {
    foreign("1");
    await read(0);
    foreign("2");
    const seen: (string | undefined)[] = [];
    await database.transact(
      async (tx) => {
        seen.push(s(await tx.get(b("k"))));
        tx.set(b("k"), b("3"));
      },
      { readVersionAgeMs: AGE_MS },
    );
    expect(seen).toEqual(["1", "2"]);
  });
});

test("on the engine every read is of the newest version, whatever age is allowed", async () => {
  const engine = await openEngineDatabase("/db", {}, nodePlatform({ vfs: await createMemoryVFS() }));
  const options = TRANSACTION_PRESETS.batch;
  expect(await engine.read((tx) => tx.get(b("k")), options)).toBeUndefined();
  await engine.transact((tx) => tx.set(b("k"), b("1")));
  expect(s(await engine.read((tx) => tx.get(b("k")), options))).toBe("1");
  await engine.close();
});

test("every preset is a valid set of options, and an age beyond the life of a transaction is none", async () => {
  for (const preset of Object.values(TRANSACTION_PRESETS)) database.createTransaction(preset).cancel();
  expect(() => database.createTransaction({ readVersionAgeMs: 2_501 })).toThrow(
    fails("INVALID_OPTION_VALUE") as Error,
  );
});
