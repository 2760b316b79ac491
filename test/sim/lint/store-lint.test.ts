/** The durability lint of the store: silent for the engine as it is, exact for an engine that promises too early. */
import { describe, expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { lintRun, lintSeeds } from "../../../sim/lint/lint-seeds.js";
import { RecordedOperations } from "../../../sim/workload/generator.js";
import { type Operation, writerOfMutation } from "../../../sim/workload/operation.js";
import { PLAIN_OPTIONS } from "../../../sim/workload/plain-options.js";

/** One row a beat: commits are acknowledged while the memtable before theirs is still being flushed. */
const STORE = {
  memtableBytes: 4096,
  beatRows: 1,
  level0CompactionFiles: 2,
  level0StallFiles: 4,
  level0LimitFiles: 8,
};

function put(number: number, bytes: number): Operation {
  return {
    kind: "write",
    call: "single",
    mutations: [["put", `k${number}`, writerOfMutation(number, 0), bytes]],
  };
}

/** Commits that rotate the log, a flush, a checkpoint, a reopening, and commits after it. */
const OPERATIONS: readonly Operation[] = [
  {
    kind: "write",
    call: "batch",
    mutations: Array.from(
      { length: 60 },
      (_, index) => ["put", `b${index}`, writerOfMutation(0, index), 20] as const,
    ),
  },
  put(1, 4000),
  put(2, 4000),
  put(3, 100),
  { kind: "flush", waits: true },
  { kind: "checkpoint", restores: false },
  { kind: "reopen", settles: true },
  put(7, 100),
];

async function lint(mutant: string | null): Promise<{ kinds: string[]; lines: string[] }> {
  const { looked, findings } = await lintRun({
    options: { ...PLAIN_OPTIONS, store: STORE },
    choices: Choices.fromLog("lint", {}),
    source: new RecordedOperations(OPERATIONS),
    mutants: mutant === null ? [] : [mutant],
    recording: false,
  });
  const lines = findings.flatMap(({ kind, missing }) => missing.map(({ text }) => `${kind}: ${text}`));
  return { kinds: [...looked.keys()].sort(), lines };
}

describe("the lint", () => {
  test("looks at every kind of acknowledgement, and finds nothing in the engine as it is", async () => {
    const { kinds, lines } = await lint(null);
    expect(kinds).toEqual(["CURRENT", "checkpoint", "close", "commit", "flush"]);
    expect(lines).toEqual([]);
  });

  test("W1: a commit that is acknowledged before its sync stands on the bytes of its record", async () => {
    const { lines } = await lint("W1-ack-before-sync");
    expect(lines[0]).toMatch(/^commit: bytes 512 to \d+ of \/store\/000002\.wal$/);
    for (const line of lines) expect(line).toMatch(/^commit: bytes \d+ to \d+ of .*\.wal$/);
  });

  test("W24: a commit in a segment whose name is not synced stands on that name", async () => {
    const { lines } = await lint("W24-segment-name-not-synced");
    expect(lines[0]).toBe("commit: create /store/000002.wal");
    for (const line of lines) expect(line).toMatch(/: create .*\.wal$/);
  });

  test("W4: a commit stands on the end of the segment before its own", async () => {
    const { lines } = await lint("W4-segment-sealed-without-sync");
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/^commit: bytes \d+ to \d+ of \/store\/\d+\.wal$/);
  });

  test("D2: a flush stands on size and bytes of its table", async () => {
    const { lines } = await lint("D2-table-not-synced");
    const flush = lines.filter((line) => line.startsWith("flush"));
    expect(flush.length).toBeGreaterThan(0);
    for (const line of flush) expect(line).toMatch(/: (size|bytes \d+ to \d+) .*\d+\.sst( from 0 to \d+)?$/);
    expect(lines.some((line) => /^(checkpoint|close)/.test(line))).toBe(true);
  });

  test("M2: CURRENT stands on the manifest that it names", async () => {
    const { lines } = await lint("M2-manifest-not-synced");
    expect(lines).toContain("CURRENT: size of /store/MANIFEST-000001 from 0 to 512");
  });
});

test("over seeds it adds up by kind of acknowledgement and place", async () => {
  const sound = await lintSeeds({ from: "1", seeds: 2, mutants: [] }, () => {});
  expect(sound.groups).toEqual([]);
  expect(sound.failed).toEqual([]);
  expect(sound.looked.close).toBeGreaterThan(1);
  const early = await lintSeeds({ from: "1", seeds: 1, mutants: ["D2-table-not-synced"] }, () => {});
  const [group] = early.groups;
  expect(group).toMatchObject({ kind: "flush", seed: "1" });
  expect(group?.place).toMatch(/^(size|bytes) of \*\.sst$/);
  expect(group?.times).toBeGreaterThan(0);
});
