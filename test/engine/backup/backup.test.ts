/** Backups of an open store: what they hold, what they share, what is refused, and what an error or a crash leaves. */
import { describe, expect, test } from "vitest";
import { writeBackup } from "../../../src/engine/backup/create.js";
import { pruneRepository, removeBackup } from "../../../src/engine/backup/prune.js";
import {
  inspectRepository,
  restoreFromRepository,
  verifyInRepository,
} from "../../../src/engine/backup/restore.js";
import type { BackupInfo, BackupOptions, BackupVerification } from "../../../src/engine/backup/types.js";
import type { StoreOptions } from "../../../src/engine/options.js";
import { Store } from "../../../src/engine/store.js";
import { StillwaterError } from "../../../src/platform/errors.js";
import { installProbes } from "../../../src/platform/probes.js";
import { type ManualPlatform, ManualScheduler, manualPlatform } from "../fixtures/manual-platform.js";
import { bytes, rowsOf } from "../fixtures/model.js";
import { failure, PlainVFS } from "../fixtures/plain-vfs.js";

const REPOSITORY = "/backups";
const OPTIONS: StoreOptions = { memtableBytes: 65_536, level0CompactionFiles: 6 };

class Bench {
  readonly vfs: PlainVFS;
  readonly platform: ManualPlatform;
  store: Store;

  private constructor(vfs: PlainVFS, platform: ManualPlatform, store: Store) {
    this.vfs = vfs;
    this.platform = platform;
    this.store = store;
  }

  static async open(): Promise<Bench> {
    const scheduler = new ManualScheduler();
    const vfs = new PlainVFS(scheduler);
    const platform = manualPlatform(vfs, scheduler);
    return new Bench(vfs, platform, await platform.settle(Store.open("/store", OPTIONS, platform)));
  }

  put(key: string, value = `value of ${key}`): Promise<number> {
    return this.platform.settle(this.store.put(bytes(key), bytes(value)));
  }

  begin(options: BackupOptions = {}, repository = REPOSITORY): Promise<BackupInfo> {
    return writeBackup(this.store.backupSource, repository, options);
  }

  backup(options: BackupOptions = {}, repository = REPOSITORY): Promise<BackupInfo> {
    return this.platform.settle(this.begin(options, repository));
  }

  list(): readonly BackupInfo[] {
    return inspectRepository(this.vfs, REPOSITORY).backups;
  }

  verify(id: string): Promise<BackupVerification> {
    return this.platform.settle(verifyInRepository(this.platform, REPOSITORY, id, {}));
  }

  async rowsOfBackup(id: string, target = `/restored-${id}`): Promise<[string, string][]> {
    const { platform } = this;
    await platform.settle(restoreFromRepository(platform, REPOSITORY, id, target, {}));
    const restored = await platform.settle(Store.open(target, { createIfMissing: false }, platform));
    const rows = rowsOf(restored);
    await platform.settle(restored.close());
    return rows as [string, string][];
  }

  async codeOf(promise: Promise<unknown>): Promise<string> {
    const outcome = await this.platform.outcome(promise);
    if (outcome.kind === "resolved") return "none";
    return outcome.error instanceof StillwaterError ? outcome.error.code : String(outcome.error);
  }

  tables(): string[] {
    return this.vfs.list(`${REPOSITORY}/tables`);
  }

  /** Nothing is open or locked but what the store needs. */
  expectNoLeaks(): void {
    expect([...this.vfs.locks]).toEqual(["/store"]);
    expect([...this.vfs.handles].filter(({ path }) => path.startsWith(REPOSITORY))).toEqual([]);
  }
}

