import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Compiled, compileSources, type Outcome, runModule, runUnread } from "./compiled.js";

const MUTANT = "W1-ack-before-sync";
/** Adds the command to a program that, as the real one does, ends with 2 for wrong usage. */
const PROGRAM = `
  import { Command, CommanderError } from "commander";
  import { simCommand } from "./sim/cli.js";
  const speak = (command) => { command.exitOverride(); command.commands.forEach(speak); return command; };
  const program = speak(new Command("stillwater"));
  program.addCommand(speak(simCommand()));
  try {
    await program.parseAsync(process.argv.slice(1), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
`;

let compiled: Compiled;
let folder: string;
beforeAll(() => {
  compiled = compileSources();
  folder = mkdtempSync(join(tmpdir(), "stillwater-sim-cli-"));
}, 60_000);
afterAll(() => {
  compiled.remove();
  rmSync(folder, { recursive: true });
});

function sim(...parameters: string[]): Promise<Outcome> {
  return runModule(compiled, PROGRAM, "sim", ...parameters);
}

describe("sim run", () => {
  test("ends with 0 when no promise is broken, and says what was done", async () => {
    const report = join(folder, "report.json");
    const junit = join(folder, "report.xml");
    const { code, output, errors } = await sim(
      "run",
      "--seeds=10",
      "--from=4000",
      `--report=${report}`,
      `--junit=${junit}`,
    );
    expect(errors).toBe("");
    expect(code).toBe(0);
    expect(output).toMatch(/^seeds +10 /m);
    expect(output).toMatch(/^crash points hit: \d+ of \d+$/m);
    expect(output).toMatch(/^marks reached: \d+ of \d+$/m);
    expect(output).toContain("no promise was broken");
    const parsed = JSON.parse(readFileSync(report, "utf8")) as Record<string, unknown>;
    expect(parsed).toMatchObject({ format: 1, seeds: 10, failures: [] });
    expect(readFileSync(junit, "utf8")).toContain('tests="1" failures="0"');
  });

  test("ends with 129 when one is, prints one line that reproduces it, and saves the case", async () => {
    const saved = join(folder, "saved");
    const { code, output } = await sim(
      "run",
      "--seeds=60",
      "--from=1",
      "--faults=tear",
      `--mutant=${MUTANT}`,
      `--save=${saved}`,
    );
    expect(code).toBe(129);
    const seed = /^FAILED {2}seed (\d+) {2}\(safety\)$/m.exec(output)?.[1];
    expect(seed).toBeDefined();
    expect(output).toContain("broken     O1: every commit acknowledged as durable is there after a crash");
    const line = `stillwater sim replay ${seed} --faults tear --mutant ${MUTANT}`;
    expect(output).toContain(`  reproduce  ${line}\n`);
    const again = await sim(...line.split(" ").slice(2));
    expect(again.code).toBe(129);
    const path = join(saved, `seed-${seed}.json`);
    expect(readdirSync(saved)).toContain(`seed-${seed}.json`);
    expect((await sim("replay", path)).code).toBe(0);
  });

  test("with a canary shows that failures are reported: text, exit code, both reports and the saved cases", async () => {
    const report = join(folder, "canary.json");
    const junit = join(folder, "canary.xml");
    const saved = join(folder, "canary");
    const to = [`--report=${report}`, `--junit=${junit}`, `--save=${saved}`];
    const { code, output } = await sim("run", "--canary", "--seeds=2", "--from=4000", ...to);
    expect(code).toBe(129);
    expect(output).toContain("FAILED  seed 4000  (safety)");
    expect(output).toContain("stillwater sim replay 4000 --mutant canary");
    expect(output).toContain("2 seeds failed");
    const parsed = JSON.parse(readFileSync(report, "utf8")) as {
      failures: readonly { failure: { oracle: string } }[];
    };
    expect(parsed.failures.map(({ failure }) => failure.oracle)).toEqual(["O28", "O28"]);
    expect(readFileSync(junit, "utf8")).toContain('<failure type="O28"');
    expect(readdirSync(saved).sort()).toEqual(["seed-4000.json", "seed-4001.json"]);
    const again = await sim("replay", join(saved, "seed-4000.json"));
    expect(again.code).toBe(0);
    expect(again.output).toContain("expected O28 to fail");
    expect((await sim("replay", "4000", "--mutant", "canary")).code).toBe(129);
  });

  test("ends quietly and as it would have ended when the reader of its output has gone", async () => {
    const saved = join(folder, "unread");
    const run = ["run", "--canary", "--seeds=1", `--save=${saved}`];
    expect(await runUnread(compiled, PROGRAM, "sim", ...run)).toEqual({ code: 129, output: "", errors: "" });
    expect(readdirSync(saved)).toHaveLength(1);
  });

  test("ends with 2 for wrong usage, before anything runs", async () => {
    for (const wrong of [
      ["run", "--seeds", "none"],
      ["run", "--time", "soon"],
      ["run", "--workload", "nothing"],
      ["run", "--faults", "gremlins"],
      ["run", "--nonsense"],
      ["run", "--mutant", "W1"],
      ["replay"],
      ["replay", join(folder, "nowhere.json")],
      ["unknown"],
    ]) {
      const { code, output } = await sim(...wrong);
      expect({ wrong, code, output }).toEqual({ wrong, code: 2, output: "" });
    }
  });
});

