/**
 * What conflicts with what, exact to the key at both ends: for each way to read, the writes of others that make the commit
 * fail among writes next to what was read. Each begins with the rows b, d and f.
 *
 * Whether clearing what is not there conflicts is left open: no answer depends on it.
 * A write is written as "d" (set), "-d" (clear), "c..d" (clear of [c, d)) or "+c..d" (explicit range [c, d)).
 */
import { expect } from "vitest";
import {
  firstGreaterOrEqual,
  firstGreaterThan,
  lastLessOrEqual,
  lastLessThan,
} from "../../../src/transaction/key-selector.js";
import type { TransactionOptions } from "../../../src/transaction/options.js";
import type { Database, Transaction } from "../../../src/transaction/transaction.js";
import type { Capability, ContractCase } from "./backend.js";
import { b, fails, fill, rows, s, u64 } from "./support.js";

interface Expected {
  readonly conflicting: readonly string[];
  readonly harmless: readonly string[];
  readonly options?: TransactionOptions;
  readonly needs?: Capability;
}

type Reading = (tx: Transaction) => Promise<unknown> | unknown;

export function defineConflictCases(test: ContractCase): void {
  const exact = (name: string, read: Reading, expected: Expected): void => {
    const { conflicting, harmless, options = {}, needs } = expected;
    test(
      `conflicts, exact: ${name}`,
      async (db) => {
        const found: string[] = [];
        for (const write of [...conflicting, ...harmless]) {
          if (await conflicts(db, read, (tx) => apply(tx, write), options)) found.push(write);
        }
        expect(found).toEqual(conflicting);
      },
      needs === undefined ? {} : { needs },
    );
  };
  const ranges = { needs: "writeConflictRanges" } as const;

  exact("a key", (tx) => tx.get(b("d")), {
    conflicting: ["d", "-d", "c..d\0", "d..e", "a..z"],
    harmless: ["c", "c\xff", "d\0", "-e", "c..d", "d\0..e", "d..d"],
  });
  exact("a key and explicit writes", (tx) => tx.get(b("d")), {
    conflicting: ["+c..d\0", "+d..d\0", "+d..e"],
    harmless: ["+c..d", "+d\0..e", "+d..d"],
    ...ranges,
  });
  exact("a key that is not there", (tx) => tx.get(b("c")), {
    conflicting: ["c"],
    harmless: ["b", "c\0", "d", "-b"],
  });
  exact("a range", (tx) => range(tx, "b", "f", ["b=B", "d=D"]), {
    conflicting: ["b", "c", "d", "e\xff", "a..b\0", "d..f"],
    harmless: ["a\xff", "f", "f\0", "a..b", "f..g"],
  });
  exact(
    "a range as far as its limit let it read",
    (tx) => range(tx, "b", "z", ["b=B", "d=D"], { limit: 2 }),
    {
      conflicting: ["b", "c", "d", "d..e"],
      harmless: ["a", "d\0", "e", "f", "d\0..z"],
    },
  );
  exact(
    "a reverse range as far as its limit let it read",
    (tx) => range(tx, "a", "g", ["f=F"], { limit: 1, reverse: true }),
    { conflicting: ["f", "f\0", "f\xff", "e..g"], harmless: ["e\xff", "d", "g", "a..f"] },
  );
  exact(
    "a range with as many rows as its limit",
    (tx) => range(tx, "b", "g", ["b=B", "d=D", "f=F"], { limit: 3 }),
    {
      conflicting: ["f", "e"],
      harmless: ["f\0", "g"],
    },
  );
  exact(
    "a range with fewer rows than its limit",
    (tx) => range(tx, "b", "g", ["b=B", "d=D", "f=F"], { limit: 4 }),
    {
      conflicting: ["f\0", "f\xff"],
      harmless: ["a", "g"],
    },
  );
  exact("a range of no rows at all", (tx) => range(tx, "b", "f", [], { limit: 0 }), {
    conflicting: [],
    harmless: ["b", "c", "a..z"],
  });
  exact("an empty range", (tx) => range(tx, "c", "c", []), { conflicting: [], harmless: ["c", "b", "a..z"] });
  exact("a range that ends before it begins", (tx) => range(tx, "f", "b", []), {
    conflicting: [],
    harmless: ["b", "c", "f", "a..z"],
  });
  exact("a range without rows", (tx) => range(tx, "g", "i", []), {
    conflicting: ["g", "h", "h\xff"],
    harmless: ["f\xff", "i"],
  });

  const found = (
    tx: Transaction,
    selector: Parameters<Transaction["getKey"]>[0],
    key: string,
  ): Promise<void> => tx.getKey(selector).then((bytes) => expect(s(bytes)).toBe(key));
  exact("first greater or equal", (tx) => found(tx, firstGreaterOrEqual(b("c")), "d"), {
    conflicting: ["c", "c\0", "-d"],
    harmless: ["b", "b\xff", "d\0", "-e"],
  });
  exact("first greater than", (tx) => found(tx, firstGreaterThan(b("b")), "d"), {
    conflicting: ["b\0", "c", "-d"],
    harmless: ["-b", "d\0"],
  });
  exact("last less than", (tx) => found(tx, lastLessThan(b("d")), "b"), {
    conflicting: ["-b", "c", "c\xff"],
    harmless: ["a", "-d"],
  });
  exact("last less or equal", (tx) => found(tx, lastLessOrEqual(b("d")), "d"), {
    conflicting: ["-d"],
    harmless: ["c", "d\0"],
  });
  exact("a selector that goes up", (tx) => found(tx, firstGreaterOrEqual(b("c"), 1), "f"), {
    conflicting: ["c", "-d", "e", "-f"],
    harmless: ["b", "f\0"],
  });
  exact("a selector that goes down", (tx) => found(tx, lastLessOrEqual(b("e"), -1), "b"), {
    conflicting: ["-b", "c", "-d", "e"],
    harmless: ["a", "e\0", "f"],
  });
  exact("a selector beyond the end", (tx) => found(tx, firstGreaterOrEqual(b("g")), "\xff"), {
    conflicting: ["g", "zz"],
    harmless: ["f", "f\xff"],
  });
  exact("a selector before the begin", (tx) => found(tx, lastLessThan(b("b")), ""), {
    conflicting: ["", "a", "a\xff"],
    harmless: ["-b", "c"],
  });
  exact(
    "a range between selectors that name its bounds",
    (tx) => tx.getRangeAll(firstGreaterOrEqual(b("b")), firstGreaterOrEqual(b("e"))),
    { conflicting: ["b", "c", "d\xff"], harmless: ["a", "e", "-f"] },
  );
  exact(
    "a range between selectors that begin and end behind a key",
    (tx) => tx.getRangeAll(firstGreaterThan(b("b")), firstGreaterThan(b("d"))),
    { conflicting: ["b\0", "-d"], harmless: ["-b", "d\0"] },
  );
  exact("snapshot reads", (tx) => snapshotReads(tx), { conflicting: [], harmless: ["b", "c", "d", "a..z"] });

  const own = (name: string, read: Reading, expected: Expected): void =>
    exact(`${name}, own writes`, read, expected);
  own("a key that was set before it was read", (tx) => [tx.set(b("d"), b("1")), tx.get(b("d"))][1], {
    conflicting: [],
    harmless: ["d", "-d", "c..e"],
  });
  own("a key that was read before it was set", (tx) => tx.get(b("d")).then(() => tx.set(b("d"), b("1"))), {
    conflicting: ["d"],
    harmless: ["c"],
  });
  own("a key that was cleared before it was read", (tx) => [tx.clear(b("d")), tx.get(b("d"))][1], {
    conflicting: [],
    harmless: ["d"],
  });
  own(
    "a range with a part that was cleared",
    (tx) => [tx.clearRange(b("c"), b("e")), range(tx, "b", "g", ["b=B", "f=F"])][1],
    {
      conflicting: ["b", "b\xff", "e", "-f"],
      harmless: ["c", "d", "d\xff", "g"],
    },
  );
  own(
    "a range with a key that was set",
    (tx) => [tx.set(b("d"), b("1")), range(tx, "b", "g", ["b=B", "d=1", "f=F"])][1],
    {
      conflicting: ["c\xff", "d\0"],
      harmless: ["d", "-d", "g"],
    },
  );
  own(
    "a selector over a key that was set",
    (tx) => [tx.set(b("c"), b("1")), found(tx, firstGreaterOrEqual(b("c")), "c")][1],
    {
      conflicting: [],
      harmless: ["c", "d", "c\0"],
    },
  );
  own("without readYourWrites", (tx) => [tx.set(b("d"), b("1")), tx.get(b("d"))][1], {
    conflicting: ["d"],
    harmless: ["c"],
    options: { readYourWrites: false },
  });
  const atomic = { needs: "atomicOperations" } as const;
  own("a key that was added to", (tx) => [tx.atomic("add", b("d"), u64(1)), tx.get(b("d"))][1], {
    conflicting: ["d"],
    harmless: ["c"],
    ...atomic,
  });
  own(
    "a key that was set and added to",
    (tx) => {
      tx.set(b("d"), u64(1));
      tx.atomic("add", b("d"), u64(1));
      return tx.get(b("d"));
    },
    { conflicting: [], harmless: ["d"], ...atomic },
  );

  const explicit = { needs: "readConflictRanges" } as const;
  exact("an explicit read range", (tx) => tx.addReadConflictRange(b("b"), b("d")), {
    conflicting: ["b", "b\0", "c\xff"],
    harmless: ["a\xff", "d"],
    ...explicit,
  });
  exact("an explicit read key", (tx) => tx.addReadConflictKey(b("d")), {
    conflicting: ["d"],
    harmless: ["c\xff", "d\0"],
    ...explicit,
  });
  exact("an empty explicit read range", (tx) => tx.addReadConflictRange(b("d"), b("d")), {
    conflicting: [],
    harmless: ["d", "a..z"],
    ...explicit,
  });
  own(
    "an explicit read range",
    (tx) => {
      tx.set(b("d"), b("1"));
      tx.clearRange(b("e"), b("f"));
      tx.addReadConflictRange(b("c"), b("g"));
    },
    { conflicting: ["c", "d\0", "f"], harmless: ["d", "e", "e\xff", "g"], ...explicit },
  );

  const writes = (
    name: string,
    write: (tx: Transaction) => void,
    conflictsWith: boolean,
    needs?: Capability,
  ): void =>
    test(
      `conflicts, exact: ${name} ${conflictsWith ? "makes a reader of the key fail" : "makes no reader fail"}`,
      async (db) => {
        expect(await conflicts(db, (tx) => tx.get(b("d")), write)).toBe(conflictsWith);
      },
      needs === undefined ? {} : { needs },
    );
  writes("setting the value that was there", (tx) => tx.set(b("d"), b("D")), true);
  writes("clearing a key that is not there, elsewhere", (tx) => tx.clear(b("c")), false);
  writes("adding", (tx) => tx.atomic("add", b("d"), u64(0)), true, "atomicOperations");
  writes(
    "comparing and not clearing",
    (tx) => tx.atomic("compareAndClear", b("d"), b("other")),
    true,
    "atomicOperations",
  );
  writes(
    "a versionstamped value",
    (tx) => tx.setVersionstampedValue(b("d"), b("0123456789"), 0),
    true,
    "versionstampedValues",
  );
  writes(
    "a write that skips its conflict",
    (tx) => {
      tx.skipNextWriteConflict();
      tx.set(b("d"), b("1"));
    },
    false,
  );
  writes(
    "the second write after one that skips its conflict",
    (tx) => {
      tx.skipNextWriteConflict();
      tx.set(b("c"), b("1"));
      tx.set(b("d"), b("1"));
    },
    true,
  );

  test(
    "conflicts, exact: a versionstamped key makes readers of itself fail, and no others",
    async (db) => {
      const write = (tx: Transaction): void => tx.setVersionstampedKey(b("k/0123456789"), 2, b(""));
      expect(await conflicts(db, (tx) => range(tx, "k/", "k0", []), write)).toBe(true);
      expect(await conflicts(db, (tx) => range(tx, "g", "k/", []), write)).toBe(false);
      expect(await conflicts(db, (tx) => tx.get(b(`k/${"\xff".repeat(10)}`)), write)).toBe(false);
      expect(await conflicts(db, (tx) => tx.get(b(`k/${"\0".repeat(10)}`)), write)).toBe(false);
    },
    { needs: "versionstampedKeys" },
  );

  test("a transaction that writes nothing commits, whatever was written meanwhile", async (db) => {
    const tx = db.createTransaction();
    await tx.getRangeAll(b(""), b("\xff"));
    await fill(db, "a");
    await tx.commit();
  });

  test("what others read does not matter to a transaction that only writes", async (db) => {
    const [one, two] = [db.createTransaction(), db.createTransaction()];
    await one.get(b("k"));
    await two.getReadVersion();
    one.set(b("x"), b("1"));
    two.set(b("k"), b("2"));
    await one.commit();
    await two.commit();
  });

  test(
    "an explicit write conflict is enough for a commit with a version",
    async (db) => {
      const tx = db.createTransaction();
      tx.addWriteConflictKey(b("k"));
      await tx.commit();
      expect(tx.getCommittedVersion()).toBeGreaterThan(0);
    },
    { needs: "writeConflictRanges" },
  );
}