describe("createBackup", () => {
  test("keeps each state of the store under an id of its own, the oldest first", async () => {
    const bench = await Bench.open();
    const versions: number[] = [];
    for (const key of ["a", "b", "c"]) {
      versions.push(await bench.put(key));
      await bench.backup({ note: `with ${key}` });
    }
    const list = bench.list();
    expect(list.map(({ note, version, tables }) => [note, version, tables])).toEqual([
      ["with a", versions[0], 1],
      ["with b", versions[1], 2],
      ["with c", versions[2], 3],
    ]);
    expect(new Set(list.map(({ id }) => id)).size).toBe(3);
    for (const [count, { id }] of list.entries()) {
      expect((await bench.rowsOfBackup(id)).map(([key]) => key)).toEqual(["a", "b", "c"].slice(0, count + 1));
      expect((await bench.verify(id)).problems).toEqual([]);
    }
    bench.expectNoLeaks();
  });

  test("shares tables: a second backup adds the bytes of new tables only, and nothing without commits", async () => {
    const bench = await Bench.open();
    await bench.put("a", "x".repeat(20_000));
    const first = await bench.backup();
    await bench.put("b");
    const second = await bench.backup();
    const third = await bench.backup();
    expect(first.newBytes).toBe(first.bytes);
    expect(second.newBytes).toBe(second.bytes - first.bytes);
    expect(third).toMatchObject({ newBytes: 0, bytes: second.bytes, version: second.version });
    expect(bench.tables()).toHaveLength(2);
    // A store that is opened anew reads its tables once to know them again.
    await bench.platform.settle(bench.store.close());
    bench.store = await bench.platform.settle(Store.open("/store", OPTIONS, bench.platform));
    expect(await bench.backup()).toMatchObject({ newBytes: 0 });
    expect(bench.tables()).toHaveLength(2);
  });

  test("of an empty store restores to an empty store", async () => {
    const bench = await Bench.open();
    const { id, bytes: size } = await bench.backup();
    expect(size).toBe(0);
    expect(await bench.rowsOfBackup(id)).toEqual([]);
  });

  test("goes on beside commits, flushes and compactions, and holds one version of the store", async () => {
    const bench = await Bench.open();
    for (let i = 0; i < 30; i++) {
      await bench.put(`key ${i}`, "before".repeat(300));
      await bench.platform.settle(bench.store.flush());
    }
    const before = rowsOf(bench.store);
    const making = bench.begin();
    // The flush of the call is done by now; what comes is not in the backup.
    for (let turn = 0; turn < 20; turn++) await bench.platform.settle(Promise.resolve());
    for (let i = 0; i < 30; i++) {
      await bench.put(`key ${i}`, "after");
      await bench.platform.settle(bench.store.flush());
    }
    await bench.platform.settle(bench.store.compact());
    const { id } = await bench.platform.settle(making);
    const rows = await bench.rowsOfBackup(id);
    expect(rows.length).toBe(before.length);
    const changed = rows.findIndex(([, value]) => value !== "after");
    // One version: all that was written before some commit, nothing of later ones.
    expect(rows.slice(changed < 0 ? rows.length : changed).every(([, value]) => value !== "after")).toBe(
      true,
    );
    expect(bench.store.stats().levels.reduce((sum, { tables }) => sum + tables, 0)).toBeLessThan(30);
    bench.expectNoLeaks();
  });

  test.each(["EXDEV", "EPERM", "EMLINK", "EOPNOTSUPP"])(
    "copies tables where a link is refused with %s, once for all backups",
    async (errno) => {
      const bench = await Bench.open();
      await bench.put("a");
      bench.vfs.before = (call, path) => {
        if (call !== "link") return;
        const cause = Object.assign(new Error(errno), { code: errno });
        throw new StillwaterError("IO", `link of ${path} failed`, { cause, path, operation: "link" });
      };
      const first = await bench.backup();
      await bench.put("b");
      const second = await bench.backup();
      expect(second.newBytes).toBe(second.bytes - first.bytes);
      expect(await bench.rowsOfBackup(second.id)).toHaveLength(2);
      expect(bench.tables()).toHaveLength(2);
    },
  );

  test.each([
    ["the file system has no links", { links: false }, {}],
    ["copies are asked for", { links: true }, { copies: true }],
  ])("links nothing where %s", async (_, capabilities, options) => {
    const bench = await Bench.open();
    Object.assign(bench.vfs.capabilities, capabilities);
    await bench.put("a");
    const { id } = await bench.backup(options);
    expect(bench.vfs.count("link")).toBe(0);
    expect(await bench.rowsOfBackup(id)).toEqual([["a", "value of a"]]);
  });

  test("two at once into one repository: the second is refused with LOCKED, the first is not disturbed", async () => {
    const bench = await Bench.open();
    await bench.put("a");
    const first = bench.begin();
    expect(await bench.codeOf(bench.begin())).toBe("LOCKED");
    await bench.platform.settle(first);
    expect(bench.list()).toHaveLength(1);
    expect(await bench.codeOf(bench.begin())).toBe("none");
  });

  test.each(["/store", "/store/backups", "/store/deep/backups", "/store/"])(
    "refuses a repository within a store: %s",
    async (path) => {
      const bench = await Bench.open();
      bench.vfs.makeDirectory("/store/deep");
      const before = bench.vfs.list("/store");
      expect(await bench.codeOf(bench.begin({}, path))).toBe("INVALID_ARGUMENT");
      expect(bench.vfs.list("/store")).toEqual(before);
    },
  );

  test("refuses a directory with other things in it, a file, and a place without a parent", async () => {
    const bench = await Bench.open();
    bench.vfs.makeDirectory("/home");
    bench.vfs.setBytes("/home/letter.txt", bytes("dear"));
    expect(await bench.codeOf(bench.begin({}, "/home"))).toBe("NOT_A_REPOSITORY");
    expect(await bench.codeOf(bench.begin({}, "/home/letter.txt"))).toBe("NOT_A_REPOSITORY");
    expect(await bench.codeOf(bench.begin({}, "/absent/backups"))).toBe("NOT_FOUND");
    expect(bench.vfs.list("/home")).toEqual(["letter.txt"]);
  });

  test.each([
    ["an unknown option", { notes: "x" }, "UNKNOWN_OPTION"],
    ["a note that is no text", { note: 7 }, "INVALID_ARGUMENT"],
  ])("refuses %s", async (_, options, code) => {
    const bench = await Bench.open();
    expect(await bench.codeOf(bench.begin(options as BackupOptions))).toBe(code);
    expect(bench.vfs.stat(REPOSITORY)).toBeNull();
  });

  test("of a damaged store is refused, and nothing is listed", async () => {
    const bench = await Bench.open();
    await bench.put("a");
    await bench.platform.settle(bench.store.flush());
    const [table] = bench.vfs.list("/store").filter((name) => name.endsWith(".sst"));
    const content = bench.vfs.bytesOf(`/store/${table}`);
    content[10] = (content[10] as number) ^ 1;
    expect(await bench.codeOf(bench.begin())).toBe("CORRUPTION");
    expect(bench.list()).toEqual([]);
    expect(bench.tables()).toEqual([]);
    bench.expectNoLeaks();
  });

  test("whatever call fails, what is listed restores, what is not leaves nothing, and the next backup succeeds", async () => {
    for (let nth = 1; ; nth++) {
      const bench = await Bench.open();
      await bench.put("a");
      const first = await bench.backup();
      await bench.put("b");
      await bench.platform.settle(bench.store.flush());
      let calls = 0;
      bench.vfs.before = (call, path) => {
        if (path.startsWith(REPOSITORY) && !["close", "releaseLock"].includes(call) && ++calls === nth)
          throw failure("NO_SPACE", call, path);
      };
      const code = await bench.codeOf(bench.begin({ copies: true }));
      bench.vfs.before = null;
      if (code === "none") {
        expect(nth).toBeGreaterThan(15);
        return;
      }
      expect(code).toBe("NO_SPACE");
      bench.expectNoLeaks();
      for (const { id, version } of bench.list())
        expect(await bench.rowsOfBackup(id)).toHaveLength(version === first.version ? 1 : 2);
      const second = await bench.backup();
      expect(await bench.rowsOfBackup(second.id, "/again")).toHaveLength(2);
      expect(bench.tables().filter((name) => name.endsWith(".tmp"))).toEqual([]);
      expect(bench.tables()).toHaveLength(2);
    }
  });

  test.each(["/", REPOSITORY])(
    "a repository is taken back when the sync of %s fails that makes its names durable: no later one need do it",
    async (path) => {
      const bench = await Bench.open();
      bench.vfs.before = (call, at) => {
        if (call === "syncDirectory" && at === path) throw failure("IO", call, at);
      };
      expect(await bench.codeOf(bench.begin())).toBe("IO");
      bench.vfs.before = null;
      expect(bench.vfs.stat(REPOSITORY)).toBeNull();
      await bench.backup();
      expect(bench.list()).toHaveLength(1);
    },
  );

  test("ends with CLOSED when the store is closed beside it, and lists nothing", async () => {
    const bench = await Bench.open();
    for (let i = 0; i < 5; i++) {
      await bench.put(`key ${i}`);
      await bench.platform.settle(bench.store.flush());
    }
    const making = bench.begin();
    for (let turns = 0; turns < 4; turns++) bench.platform.scheduler.turn();
    const closing = bench.store.close();
    expect(await bench.codeOf(making)).toBe("CLOSED");
    await bench.platform.settle(closing);
    expect(bench.list()).toEqual([]);
    expect([...bench.vfs.locks]).toEqual([]);
  });
});

