/**
 * A reader beside a real writer process that is killed again and again (O40 on the real file system).
 * Verifies: at each look the reader has what the writer had acknowledged before, in order and without a hole, never less than at
 * the look before, through flushes, compactions, kills and recoveries; a snapshot stays. Does not verify: power loss (`sim`).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { open, openReadOnly, type ReadOnlyStore } from "../../src/index.js";
import { type Compiled, compileSources } from "../sim/compiled.js";

let compiled: Compiled;
const directory = mkdtempSync(join(tmpdir(), "stillwater-beside-"));

beforeAll(() => {
  compiled = compileSources(["src"]);
});
afterAll(() => {
  compiled.remove();
  rmSync(directory, { recursive: true, force: true });
});

/** Counts up in `n`, with a row for each number; says each that has been acknowledged as durable. */
const WRITER = `
  import { writeSync } from "node:fs";
  import { Batch, open } from "./src/index.js";
  const store = await open(process.argv[1], {
    backgroundThread: false, memtableBytes: 16384, level0CompactionFiles: 2, tableBytes: 8192, lockTimeoutMs: 10000,
  });
  const text = (value) => Buffer.from(String(value));
  let n = Number(Buffer.from(store.getSync(text("n")) ?? "0").toString());
  for (;;) {
    const batch = new Batch();
    batch.put(text("n"), text(++n));
    batch.put(text("row-" + String(n % 40).padStart(2, "0")), text(n + " " + "x".repeat(200)));
    await store.write(batch);
    writeSync(1, n + "\\n");
  }
`;

interface Writer {
  readonly child: ChildProcess;
  /** The newest number that it has said. */
  acknowledged(): number;
  until(n: number): Promise<void>;
  kill(): Promise<void>;
}

function startWriter(): Writer {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", WRITER, "--", directory], {
    cwd: compiled.folder,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  let newest = 0;
  let rest = "";
  let wake: () => void = () => undefined;
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    if (lines.length > 0) newest = Number(lines.at(-1));
    wake();
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  return {
    child,
    acknowledged: () => newest,
    async until(n) {
      while (newest < n) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** The number that the store stands at; each row must be the newest one of its slot up to there. */
function lookAt(reader: ReadOnlyStore): number {
  const rows = new Map(
    reader
      .scan()
      .toArray()
      .map(([key, value]) => [Buffer.from(key).toString(), Buffer.from(value).toString()]),
  );
  const n = Number(rows.get("n") ?? 0);
  for (let slot = 0; slot < 40; slot++) {
    const due = n - ((((n - slot) % 40) + 40) % 40);
    const row = rows.get(`row-${String(slot).padStart(2, "0")}`);
    expect(row?.split(" ")[0], `slot ${slot} at ${n}`).toBe(due > 0 ? String(due) : undefined);
  }
  return n;
}

test("a reader sees all that was acknowledged, and a prefix, beside a writer that is killed and comes back five times", async () => {
  await (await open(directory, { backgroundThread: false })).close();
  const reader = await openReadOnly(directory);
  const first = reader.snapshot();
  let seen = 0;
  let looks = 0;
  for (let life = 1; life <= 5; life++) {
    const writer = startWriter();
    await writer.until(seen + 1);
    const goal = seen + 150;
    while (writer.acknowledged() < goal) {
      const acknowledged = writer.acknowledged();
      await reader.refresh();
      const n = lookAt(reader);
      expect(n).toBeGreaterThanOrEqual(Math.max(seen, acknowledged));
      seen = n;
      looks++;
      await writer.until(Math.min(acknowledged + 10, goal));
    }
    await writer.kill();
    const atLeast = writer.acknowledged();
    await reader.refresh();
    expect(lookAt(reader), "after the kill, before a recovery").toBeGreaterThanOrEqual(atLeast);
    const another = await openReadOnly(directory);
    expect(lookAt(another)).toBe(lookAt(reader));
    await another.close();
    seen = lookAt(reader);
  }
  expect(looks).toBeGreaterThan(10);
  expect(reader.scan({ snapshot: first }).toArray()).toEqual([]);
  first.close();
  const owner = await open(directory, { backgroundThread: false });
  expect(Number(Buffer.from(owner.getSync(Buffer.from("n")) ?? []).toString())).toBe(seen);
  await owner.close();
  await reader.refresh();
  expect(lookAt(reader)).toBe(seen);
  await reader.close();
});
