/**
 * The workload of readers beside the writer from end to end: nothing is found without a bug, each planted bug is, the seeds of other
 * workloads are the runs that they were; and the second process on the simulated machine is what it says.
 */
import { describe, expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { SimulatedCrash } from "../../../sim/disk/errors.js";
import { Model } from "../../../sim/model/model.js";
import { READER_MUTANTS } from "../../../sim/mutants/catalogue/readers.js";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { checkNewView, checkSameView } from "../../../sim/oracles/read-only.js";
import { runSeed } from "../../../sim/run/seed.js";
import { valueBytes } from "../../../sim/workload/bytes.js";
import {
  ALL_LIMITS,
  DEFAULT_LIMITS,
  drawOptions,
  READER_LIMITS,
  type SwarmLimits,
} from "../../../sim/workload/options.js";
import { isReaderWorkload } from "../../../sim/workload/reader-workloads.js";
import { machine } from "../disk/machine.js";

const run = (seed: number, mutants: readonly string[] = [], repeatShare = 0) =>
  runSeed(String(seed), { limits: READER_LIMITS, mutants, repeatShare, recording: false });

test("readers see a prefix with all that was durable, over crashes and lives of the writer, and run the same way twice", async () => {
  let views = 0;
  let crashes = 0;
  const marks = new Set<string>();
  // Of 50064, 50166 and 50176 the readers outlive a writer whose workload waits for them.
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8, 17, 50_064, 50_166, 50_176]) {
    const { failure, counts } = await run(seed, [], seed <= 2 ? 1 : 0);
    expect(failure?.message ?? null, `seed ${seed}`).toBeNull();
    views += counts.oracles.O40;
    crashes += counts.processKills + counts.powerLosses;
    for (const mark of Object.keys(counts.marks)) marks.add(mark);
  }
  expect(views).toBeGreaterThan(50);
  expect(crashes).toBeGreaterThan(10);
  for (const mark of ["read-only.looks-again", "read-only.view-outlives-refresh", "store.waits-for-the-lock"])
    expect(marks, mark).toContain(mark);
});

test.each(READER_MUTANTS.map(({ id, oracles }) => [id, oracles] as const))(
  "%s is found",
  async (id, oracles) => {
    for (let seed = 1; seed <= 200; seed++) {
      const { failure } = await run(seed, [id]);
      if (failure === null) continue;
      expect(oracles).toContain(failure.oracle);
      return;
    }
    throw new Error(`${id} was not found in 200 seeds`);
  },
);

test("seeds of other workloads are what they were before there were readers", () => {
  const without = (limits: SwarmLimits): SwarmLimits => ({
    ...limits,
    workloads: limits.workloads.filter((name) => !isReaderWorkload(name)),
  });
  let changed = 0;
  for (const limits of [DEFAULT_LIMITS, ALL_LIMITS]) {
    for (let seed = 1; seed <= 300; seed++) {
      const options = (of: SwarmLimits) => drawOptions(Choices.fromSeed(String(seed)).stream("options"), of);
      const now = options(limits);
      if (isReaderWorkload(now.workload)) changed++;
      else expect(now).toEqual(options(without(limits)));
    }
  }
  expect(changed).toBeGreaterThan(20);
  expect(changed).toBeLessThan(90);
});

describe("a process beside the first", () => {
  test("sees what is not synced, keeps a removed file that it has open, outlives a kill and ends with the power", () => {
    const { disk } = machine(1);
    const writer = disk.mount();
    const file = writer.createFile("/a");
    file.write(Buffer.from("unsynced"), 0, 8, 0);
    const beside = disk.mountBeside();
    const open = beside.vfs.openFile("/a", "read");
    const read = (): string => {
      const bytes = Buffer.alloc(8);
      open.read(bytes, 0, 8, 0);
      return bytes.toString();
    };
    expect(read()).toBe("unsynced");
    writer.removeFile("/a");
    expect(disk.handlesOf("/a"), "of the first process alone").toBe(1);
    disk.crash("process-kill");
    expect(() => file.size()).toThrow(SimulatedCrash);
    expect(beside.alive).toBe(true);
    expect(read()).toBe("unsynced");
    disk.mount();
    expect(read()).toBe("unsynced");
    disk.crash("power-loss");
    expect(beside.alive).toBe(false);
    expect(() => read()).toThrow(SimulatedCrash);
  });

  test("says at its end what it has left open", () => {
    const { disk } = machine(1);
    disk.mount().createFile("/a").close();
    const beside = disk.mountBeside();
    beside.vfs.openFile("/a", "read");
    expect(beside.end()).toEqual(["open file /a"]);
    expect(disk.shutdown()).toEqual([]);
  });
});

describe("O40", () => {
  const model = new Model();
  for (let n = 1; n <= 3; n++) {
    const commit = model.submit(n, [["put", "k", n, 4]], "sync");
    model.acknowledge(commit, 10 + n, 0);
  }
  const rowsAt = (n: number) => [{ key: "k", value: valueBytes(n, 4) }];
  const check = (version: number, durable: number, rows: number, versionBefore = 0): void =>
    checkNewView(new OracleLedger(), model, model.visibleAt(version), {
      version,
      versionBefore,
      durable,
      rows: rowsAt(rows),
    });

  test("objects to a view that is too old, goes back, or shows another commit than its version's, and to nothing else", () => {
    check(13, 3, 3);
    check(12, 2, 2, 12);
    expect(() => check(12, 3, 2)).toThrow("commit 3 was durable before");
    expect(() => check(12, 0, 2, 13)).toThrow("goes back from version 13 to 12");
    expect(() => check(12, 0, 1)).toThrow("O40");
    expect(() => check(13, 3, 2)).toThrow("O40");
  });

  test("objects to a view that changes", () => {
    checkSameView(new OracleLedger(), "a view", rowsAt(1), rowsAt(1));
    for (const now of [rowsAt(2), [], [...rowsAt(1), ...rowsAt(1)]])
      expect(() => checkSameView(new OracleLedger(), "a view", rowsAt(1), now)).toThrow("O40");
  });
});
