/**
 * `sim exec` and `--import stillwater/sim/register`, as processes: a program that loses what it promised is found, with
 * its cause and a case that replays; one that keeps its promises is not; the same seed gives the same report.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Compiled, compileSources } from "../compiled.js";

let compiled: Compiled;
let folder: string;
beforeAll(() => {
  compiled = compileSources();
  writeFileSync(join(compiled.folder, "program.js"), PROGRAM);
  folder = mkdtempSync(join(tmpdir(), "stillwater-exec-test-"));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
});
afterAll(() => {
  compiled.remove();
  rmSync(folder, { recursive: true });
});

/** The command as the executable runs it, without the others that would have to be loaded: wrong usage is 2. */
const PROGRAM = `
  import { Command, CommanderError } from "commander";
  import { execCommand } from "./sim/commands/exec.js";
  const speak = (command) => {
    command.exitOverride().configureOutput({ outputError: () => undefined });
    command.commands.forEach(speak);
    return command;
  };
  try {
    await speak(new Command().addCommand(execCommand())).parseAsync(process.argv.slice(2), { from: "user" });
  } catch (error) {
    console.error(error.message);
    process.exitCode = error instanceof CommanderError ? 2 : 127;
  }`;

const SAVE = (body: string) => `
  import { open, rename, writeFile } from "node:fs/promises";
  for (let i = 0; i < 3; i++) {
    ${body}
    console.log(i);
  }`;

