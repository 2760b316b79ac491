/**
 * The example as a test: an import in another process is killed with SIGKILL again and again, from inside in the
 * middle of a commit and from outside at whatever it is doing, and loses nothing that it had been told is durable.
 * Uses the built package (`npm run build` first).
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "stillwater-examples-"));
const tree = join(folder, "tree");
const FILES = 300;

beforeAll(() => {
  for (let number = 0; number < FILES; number++) {
    const directory = join(tree, `d${number % 7}`, `e${number % 3}`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `file ${number} ü`), `content of ${number} `.repeat((number * 37) % 400));
  }
  writeFileSync(join(tree, "large"), Buffer.alloc(2_500_000, "a large file "));
  writeFileSync(join(tree, "large.exact"), Buffer.alloc(2 * 1024 * 1024, 7));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  /** The lines of JSON that it printed, as one object. */
  readonly said: Readonly<Record<string, unknown>>;
  readonly error: string;
}

/** Paths of a store and its notes. */
class Import {
  readonly store: string;
  readonly acks: string;

  constructor(name: string) {
    this.store = join(folder, `${name}.db`);
    this.acks = join(folder, `${name}.acks`);
  }

  get acknowledged(): number {
    return existsSync(this.acks) ? readFileSync(this.acks, "utf8").split("\n").length - 1 : 0;
  }

  async run(flags: readonly string[], interfere: (child: Child) => void = () => undefined): Promise<Run> {
    const script = join(ROOT, "examples/import-tree.mjs");
    const args = [script, "--store", this.store, "--acks", this.acks, "--from", tree, ...flags];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let error = "";
    child.stdout.on("data", (data: Buffer) => {
      output += data.toString();
    });
    child.stderr.on("data", (data: Buffer) => {
      error += data.toString();
    });
    interfere(child);
    const end = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.on("close", (code, signal) => resolve({ code, signal }));
    });
    const lines = output.split("\n").slice(0, -1);
    const said = Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)) as Run["said"];
    return { ...end, said, error };
  }
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

describe("an import of a directory tree", () => {
  it("runs through, and store and directory are the same byte for byte", async () => {
    const whole = new Import("whole");
    expect(await whole.run([])).toMatchObject({
      code: 0,
      said: { proved: 0, imported: FILES + 2, faults: [] },
    });
    expect(await whole.run(["--check"])).toMatchObject({
      code: 0,
      said: { compared: FILES + 2, faults: [] },
    });
  });

  it("killed in the middle of a commit, again and again, resumes with everything that was acknowledged", async () => {
    const killed = new Import("inside");
    const flags = ["--batch-files", "16"];
    for (const batches of ["0", "1", "5", "3"]) {
      const before = killed.acknowledged;
      const { signal, said } = await killed.run([...flags, "--kill-after", batches]);
      expect(signal).toBe("SIGKILL");
      expect(said).toMatchObject({ proved: before, faults: [] });
      expect(killed.acknowledged - before).toBe(16 * Number(batches));
    }
    const before = killed.acknowledged;
    expect(await killed.run(flags)).toMatchObject({ code: 0, said: { proved: before, faults: [] } });
    expect(await killed.run(["--check"])).toMatchObject({ code: 0, said: { faults: [] } });
  });

  it("killed from outside at any moment, resumes with everything that was acknowledged", async () => {
    const killed = new Import("outside");
    const flags = ["--batch-files", "4"];
    for (const more of [1, 20, 60]) {
      const before = killed.acknowledged;
      const { said } = await killed.run(flags, (child) => {
        const watch = setInterval(() => {
          if (killed.acknowledged >= before + more) child.kill("SIGKILL");
        }, 1);
        child.on("close", () => clearInterval(watch));
      });
      expect(said).toMatchObject({ proved: before, faults: [] });
    }
    expect(await killed.run(flags)).toMatchObject({ code: 0, said: { faults: [] } });
    expect(await killed.run(["--check"])).toMatchObject({
      code: 0,
      said: { compared: FILES + 2, faults: [] },
    });
  });

  it("would notice a loss: a note of a file that is not there, and of one with other content", async () => {
    const cheated = new Import("cheated");
    await cheated.run([]);
    appendFileSync(cheated.acks, `${JSON.stringify({ path: "never", sha256: "" })}\n`);
    appendFileSync(cheated.acks, `${JSON.stringify({ path: "large", sha256: "" })}\n`);
    const { code, said } = await cheated.run([]);
    expect(code).toBe(1);
    expect(said["faults"]).toEqual([
      "large was acknowledged, but has other content now",
      "never was acknowledged, but is not in the store",
    ]);
  });
});
