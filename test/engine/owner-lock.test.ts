/**
 * Opening a store that another process has open (FS-3): the error names the process, and `lockTimeoutMs` waits for it.
 * Verifies, among real processes: an owner that closes, one that is killed, several who wait, none who gives up.
 * Does not verify: the lock itself (`test/platform/directory-lock.test.ts`).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { open } from "../../src/index.js";
import { type Compiled, compileSources } from "../sim/compiled.js";

let compiled: Compiled;
let directory: string;
const children: ChildProcess[] = [];

beforeAll(() => {
  compiled = compileSources(["src"]);
});
afterAll(() => compiled.remove());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stillwater-owner-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) await killed(child);
  rmSync(directory, { recursive: true, force: true });
});

/** Opens, counts itself in, says so, and closes at the first line from its standard input. */
const OWNER = `
  import { once } from "node:events";
  import { open } from "./src/index.js";
  const [directory, timeout] = process.argv.slice(1);
  try {
    const store = await open(directory, { lockTimeoutMs: Number(timeout), backgroundThread: false });
    const count = Number(Buffer.from(store.getSync(Buffer.from("owners")) ?? "0").toString()) + 1;
    await store.put(Buffer.from("owners"), Buffer.from(String(count)));
    console.log("owner " + count);
    await once(process.stdin, "data");
    await store.close();
    console.log("closed");
  } catch (error) {
    console.log(error.code + " " + error.ownerPid);
  }
  process.stdin.destroy();
`;

interface Owner {
  readonly child: ChildProcess;
  /** The next line that it prints. */
  line(): Promise<string>;
}

function owner(lockTimeoutMs: number): Owner {
  const parameters = ["--input-type=module", "--eval", OWNER, "--", directory, String(lockTimeoutMs)];
  const child = spawn(process.execPath, parameters, {
    cwd: compiled.folder,
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, line: async () => String((await lines.next()).value) };
}

function killed(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

test("without lockTimeoutMs a store that is open elsewhere is refused at once, with the number of its process", async () => {
  const first = owner(0);
  expect(await first.line()).toBe("owner 1");
  await expect(open(directory)).rejects.toMatchObject({
    code: "LOCKED",
    path: directory,
    ownerPid: first.child.pid,
    message: expect.stringContaining(`process ${first.child.pid}`),
  });
});

test("a wait that is too short ends with LOCKED, the process and how long it was waited for", async () => {
  const first = owner(0);
  expect(await first.line()).toBe("owner 1");
  await expect(open(directory, { lockTimeoutMs: 40 })).rejects.toMatchObject({
    code: "LOCKED",
    ownerPid: first.child.pid,
    message: expect.stringContaining("Waited 40 ms"),
  });
});

test("who waits gets the store when its owner is killed, with all that it has acknowledged", async () => {
  const first = owner(0);
  expect(await first.line()).toBe("owner 1");
  const waiting = open(directory, { lockTimeoutMs: 60_000, backgroundThread: false });
  await killed(first.child);
  const store = await waiting;
  expect(Buffer.from(store.getSync(Buffer.from("owners")) ?? []).toString()).toBe("1");
  expect(store.recovery.commitsReplayed).toBe(1);
  await store.close();
});

test("of two processes that wait, one after the other gets the store", async () => {
  const first = owner(0);
  expect(await first.line()).toBe("owner 1");
  const waiting = [owner(60_000), owner(60_000)];
  const lines = waiting.map((one) => one.line());
  first.child.stdin?.write("\n");
  expect(await first.line()).toBe("closed");
  const second = await Promise.race(lines.map(async (line, index) => ({ index, line: await line })));
  expect(second.line).toBe("owner 2");
  const [next, last] = second.index === 0 ? waiting : waiting.toReversed();
  next?.child.stdin?.write("\n");
  expect(await lines[1 - second.index]).toBe("owner 3");
  last?.child.stdin?.write("\n");
  expect(await last?.line()).toBe("closed");
});

test("other errors of taking the lock end the waiting at once", async () => {
  await expect(
    open(join(directory, "absent"), { lockTimeoutMs: 60_000, createIfMissing: false }),
  ).rejects.toMatchObject({ code: "NOT_A_STORE" });
});