describe("damage", () => {
  async function withBackups(): Promise<{ bench: Bench; ids: string[]; own: string; shared: string }> {
    const bench = await Bench.open();
    await bench.put("a");
    const first = await bench.backup({ copies: true });
    const [shared] = bench.tables();
    await bench.put("b");
    const second = await bench.backup({ copies: true });
    const own = bench.tables().find((name) => name !== shared) as string;
    return { bench, ids: [first.id, second.id], own, shared: shared as string };
  }

  test("any flipped bit of a table is found by verify, with file and offset, and refused by restore", async () => {
    const { bench, ids, own } = await withBackups();
    const [first, second] = ids as [string, string];
    const path = `${REPOSITORY}/tables/${own}`;
    const content = bench.vfs.bytesOf(path);
    for (let at = 0; at < content.length; at++) {
      content[at] = (content[at] as number) ^ (1 << (at % 8));
      const { problems } = await bench.verify(second);
      expect(problems).toEqual([
        { path, offset: expect.any(Number), message: expect.stringContaining(path) },
      ]);
      const restoring = restoreFromRepository(bench.platform, REPOSITORY, second, "/restored", {
        verify: false,
      });
      expect(await bench.codeOf(restoring)).toBe("CORRUPTION");
      expect(bench.vfs.stat("/restored")).toBeNull();
      expect(bench.vfs.stat("/restored.partial")).toBeNull();
      content[at] = (content[at] as number) ^ (1 << (at % 8));
    }
    expect((await bench.verify(first)).problems).toEqual([]);
    expect((await bench.verify(second)).problems).toEqual([]);
  });

  test("a table that is replaced by another sound one is found", async () => {
    const { bench, ids, own, shared } = await withBackups();
    const foreign = bench.vfs.bytesOf(`${REPOSITORY}/tables/${shared}`).slice();
    bench.vfs.setBytes(`${REPOSITORY}/tables/${own}`, foreign);
    expect((await bench.verify(ids[1] as string)).problems).toHaveLength(1);
  });

  test("a table that is replaced by one of the same number and size is found", async () => {
    const { bench, ids, own } = await withBackups();
    const twin = await Bench.open();
    await twin.put("a");
    await twin.backup();
    await twin.put("b", "VALUE of b");
    await twin.backup();
    const other = twin
      .tables()
      .find((name) => name !== own && name.slice(0, 6) === own.slice(0, 6)) as string;
    bench.vfs.setBytes(`${REPOSITORY}/tables/${own}`, twin.vfs.bytesOf(`${REPOSITORY}/tables/${other}`));
    const verify = async (): Promise<number> => (await bench.verify(ids[1] as string)).problems.length;
    expect(await verify()).toBe(1);
    const isOn = (id: string): boolean => id === "K16-backup-verified-by-its-names";
    const former = installProbes({
      crashPoint: () => undefined,
      sometimes: () => undefined,
      buggify: () => false,
      mutant: isOn,
    });
    expect(await verify()).toBe(0);
    installProbes(former);
  });

  test("any flipped bit of a descriptor takes that backup off the list, and no other; its tables stay", async () => {
    const { bench, ids } = await withBackups();
    const [first, second] = ids as [string, string];
    const path = `${REPOSITORY}/backups/${second}.backup`;
    const content = bench.vfs.bytesOf(path);
    for (let at = 0; at < content.length; at++) {
      content[at] = (content[at] as number) ^ (1 << (at % 8));
      const report = inspectRepository(bench.vfs, REPOSITORY);
      expect(report.backups.map(({ id }) => id)).toEqual([first]);
      expect(report.damaged).toMatchObject([{ id: second, path }]);
      content[at] = (content[at] as number) ^ (1 << (at % 8));
    }
    content[30] = (content[30] as number) ^ 1;
    await bench.platform.settle(removeBackup(bench.platform, REPOSITORY, first));
    expect(bench.tables()).toHaveLength(2);
    await bench.platform.settle(removeBackup(bench.platform, REPOSITORY, second));
    expect(bench.tables()).toEqual([]);
  });

  test("a backup with a table that is missing or cut off is not listed, and the next backup brings it back", async () => {
    for (const spoil of ["remove", "cut"]) {
      const { bench, ids, own } = await withBackups();
      const path = `${REPOSITORY}/tables/${own}`;
      if (spoil === "remove") bench.vfs.removeFile(path);
      else bench.vfs.setBytes(path, bench.vfs.bytesOf(path).slice(0, 100));
      expect(bench.list().map(({ id }) => id)).toEqual([ids[0]]);
      expect((await bench.verify(ids[1] as string)).problems).toMatchObject([{ path }]);
      await bench.backup();
      expect(bench.list()).toHaveLength(3);
    }
  });

  test("files of others are named and left alone", async () => {
    const { bench, ids } = await withBackups();
    for (const place of ["README", "backups/README", "tables/README"])
      bench.vfs.setBytes(`${REPOSITORY}/${place}`, bytes("mine"));
    await bench.backup();
    await bench.platform.settle(removeBackup(bench.platform, REPOSITORY, ids[0] as string));
    expect(inspectRepository(bench.vfs, REPOSITORY).foreign).toEqual([
      `${REPOSITORY}/README`,
      `${REPOSITORY}/backups/README`,
      `${REPOSITORY}/tables/README`,
    ]);
  });
});

