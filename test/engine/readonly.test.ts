/**
 * Reading a store beside its writer (`openReadOnly`). The writer runs at every step of a reader's load, one step after the other,
 * with flushes, compactions, new manifests and recoveries of its own.
 * Verifies: what is read is the writer's first so many commits, with all that was durable before the call; races are neither
 * errors nor wrong answers; damage is found, and torn tails are none; snapshots and iterators outlive refreshes; nothing is
 * written and no handle left. Does not verify: crashes in between (`sim`, O40), real processes (`readonly-process.test.ts`).
 */
import { describe, expect, test } from "vitest";
import { CURRENT_NAME } from "../../src/engine/files.js";
import type { StoreOptions } from "../../src/engine/options.js";
import { ReadOnlyStore } from "../../src/engine/readonly/read-only-store.js";
import type { Row } from "../../src/engine/scan.js";
import { Store } from "../../src/engine/store.js";
import { StillwaterError } from "../../src/platform/errors.js";
import { ManualPlatform, ManualScheduler, manualPlatform } from "./fixtures/manual-platform.js";
import { bytes, rowsOf } from "./fixtures/model.js";
import { type Call, PlainVFS } from "./fixtures/plain-vfs.js";

const DIRECTORY = "/store";
const SMALL: StoreOptions = {
  memtableBytes: 4096,
  level0CompactionFiles: 1,
  level0StallFiles: 50,
  level0LimitFiles: 60,
  tableBytes: 2048,
};

/** One volume, a writer and a reader, each with a scheduler of its own. */
class Machine {
  readonly vfs: PlainVFS;
  readonly writer: ManualPlatform;
  readonly reader: ManualPlatform;
  /** Content after each commit, by version. */
  readonly history = new Map<number, string>();
  store: Store | null = null;
  #commits = 0;
  readonly #content = new Map<string, string>();

  constructor(files?: ReadonlyMap<string, Uint8Array>) {
    const scheduler = new ManualScheduler();
    this.vfs = new PlainVFS(scheduler, files, ["/store/quarantine"]);
    this.writer = manualPlatform(this.vfs, scheduler, 7);
    this.reader = new ManualPlatform(this.vfs, new ManualScheduler(), 9);
  }

  async open(options: StoreOptions = SMALL): Promise<Store> {
    this.store = await this.writer.settle(Store.open(DIRECTORY, options, this.writer));
    this.history.set(this.store.version, shown(rowsOf(this.store)));
    return this.store;
  }