/** Whether a transaction that has read by `read` fails when another has committed `write`. */
async function conflicts(
  db: Database,
  read: Reading,
  write: (tx: Transaction) => void,
  options: TransactionOptions = {},
): Promise<boolean> {
  await db.transact((tx) => tx.clearRange(b(""), b("\xff")));
  await fill(db, "b", "d", "f");
  const reader = db.createTransaction(options);
  await reader.getReadVersion();
  await read(reader);
  reader.set(b("~mine"), b("1"));
  await db.transact(write);
  return reader.commit().then(
    () => false,
    (error: unknown) => {
      expect(error).toEqual(fails("NOT_COMMITTED"));
      return true;
    },
  );
}

function apply(tx: Transaction, write: string): void {
  const [begin, end] = write.split("..");
  if (end === undefined) {
    if (write.startsWith("-")) tx.clear(b(write.slice(1)));
    else tx.set(b(write), b("theirs"));
  } else if (write.startsWith("+")) tx.addWriteConflictRange(b(String(begin).slice(1)), b(end));
  else tx.clearRange(b(String(begin)), b(end));
}

async function range(
  tx: Transaction,
  begin: string,
  end: string,
  expected: readonly string[],
  options: Parameters<Transaction["getRangeAll"]>[2] = {},
): Promise<void> {
  expect(rows(await tx.getRangeAll(b(begin), b(end), options))).toEqual(expected);
}

async function snapshotReads({ snapshot }: Transaction): Promise<void> {
  await snapshot.get(b("d"));
  await snapshot.getRangeAll(b("a"), b("g"));
  await snapshot.getKey(firstGreaterThan(b("b")));
  for await (const _row of snapshot.getRange(b("a"), b("g"), { reverse: true })) break;
}
