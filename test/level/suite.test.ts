/** The public suite of abstract-level, complete, over a disk, memory and the simulated disk. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Choices } from "../../sim/choices/choices.js";
import { SOUND_DISK } from "../../sim/disk/options.js";
import { SimulationDisk } from "../../sim/disk/simulation-disk.js";
import { Trace } from "../../sim/trace/trace.js";
import { StillwaterLevel, type StillwaterLevelOptions } from "../../src/level/index.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { Platform } from "../../src/platform/platform.js";
import { Tape, type TapeReport } from "./tape.js";

type Options = StillwaterLevelOptions<unknown, unknown>;

interface SuiteOptions {
  readonly test: Tape["test"];
  readonly factory: (options?: Options) => unknown;
}

const suite = createRequire(import.meta.url)("abstract-level/test") as (options: SuiteOptions) => void;

/** Thousands of databases with a few keys each. Hooks are told of options, and the suite compares those. */
class SmallLevel extends StillwaterLevel<unknown, unknown> {
  override _open(options: Readonly<Record<string, unknown>>): Promise<void> {
    return super._open({ ...options, memtableBytes: 16_384 });
  }
}

async function runSuite(
  root: string,
  platform: Platform,
  change: (db: SmallLevel) => void = () => undefined,
): Promise<TapeReport> {
  const tape = new Tape();
  let made = 0;
  const factory = (options: Options = {}): unknown => {
    const db = new SmallLevel(join(root, `db-${made++}`), { ...options, platform });
    change(db);
    return db;
  };
  suite({ test: tape.test, factory });
  return tape.run();
}

/** Syncs of thousands of databases cost nothing where files are in memory: the interface is tested here, not the disk. */
const FOLDER = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Of classic-level 3.0.0, which declares the same features, under tape itself. */
const COMPLETE: TapeReport = { tests: 1509, assertions: 5168, failures: [] };
/** Without the six about databases that outlive being closed, which memory does not claim (`supports.permanence`). */
const IN_MEMORY: TapeReport = { tests: 1503, assertions: 5162, failures: [] };

async function memoryPlatform(): Promise<Platform> {
  return nodePlatform({ vfs: await createMemoryVFS(), workers: false });
}

function simulatedPlatform(): Platform {
  const timers = { after: (_: number, task: () => void) => void setImmediate(task), nowMs: () => 0 };
  const disk = new SimulationDisk(SOUND_DISK, Choices.fromSeed("level"), new Trace(), timers);
  return nodePlatform({ vfs: disk.mount(), workers: false });
}

describe("the suite of abstract-level passes, with nothing left out", () => {
  it("over the file system", async () => {
    const root = mkdtempSync(join(FOLDER, "stillwater-level-"));
    try {
      expect(await runSuite(root, nodePlatform({ workers: false }))).toEqual(COMPLETE);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it("over memory", async () => {
    expect(await runSuite("/", await memoryPlatform())).toEqual(IN_MEMORY);
  });

  it("over the simulated disk", async () => {
    expect(await runSuite("/", simulatedPlatform())).toEqual(COMPLETE);
  });
});

describe("the suite tells precisely what is broken", () => {
  const broken: readonly [what: string, says: string, change: (db: SmallLevel) => void][] = [
    [
      "deletes that do nothing",
      "simple del(): not found: expected undefined, but is 'bar'",
      (db) => Object.assign(db, { _del: () => undefined }),
    ],
    [
      "reads that always find something",
      "get() on non-existent key: not found: expected undefined, but is 'x'",
      (db) => Object.assign(db, { _get: () => "x" }),
    ],
    [
      "iterators that leave the first row out",
      "simple chained batch: is the same: expected [ [ 'foo', 'bar' ], [ 'one', 'I' ], [ 'two', 'II' ] ], " +
        "but is [ [ 'one', 'I' ], [ 'two', 'II' ] ]",
      (db) => {
        const iterator = db._iterator.bind(db);
        db._iterator = (options) => {
          const made = iterator(options);
          const all = made._all.bind(made);
          made._all = async () => (await all()).slice(1);
          return made;
        };
      },
    ],
  ];

  it.each(broken)("%s", async (_, says, change) => {
    const { failures } = await runSuite("/", await memoryPlatform(), change);
    expect(failures).toContain(says);
  });
});