  async commit(count: number, valueBytes = 300): Promise<void> {
    const { store } = this;
    if (store === null) throw new Error("no store");
    for (let i = 0; i < count; i++) {
      const key = `key-${(this.#commits * 7) % 23}`;
      const value = `${this.#commits++}-${"v".repeat(valueBytes)}`;
      this.#content.set(key, value);
      const version = await this.writer.settle(store.put(bytes(key), bytes(value)));
      this.history.set(version, shown([...this.#content].sort(([a], [b]) => (a < b ? -1 : 1))));
    }
  }

  async readOnly(): Promise<ReadOnlyStore> {
    return this.reader.settle(ReadOnlyStore.open(DIRECTORY, {}, this.reader));
  }

  /** As `promise` says, while at its `step`-th turn the writer does `work` from beginning to end. */
  async during<T>(
    promise: Promise<T>,
    step: number,
    work: () => Promise<void>,
  ): Promise<{ value: T; steps: number }> {
    let steps = 0;
    let outcome: { readonly value: T } | { readonly error: unknown } | null = null;
    promise.then(
      (value) => {
        outcome = { value };
      },
      (error: unknown) => {
        outcome = { error };
      },
    );
    for (;;) {
      const before = steps++;
      if (before === step) await work();
      const ran = await this.reader.turn();
      const settled = outcome as { readonly value: T } | { readonly error: unknown } | null;
      if (settled !== null) {
        if ("error" in settled) throw settled.error;
        return { value: settled.value, steps };
      }
      if (!ran) throw new Error("the reader is stuck");
    }
  }

  contentAt(version: number): string | undefined {
    return this.history.get(version);
  }
}

function contentOf(store: ReadOnlyStore): string {
  return shown(textOf(store.scan().toArray()));
}

function textOf(rows: readonly Row[]): [string, string][] {
  return rows.map(([key, value]) => [Buffer.from(key).toString(), Buffer.from(value).toString()]);
}

function shown(rows: readonly (readonly string[])[]): string {
  return rows.map(([key, value]) => `${key}=${value?.slice(0, 6)}(${value?.length})`).join(" ");
}

/** A load has at least so many. */
const FEWEST_STEPS = 4;

/** What a writer may do between two steps of a reader. */
const WORKS: Readonly<Record<string, (machine: Machine) => Promise<void>>> = {
  "commits that flush and compact": async (machine) => {
    await machine.commit(30);
    await machine.writer.pass(1000);
  },
  "a flush": async (machine) => {
    await machine.commit(1);
    await machine.writer.settle(machine.store?.flush() ?? Promise.resolve());
  },
  "a flush without a commit": async (machine) => {
    await machine.writer.settle(machine.store?.flush() ?? Promise.resolve());
  },
  "a compaction of everything": async (machine) => {
    await machine.writer.settle(machine.store?.compact() ?? Promise.resolve());
  },
  "an orderly end and another life": async (machine) => {
    await machine.writer.settle(machine.store?.close() ?? Promise.resolve());
    await machine.open();
    await machine.commit(12);
  },
  "an end without a close and another life": async (machine) => {
    machine.vfs.locks.clear();
    await machine.open();
    await machine.commit(3);
  },
};

describe.each(Object.entries(WORKS))("beside %s", (name, work) => {
  test("at any step of opening, the reader has every commit of before the call, and a version that was", async () => {
    for (let step = 0, steps = 1; step < steps; step++) {
      const machine = new Machine();
      await machine.open();
      await machine.commit(25);
      const durable = machine.store?.version ?? 0;
      const opening = ReadOnlyStore.open(DIRECTORY, {}, machine.reader);
      const opened = await machine.during(opening, step, () => work(machine));
      steps = opened.steps;
      const reader = opened.value;
      expect(reader.version).toBeGreaterThanOrEqual(durable);
      expect(contentOf(reader), `step ${step}`).toBe(machine.contentAt(reader.version));
      await machine.reader.settle(reader.close());
    }
  });

  test("at any step of a refresh, the reader goes on to what is durable by then, and never back; its snapshot stays", async () => {
    for (let step = 0, steps = 1; step < steps; step++) {
      const machine = new Machine();
      await machine.open();
      await machine.commit(10);
      const reader = await machine.readOnly();
      const before = contentOf(reader);
      const snapshot = reader.snapshot();
      const iterator = reader.iterator();
      await machine.commit(15);
      await machine.writer.pass(1000);
      const durable = machine.store?.version ?? 0;
      const { value: version, steps: taken } = await machine.during(reader.refresh(), step, () =>
        work(machine),
      );
      steps = taken;
      expect(version).toBe(reader.version);
      expect(version).toBeGreaterThanOrEqual(durable);
      expect(contentOf(reader), `step ${step}`).toBe(machine.contentAt(version));
      // Twice more, for what the first refresh has left behind.
      await machine.commit(12);
      await machine.writer.settle(machine.store?.compact() ?? Promise.resolve());
      expect(await machine.reader.settle(reader.refresh())).toBe(machine.store?.version);
      expect(contentOf(reader)).toBe(machine.contentAt(reader.version));
      expect(shown(textOf(reader.scan({ snapshot }).toArray()))).toBe(before);
      const rows: Row[] = [];
      while (iterator.next()) rows.push([iterator.key, iterator.value]);
      expect(shown(textOf(rows))).toBe(before);
      snapshot.close();
      await machine.reader.settle(reader.close());
      await machine.writer.settle(machine.store?.close() ?? Promise.resolve());
      expect([...machine.vfs.handles].length, "handles").toBe(name.includes("without a close") ? 2 : 0);
    }
  });
});

test("a record that is written while the pieces around it are read is neither damage nor missing the next time", async () => {
  const options = { ...SMALL, memtableBytes: 16 << 20 };
  let again = 0;
  for (let step = 0, steps = 1; step < steps; step++) {
    const machine = new Machine();
    await machine.open(options);
    await machine.commit(2);
    const durable = machine.store?.version ?? 0;
    const manifests = countOpens(machine, "MANIFEST");
    // Each spans pieces, and the one behind says that it was durable.
    const opened = await machine.during(ReadOnlyStore.open(DIRECTORY, {}, machine.reader), step, () =>
      machine.commit(3, 1_500_000),
    );
    steps = opened.steps;
    const reader = opened.value;
    if (manifests.count > 2) again++;
    expect(reader.version).toBeGreaterThanOrEqual(durable);
    expect(contentOf(reader), `step ${step}`).toBe(machine.contentAt(reader.version));
    expect(await machine.reader.settle(reader.refresh())).toBe(machine.store?.version);
    expect(contentOf(reader), `step ${step}`).toBe(machine.contentAt(reader.version));
    await machine.reader.settle(reader.close());
  }
  expect(again, "readings that looked damaged at first").toBeGreaterThan(0);
});

function countOpens(machine: Machine, name: string): { count: number } {
  const counted = { count: 0 };
  machine.vfs.before = (call, path) => {
    if (call === "openFile" && path.includes(name)) counted.count++;
  };
  return counted;
}

describe("a reader alone", () => {
  test("writes nothing, locks nothing, and reads what a crash has left: log, tables and a torn tail", async () => {
    const machine = new Machine();
    await machine.open();
    await machine.commit(30);
    await machine.writer.pass(1000);
    await machine.commit(2);
    const files = machine.vfs.files();
    const wal = [...files.keys()].filter((path) => path.endsWith(".wal")).at(-1) as string;
    const version = machine.store?.version ?? 0;
    // Half a record that a kill has cut off.
    const image = files.get(wal) as Uint8Array;
    const end = image.findLastIndex((byte) => byte !== 0) + 1;
    image.fill(0xa5, Math.ceil(end / 512) * 512, Math.ceil(end / 512) * 512 + 40);
    const left = new Machine(files);
    const changes: Call[] = [];
    left.vfs.before = (call) => {
      if (
        ["createFile", "removeFile", "rename", "write", "truncate", "syncData", "lockDirectory"].includes(
          call,
        )
      )
        changes.push(call);
    };
    const reader = await left.readOnly();
    expect(reader.version).toBe(version);
    expect(contentOf(reader)).toBe(machine.contentAt(version));
    expect(reader.stats().tornBytes).toBeGreaterThanOrEqual(40);
    expect(await left.reader.settle(reader.refresh())).toBe(version);
    await left.reader.settle(reader.close());
    expect(changes).toEqual([]);
    expect(left.vfs.handles.size).toBe(0);
    expect([...left.vfs.files()]).toEqual([...files]);
  });

  test("refuses a log that is damaged in the middle, after looking twice, and a store whose tables or segments are gone", async () => {
    const machine = new Machine();
    await machine.open({ ...SMALL, memtableBytes: 1 << 20 });
    await machine.commit(6);
    await machine.writer.settle(machine.store?.flush() ?? Promise.resolve());
    await machine.commit(6);
    const whole = machine.vfs.files();
    const wal = [...whole.keys()].filter((path) => path.endsWith(".wal")).at(-1) as string;
    const table = [...whole.keys()].find((path) => path.endsWith(".sst")) as string;
    const damages: readonly ((files: Map<string, Uint8Array>) => string)[] = [
      (files) => {
        const image = files.get(wal) as Uint8Array;
        image[700] = (image[700] as number) ^ 1;
        return wal;
      },
      (files) => {
        files.delete(table);
        return table;
      },
      (files) => {
        files.set(table, (files.get(table) as Uint8Array).slice(1));
        return table;
      },
      (files) => {
        const manifest = [...files.keys()].find((path) => path.includes("MANIFEST")) as string;
        files.delete(manifest);
        return manifest;
      },
      (files) => {
        const current = `${DIRECTORY}/${CURRENT_NAME}`;
        (files.get(current) as Uint8Array)[20] = 99;
        return current;
      },
    ];
    for (const damage of damages) {
      const files = new Map([...whole].map(([path, content]) => [path, content.slice()]));
      const path = damage(files);
      const damaged = new Machine(files);
      const opening = ReadOnlyStore.open(DIRECTORY, {}, damaged.reader);
      const outcome = await damaged.reader.outcome(opening);
      expect(outcome).toMatchObject({ kind: "rejected", error: { code: "CORRUPTION", path } });
      expect(damaged.vfs.handles.size).toBe(0);
    }
  });

  test("tells what is wrong: no store, unknown options, no more files, a closed reader, a foreign snapshot", async () => {
    const empty = new Machine();
    const code = async (machine: Machine, call: Promise<unknown>): Promise<unknown> => {
      const outcome = await machine.reader.outcome(call);
      return outcome.kind === "rejected" ? (outcome.error as StillwaterError).code : outcome;
    };
    const opening = (machine: Machine, options = {}): Promise<ReadOnlyStore> =>
      ReadOnlyStore.open(DIRECTORY, options, machine.reader);
    expect(await code(empty, opening(empty))).toBe("NOT_A_STORE");
    expect(await code(empty, opening(empty, { durability: "sync" }))).toBe("UNKNOWN_OPTION");
    expect(await code(empty, opening(empty, { blockCacheBytes: -1 }))).toBe("INVALID_ARGUMENT");
    expect(await code(empty, ReadOnlyStore.open("", {}, empty.reader))).toBe("INVALID_ARGUMENT");
    const machine = new Machine();
    await machine.open();
    await machine.commit(30);
    await machine.writer.pass(1000);
    machine.vfs.before = (call, path) => {
      if (call === "openFile" && path.endsWith(".sst"))
        throw new StillwaterError("TOO_MANY_OPEN_FILES", "no more", { path });
    };
    expect(await code(machine, opening(machine))).toBe("TOO_MANY_OPEN_FILES");
    machine.vfs.before = null;
    const [one, other] = [await machine.readOnly(), await machine.readOnly()];
    const foreign = other.snapshot();
    expect(() => one.getSync(bytes("a"), { snapshot: foreign })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
    const own = one.snapshot();
    own.close();
    expect(() => one.scan({ snapshot: own }).toArray()).toThrow(
      expect.objectContaining({ code: "SNAPSHOT_CLOSED" }),
    );
    const iterator = one.iterator();
    await machine.reader.settle(one.close());
    await machine.reader.settle(one.close());
    expect(() => iterator.next()).toThrow(expect.objectContaining({ code: "CLOSED" }));
    expect(() => one.version).toThrow(expect.objectContaining({ code: "CLOSED" }));
    expect(await code(machine, one.refresh())).toBe("CLOSED");
  });

  test("ends a refresh that is under way when it is closed, and leaves no handle", async () => {
    const machine = new Machine();
    await machine.open();
    await machine.commit(20);
    for (let steps = 0; steps < 12; steps++) {
      const reader = await machine.readOnly();
      const refresh = reader.refresh().catch((error: unknown) => error);
      for (let i = 0; i < steps; i++) await machine.reader.turn();
      await machine.reader.settle(reader.close());
      const end = await refresh;
      expect(typeof end === "number" ? "a version" : (end as StillwaterError).code).toEqual(
        steps < FEWEST_STEPS ? "CLOSED" : expect.stringMatching(/^(CLOSED|a version)$/),
      );
    }
    await machine.writer.settle(machine.store?.close() ?? Promise.resolve());
    expect(machine.vfs.handles.size).toBe(0);
  });

  test("refreshes that are asked for together share a load, and one that is asked for later has what came in between", async () => {
    const machine = new Machine();
    await machine.open();
    await machine.commit(3);
    const reader = await machine.readOnly();
    const first = reader.refresh();
    await machine.reader.turn();
    await machine.commit(1);
    const version = machine.store?.version;
    const later = [reader.refresh(), reader.refresh(), reader.refresh()];
    await machine.reader.settle(first);
    for (const one of later) expect(await machine.reader.settle(one)).toBe(version);
    expect(reader.stats().refreshes).toBe(3);
    await machine.reader.settle(reader.close());
  });

  test("says STORE_REPLACED when another store has been put into the directory", async () => {
    const machine = new Machine();
    await machine.open();
    await machine.commit(30);
    await machine.writer.pass(1000);
    const older = machine.vfs.files();
    await machine.commit(30);
    await machine.writer.pass(1000);
    const reader = await machine.readOnly();
    const content = contentOf(reader);
    const stranger = new Machine();
    // Another number of turns of chance: another id.
    stranger.writer.random.nextUint32();
    await stranger.open();
    for (const files of [older, stranger.vfs.files()]) {
      for (const path of machine.vfs.files().keys()) machine.vfs.removeFile(path);
      for (const [path, image] of files) machine.vfs.setBytes(path, image.slice());
      const outcome = await machine.reader.outcome(reader.refresh());
      expect(outcome).toMatchObject({ kind: "rejected", error: { code: "STORE_REPLACED", path: DIRECTORY } });
      expect(contentOf(reader), "the view stays").toBe(content);
    }
    await machine.reader.settle(reader.close());
  });

  test("gives up with BUSY when the log is shortened at every look", async () => {
    const machine = new Machine();
    await machine.open();
    await machine.commit(1);
    const opening = ReadOnlyStore.open(DIRECTORY, {}, machine.reader).catch((error: unknown) => error);
    let done: unknown = null;
    void opening.then((value) => {
      done = value;
    });
    while (done === null) {
      await machine.commit(1);
      await machine.writer.settle(machine.store?.flush() ?? Promise.resolve());
      await machine.reader.turn();
    }
    expect(done).toMatchObject({ code: "BUSY", path: DIRECTORY });
  });
});