const FILES = {
  "renames-without-sync.mjs": SAVE(`
    await writeFile("/data/db.tmp", JSON.stringify({ i }));
    await rename("/data/db.tmp", "/data/db.json");`),
  "right.mjs": SAVE(`
    await writeFile("/data/db.tmp", JSON.stringify({ i }), { flush: true });
    await rename("/data/db.tmp", "/data/db.json");
    const directory = await open("/data");
    await directory.sync();
    await directory.close();`),
  "overwrites.mjs": SAVE(`await writeFile("/data/db.json", JSON.stringify({ i }));`),
  "check.mjs": `
    import { existsSync, readFileSync } from "node:fs";
    export default function ({ acknowledged, crash }) {
      if (acknowledged.length === 0 && !existsSync("/data/db.json")) return;
      const { i } = JSON.parse(readFileSync("/data/db.json", "utf8"));
      if (i < Number(acknowledged.at(-1) ?? 0)) throw new Error("went back to " + i);
    }`,
  "fails.mjs": `process.exit(3);`,
  "uses-all-forms.mjs": `
    import fs, { readFileSync } from "node:fs";
    import * as all from "fs";
    import promises from "fs/promises";
    import { createRequire } from "node:module";
    const required = createRequire(import.meta.url)("fs");
    fs.mkdirSync("store");
    all.writeFileSync("store/x", "1");
    required.appendFileSync("store/x", "2");
    await promises.appendFile("store/x", "3");
    await new Promise((resolve) => required.appendFile("store/x", "4", resolve));
    await new Promise((resolve) => fs.createWriteStream("store/x", { flags: "a" }).end("5", resolve));
    const say = (call) => { try { return String(call()); } catch (error) { return error.message; } };
    console.log(JSON.stringify({
      x: readFileSync("store/x", "utf8"),
      own: fs.readFileSync("check.mjs", "utf8").length > 0,
      elsewhere: say(() => fs.writeFileSync("${join(tmpdir(), "stillwater-elsewhere")}", "x")),
      rename: say(() => fs.renameSync("store/x", "${join(tmpdir(), "stillwater-elsewhere")}")),
      addon: say(() => process.dlopen({}, "/x/addon.node")),
      worker: say(() => new (required.constructor && createRequire(import.meta.url)("worker_threads").Worker)("w.mjs")),
      watch: say(() => fs.watch("store")),
      time: Date.now(), chance: Math.random(), id: createRequire(import.meta.url)("crypto").randomUUID(),
    }));
    const started = Date.now();
    setTimeout(() => console.log("waited", Date.now() - started), 3_600_000);`,
};

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Node as another process, so that several tests wait at a time. */
function node(parameters: readonly string[], cwd = folder, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, parameters, { cwd, env: { ...process.env, ...env } });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      stdout += piece;
    });
    child.stderr.setEncoding("utf8").on("data", (piece: string) => {
      stderr += piece;
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

const run = (...parameters: string[]) => node([join(compiled.folder, "program.js"), "exec", ...parameters]);

const onCheck = (...parameters: string[]) => run("--check", "check.mjs", "--mount", "/data", ...parameters);

describe.concurrent("sim exec", () => {
  it("finds what a rename without a sync loses, says why, and saves a case that fails again", async () => {
    const { status, stdout } = await onCheck(
      "--findings",
      "3",
      "--save",
      "cases",
      "--",
      "renames-without-sync.mjs",
    );
    expect(status).toBe(129);
    expect(stdout).toMatch(
      /cause +The check fails when .*\/data\/db.json.* is lost \(step 2\) while .*rename/,
    );
    expect(stdout).toContain("renames-without-sync.mjs:5");
    const replayed = await run("--replay", join("cases", "renames-without-sync-1.json"));
    expect(replayed.status).toBe(129);
    expect(replayed.stdout).toContain("SyntaxError");
  });

  it("finds nothing where the file and the directory are synced", async () => {
    const { status, stdout } = await onCheck("--", "node", "right.mjs");
    expect(stdout).toContain("all there are");
    expect(stdout).toContain("failed        0 states");
    expect(status).toBe(0);
  });

  it("finds that a process killed between truncate and write leaves an empty file", async () => {
    const { status, stdout } = await onCheck("--crash", "process-kill", "--", "overwrites.mjs");
    expect(status).toBe(129);
    expect(stdout).toContain("the process is killed right after open /data/db.json");
  });

  it("gives the same crash states and the same report for the same seed", async () => {
    const reports = ["a.json", "b.json"].map(async (report) => {
      await onCheck(
        "--seed",
        "7",
        "--sample",
        "4",
        "--findings",
        "1",
        "--report",
        report,
        "--",
        "renames-without-sync.mjs",
      );
      return { ...JSON.parse(readFileSync(join(folder, report), "utf8")), elapsedMs: 0 };
    });
    const [first, second] = await Promise.all(reports);
    expect(second).toEqual(first);
    expect(first?.findings.length).toBeGreaterThan(0);
  });

  it("refuses a program that fails by itself, a missing check and a file that is no case", async () => {
    const failing = await onCheck("--", "fails.mjs");
    expect(failing).toMatchObject({ status: 2 });
    expect(failing.stderr).toContain("must work without crashes");
    expect(await run("--", "right.mjs")).toMatchObject({ status: 2 });
    writeFileSync(join(folder, "no-case.json"), "{}");
    expect((await run("--replay", "no-case.json")).stderr).toContain("is no case of sim exec");
  });
});

describe.concurrent("--import stillwater/sim/register", () => {
  it("puts every form of import on the simulated disk, and refuses what it cannot simulate", async () => {
    const register = join(compiled.folder, "sim/register.js");
    const parameters = ["--import", register, "uses-all-forms.mjs"];
    const env = { NODE_OPTIONS: "", STILLWATER_SEED: "1" };
    const [first, second] = await Promise.all([1, 2].map(() => node(parameters, folder, env)));
    const [line, waited] = (first?.stdout ?? "").split("\n");
    expect(first?.stderr).toBe("");
    const said = JSON.parse(line ?? "");
    expect(said).toMatchObject({ x: "12345", own: true });
    expect(said.elsewhere).toContain("EROFS");
    expect(said.rename).toContain("EXDEV");
    expect(said.addon).toContain("/x/addon.node cannot be simulated");
    expect(said.worker).toContain("w.mjs cannot be simulated");
    expect(said.watch).toContain("fs.watch is not simulated");
    expect(waited).toBe("waited 3600000");
    expect(second?.stdout).toBe(first?.stdout);
    expect(existsSync(join(folder, "store"))).toBe(false);
  });
});

describe.concurrent("packages of npm (docs/CRASH-TESTS.md)", () => {
  const examples = join(import.meta.dirname, "../../../examples/crash-test");
  const verdict = async (name: string, crash: string): Promise<number | null> => {
    const program = join(compiled.folder, "program.js");
    const parameters = [
      "exec",
      "--check",
      "check.mjs",
      "--mount",
      "/data",
      "--crash",
      crash,
      "--findings",
      "1",
    ];
    const ended = await node([program, ...parameters, "--", "program.mjs"], join(examples, name));
    return ended.status;
  };

  it("write-file-atomic keeps its promise; steno does not when the power fails, but when the process is killed", async () => {
    const verdicts = await Promise.all([
      verdict("write-file-atomic", "power-loss"),
      verdict("steno", "power-loss"),
      verdict("steno", "process-kill"),
    ]);
    expect(verdicts).toEqual([0, 129, 0]);
  });

  it("the loss that is on record fails again, from its case", async () => {
    const { status, stdout } = await run("--replay", join(examples, "steno/cases/power-loss/program-1.json"));
    expect(stdout).toContain("rename /data/.db.json.tmp -> /data/db.json");
    expect(status).toBe(129);
  });
});