describe("sim shrink", () => {
  test("writes a small case and a test, says what makes the difference, and ends as the failure does", async () => {
    const out = join(folder, "shrunk");
    const { code, output, errors } = await sim("shrink", "28", `--mutant=${MUTANT}`, `--out=${out}`);
    expect([code, errors]).toEqual([129, ""]);
    expect(output).toMatch(/^SHRUNK {2}O1 broken/);
    expect(output).toMatch(/^ {2}because {2}fails iff the power fails at .* does not persist$/m);
    expect(output).toMatch(/^ {2}after {4}\d operations, [12] faults?,/m);
    const name = `seed-28-${MUTANT}-small`;
    expect(readdirSync(out).sort()).toEqual([`${name}.json`, `${name}.test.ts`]);
    const again = await sim("replay", join(out, `${name}.json`));
    expect([again.code, again.output]).toEqual([0, expect.stringContaining("expected O1 to fail")]);
    const once = await sim("shrink", join(out, `${name}.json`), `--out=${out}`);
    expect(once.code).toBe(129);
  });

  test("ends with 1 when nothing fails, and with 2 for what is no seed", async () => {
    expect((await sim("shrink", "5", "--budget=1s")).code).toBe(1);
    expect((await sim("shrink", "no seed")).code).toBe(2);
  });
});