describe("restoreBackup", () => {
  test("never replaces what is there, nor goes into the repository", async () => {
    const bench = await Bench.open();
    const { id } = await bench.backup();
    const restore = (target: string): Promise<string> =>
      bench.codeOf(restoreFromRepository(bench.platform, REPOSITORY, id, target, {}));
    expect(await restore("/store")).toBe("EXISTS");
    expect(await restore(`${REPOSITORY}/tables/store`)).toBe("INVALID_ARGUMENT");
    expect(await restore("/new/")).toBe("none");
    expect(await restore("/new")).toBe("EXISTS");
  });

  test("whatever call fails, nothing bears the store's name, and another attempt succeeds", async () => {
    for (let nth = 1; ; nth++) {
      const bench = await Bench.open();
      await bench.put("a");
      const { id } = await bench.backup();
      let calls = 0;
      bench.vfs.before = (call, path) => {
        const counts = path.startsWith("/restored") || path.startsWith(REPOSITORY);
        if (counts && !["close", "releaseLock"].includes(call) && ++calls === nth)
          throw failure("IO", call, path);
      };
      const code = await bench.codeOf(restoreFromRepository(bench.platform, REPOSITORY, id, "/restored", {}));
      bench.vfs.before = null;
      if (code === "none") {
        expect(nth).toBeGreaterThan(20);
        return;
      }
      expect(bench.vfs.stat("/restored")).toBeNull();
      expect(await bench.rowsOfBackup(id, "/restored")).toEqual([["a", "value of a"]]);
    }
  });

  test("a store that was restored and goes another way does not mix its tables with the first one's", async () => {
    const bench = await Bench.open();
    await bench.put("a");
    const { id } = await bench.backup();
    await bench.put("b", "first");
    const first = await bench.backup();
    await bench.rowsOfBackup(id, "/other");
    const other = await bench.platform.settle(Store.open("/other", OPTIONS, bench.platform));
    const commit = other.put(bytes("b"), bytes("other"));
    await bench.platform.settle(commit);
    const second = await bench.platform.settle(writeBackup(other.backupSource, REPOSITORY, {}));
    await bench.platform.settle(other.close());
    expect(await bench.rowsOfBackup(first.id)).toEqual([
      ["a", "value of a"],
      ["b", "first"],
    ]);
    expect(await bench.rowsOfBackup(second.id)).toEqual([
      ["a", "value of a"],
      ["b", "other"],
    ]);
  });
});

