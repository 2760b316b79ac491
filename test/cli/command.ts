/** Runs the built command line (`npm run build` first) in child processes, on stores in folders of its own. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { open } from "../../src/index.js";

export const ROOT = join(import.meta.dirname, "../..");
export const MAIN = join(ROOT, "dist/src/cli/main.js");

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

export function stillwater(args: readonly string[], input: string | Uint8Array = ""): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    input,
    maxBuffer: 1 << 28,
  });
  return { code: status, out: stdout.toString(), error: stderr.toString() };
}

/** The JSON that a command prints; fails on anything but success. */
export function jsonOf(args: readonly string[], input = ""): Record<string, unknown> {
  const { code, out, error } = stillwater([...args, "--json"], input);
  if (code !== 0) throw new Error(`exit code ${code}: ${error}`);
  return JSON.parse(out) as Record<string, unknown>;
}

/** A new folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "stillwater-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Rows `key-00000` … with values that tell the key. */
export function rowOf(number: number, generation = 0): readonly [key: string, value: string] {
  const key = `key-${String(number).padStart(5, "0")}`;
  return [key, `value ${generation} of ${key} ${"abcdefghij".repeat(3)}`];
}

/** A closed store with `rows` rows in one table. */
export async function storeWithRows(directory: string, rows: number): Promise<void> {
  const store = await open(directory, { backgroundThread: false, durability: "buffered" });
  for (let number = 0; number < rows; number++) {
    const [key, value] = rowOf(number);
    void store.put(Buffer.from(key), Buffer.from(value));
  }
  await store.close();
}

/** What a power cut would leave of a store: `before` rows in a table and `commits` commits of one row in the log. */
export async function crashedStore(directory: string, before: number, commits: number): Promise<void> {
  const original = `${directory}-original`;
  await storeWithRows(original, before);
  const store = await open(original, { backgroundThread: false, memtableBytes: 256 * 1024 });
  for (let number = before; number < before + commits; number++) {
    const [key, value] = rowOf(number);
    await store.put(Buffer.from(key), Buffer.from(value));
  }
  cpSync(original, directory, { recursive: true });
  await store.close();
}

export function fileEndingWith(directory: string, ending: string): string {
  const name = readdirSync(directory).find((entry) => entry.endsWith(ending));
  if (name === undefined) throw new Error(`${directory} has no file *${ending}`);
  return join(directory, name);
}

export function flipByte(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] as number) ^ 0x10;
  writeFileSync(path, bytes);
}

/** Every file below a folder with its content, to tell whether anything has changed. */
export function contentsOf(directory: string): ReadonlyMap<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  // LOCK is a note for people about who has the store open.
  const files = names.filter((name) => name !== "LOCK" && statSync(join(directory, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(directory, name), "latin1")]));
}