describe("sim replay", () => {
  test("runs a seed, and writes what happened", async () => {
    const trace = join(folder, "trace.txt");
    const { code, output } = await sim("replay", "4001", "--trace", trace);
    expect(code).toBe(0);
    expect(output).toMatch(/^seed 4001 passed: \d+ operations, \d+ crashes$/m);
    expect(readFileSync(trace, "utf8")).toMatch(/^operation 0 \{/m);
  });

  test("ends with 127 when a case that must fail does not, and with 129 when one that must pass does not", async () => {
    const path = join(folder, "passing");
    await sim("replay", "4002", "--save", path);
    const file = join(path, "seed-4002.json");
    expect(existsSync(file)).toBe(true);
    expect((await sim("replay", file)).code).toBe(0);
    const one = JSON.parse(readFileSync(file, "utf8")) as { expect: { oracle: string | null } };
    one.expect.oracle = "O1";
    writeFileSync(file, JSON.stringify(one));
    expect((await sim("replay", file)).code).toBe(127);
  });
});

describe("sim coverage", () => {
  test("lists everything that there is to reach, and ends with 1 while something that is not rare never is", async () => {
    const { code, output } = await sim("coverage", "--seeds", "1", "--from", "4000");
    expect(output).toMatch(/^crash points: \d+ of \d+ reached$/m);
    expect(output).toMatch(/^ {2}wal_append +\d+ +(\d+|never) crashed +engine\/wal\/segment\.js:\d+$/m);
    expect(output).toMatch(/^ {2}manifest\.rewritten +never .* rare: /m);
    expect(output).toMatch(/^ {2}O1 +\d+$/m);
    expect(output).toMatch(/^ {2}W1-ack-before-sync +\d+ /m);
    expect(output).toMatch(/^never reached by 1 seeds: /m);
    expect(code).toBe(1);
  });

  test("gives the same as JSON", async () => {
    const { output } = await sim("coverage", "--seeds", "1", "--from", "4000", "--json");
    const { format, rows } = JSON.parse(output) as {
      format: number;
      rows: { kind: string; rare: string | null }[];
    };
    expect(format).toBe(1);
    expect(rows.filter(({ kind }) => kind === "mark").length).toBeGreaterThan(40);
    expect(rows.find(({ kind, rare }) => kind === "mark" && rare !== null)).toBeDefined();
  });
});

describe("sim mutants", () => {
  test("hunts the mutants that are asked for, on threads, and ends with 1 when one survives", async () => {
    const report = join(folder, "matrix.json");
    const few = ["--starts=2", "--budget=30", `--report=${report}`];
    const { code, output, errors } = await sim("mutants", "--only=W14-*,C8-*", ...few);
    expect(errors).toBe("");
    expect(code).toBe(0);
    expect(output).toMatch(/^W14-chain-forgotten-at-rotation +killed +\d+ +\d+ ms {2}O\d+.* safety$/m);
    expect(output).toMatch(/^C8-oldest-snapshot-ignored +killed /m);
    expect(output).toContain("planted: 2 mutants, 2 killed, 0 proven equivalent");
    const again = await sim("mutants", "--only=W14-*", ...few, `--baseline=${report}`);
    expect(again.output).not.toContain("WARNING");
    const short = await sim("mutants", "--only=L1-held-commit-does-not-rotate", "--starts=1", "--budget=1");
    expect(short.code).toBe(1);
    expect(short.output).toContain("1 survived");
  });

  test("prints the catalogue, and refuses ids and files that are none", async () => {
    const { code, output } = await sim("mutants", "--list");
    expect(code).toBe(0);
    expect(output).toMatch(/^W1-ack-before-sync +a commit is acknowledged before its sync$/m);
    expect((await sim("mutants", "--only=W1")).code).toBe(2);
    expect((await sim("mutants", "--baseline=/nowhere.json")).code).toBe(2);
  });
});

describe("sim explore", () => {
  test("says its alphabet, its bounds and what it covered, on threads as without, and ends with 0", async () => {
    const { code, output, errors } = await sim("explore", "--ops=1", "--jobs=2");
    expect(errors).toBe("");
    expect(code).toBe(0);
    expect(output).toMatch(/^ {2}put-a-unawaited +put that is on its way/m);
    expect(output).toMatch(/^instants +[\d,]+ {3}all of them/m);
    expect(output).toContain("proven for every workload of up to 1 of these steps");
  });

  test("ends with 129 for a broken promise, and saves a case that replays", async () => {
    const saved = join(folder, "explored");
    const found = await sim("explore", "--ops=1", `--mutant=${MUTANT}`, `--save=${saved}`);
    expect(found.code).toBe(129);
    expect(found.output).toMatch(/^FAILED {2}put-a$/m);
    const path = /stillwater sim replay (\S+)/.exec(found.output)?.[1] ?? "";
    const replayed = await sim("replay", path);
    expect(replayed.output).toContain("expected O1 to fail");
    expect(replayed.code).toBe(0);
  });

  test("ends with 2 for bounds that it does not have", async () => {
    expect((await sim("explore", "--ops=9")).code).toBe(2);
    expect((await sim("explore", "--depth=3")).code).toBe(2);
    expect((await sim("explore", "--mutant=W1")).code).toBe(2);
  });
});

describe("sim lint", () => {
  test("ends with 0 and says how many acknowledgements it looked at, and with 129 when one came too early", async () => {
    const sound = await sim("lint", "--seeds=1");
    expect(sound.errors).toBe("");
    expect(sound.code).toBe(0);
    expect(sound.output).toMatch(/^acknowledgements of 1 seeds: commit \d+, flush \d+/);
    const early = await sim("lint", "--seeds=1", "--mutant=D2-table-not-synced");
    expect(early.code).toBe(129);
    expect(early.output).toMatch(/^flush: size of \*\.sst not durable, \d+ times$/m);
    expect(early.output).toMatch(/^ {2}first: seed 1, a flush .*: size of \/store\/\d+\.sst from 0 to \d+$/m);
  });
});

describe("sim check-history", () => {
  const line = (start: number, operation: string): string =>
    `{"outcome":"ok","start":${start},"end":${start + 1},"operations":[${operation}]}\n`;

  test("ends with 0 for a history that fits the model, with 129 for one that does not, and names the anomaly", async () => {
    const file = join(folder, "history.jsonl");
    writeFileSync(
      file,
      line(0, '["append","x",1]') + line(2, '["read","x",[]]') + line(4, '["read","x",[1]]'),
    );
    const fine = await sim("check-history", file, "--model=serializable");
    expect(fine).toMatchObject({ code: 0, errors: "" });
    expect(fine.output).toContain("no anomaly: the history fits serializable");
    const broken = await sim("check-history", file);
    expect(broken).toMatchObject({ code: 129, errors: "" });
    expect(broken.output).toContain("G-single-realtime");
    expect(broken.output).toContain("T1 had ended before T2 began");
    const json = await sim("check-history", file, "--json");
    expect(JSON.parse(json.output)).toMatchObject({
      format: 1,
      valid: false,
      anomalies: [{ name: "G-single-realtime", keys: ["x"] }],
    });
  });

  test("ends with 2 for a malformed history, a file that is not there, and a model that does not exist", async () => {
    const file = join(folder, "malformed.jsonl");
    writeFileSync(file, `${line(0, "")}{"outcome":"perhaps"}\n`);
    expect((await sim("check-history", file)).code).toBe(2);
    expect((await sim("check-history", join(folder, "nowhere"))).code).toBe(2);
    expect((await sim("check-history", file, "--model=eventual")).code).toBe(2);
  });
});