describe("pruneBackups", () => {
  test("removes what no rule keeps with the tables that nobody else has; the others restore as before", async () => {
    const bench = await Bench.open();
    for (let i = 0; i < 5; i++) {
      await bench.put("key 0", `${i}`);
      await bench.put(`key ${i}`);
      // Merges all, so that each backup has a table of its own.
      await bench.platform.settle(bench.store.compact());
      await bench.backup();
    }
    const ids = bench.list().map(({ id }) => id);
    const prune = (keep: number, dryRun: boolean): ReturnType<typeof pruneRepository> =>
      bench.platform.settle(pruneRepository(bench.platform, REPOSITORY, { keep, dryRun }));
    expect((await prune(2, true)).deleted.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    expect(bench.list()).toHaveLength(5);
    const { kept, freedBytes } = await prune(2, false);
    expect(kept).toEqual(bench.list());
    expect(freedBytes).toBeGreaterThan(0);
    expect(bench.tables().length).toBe(2);
    expect(await bench.rowsOfBackup(ids[3] as string)).toHaveLength(4);
    expect(await bench.rowsOfBackup(ids[4] as string)).toHaveLength(5);
  });

  test.each([[0], [{}], [{ last: -1 }], [{ last: 1.5 }], [{ monthly: 3 }]])(
    "refuses rules that keep nothing or are none: %j",
    async (keep) => {
      const bench = await Bench.open();
      await bench.backup();
      const code = await bench.codeOf(pruneRepository(bench.platform, REPOSITORY, { keep: keep as number }));
      expect(code).toMatch(/^(INVALID_ARGUMENT|UNKNOWN_OPTION)$/);
      expect(bench.list()).toHaveLength(1);
    },
  );

  test("an id that is not there is UNKNOWN_BACKUP, and a repository that is not there NOT_A_REPOSITORY", async () => {
    const bench = await Bench.open();
    expect(await bench.codeOf(removeBackup(bench.platform, REPOSITORY, "000001-00000000"))).toBe(
      "NOT_A_REPOSITORY",
    );
    await bench.backup();
    for (const id of ["000001-00000000", "../store", ""])
      expect(await bench.codeOf(removeBackup(bench.platform, REPOSITORY, id))).toBe("UNKNOWN_BACKUP");
    expect(() => inspectRepository(bench.vfs, "/store")).toThrow("holds something else");
  });
});
