/** The emitted test stands alone: it type-checks, fails while the bug is there, and passes once it is gone. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CASE_FORMAT, type SimulationCase } from "../../../sim/cases/case.js";
import { defineCase } from "../../../sim/cases/literal-case.js";
import { replayCase } from "../../../sim/cases/replay.js";
import { formatTest } from "../../../sim/shrink/emit-test.js";
import { PLAIN_OPTIONS } from "../../../sim/workload/plain-options.js";
import { type Compiled, compileSources } from "../compiled.js";

const ROOT = join(import.meta.dirname, "../../..");

/** A commit is acknowledged before its sync: the smallest case of it, and some options and bytes for show. */
const CASE: SimulationCase = {
  format: CASE_FORMAT,
  name: "acknowledged",
  note: 'commit 1 of "\u0000\u00ff*/" is lost',
  cause: "fails iff the power fails at operation 1",
  seed: "5",
  options: { ...PLAIN_OPTIONS, buggify: true, disk: { ...PLAIN_OPTIONS.disk, holeContent: "garbage" } },
  operations: [
    { kind: "write", call: "single", mutations: [["put", '\u0000\u00ff"`${', 0, 1]] },
    { kind: "crash", how: "power-loss", at: { point: "wal_append", hits: 1 }, nested: [] },
  ],
  choices: { crash: [["1!1:1", 1]] },
  mutants: ["W1-ack-before-sync"],
  expect: { oracle: "O1" },
};

let compiled: Compiled;
let folder: string;
beforeAll(() => {
  compiled = compileSources();
  folder = mkdtempSync(join(ROOT, ".emitted-"));
  // The compiled sources as the package whose name the emitted test imports.
  symlinkSync(compiled.folder, join(folder, "compiled"));
  const exported = { name: "stillwater", type: "module", exports: { "./sim": "./compiled/sim/index.js" } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(exported));
  // Its own, or that of the repository would hold here too.
  writeFileSync(join(folder, "vitest.config.js"), 'export default { test: { include: ["*.test.ts"] } };');
  writeFileSync(join(folder, "on.test.ts"), formatTest(CASE));
  writeFileSync(join(folder, "off.test.ts"), formatTest({ ...CASE, mutants: [] }));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  compiled.remove();
});

describe("the emitted test", () => {
  test("fails with the planted bug, by the finding, and passes without it", () => {
    const report = join(folder, "report.json");
    const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
    const flags = ["run", "--reporter=json", `--outputFile=${report}`];
    const { status } = spawnSync(process.execPath, [vitest, ...flags], { cwd: folder });
    expect(status).toBe(1);
    const { testResults } = JSON.parse(readFileSync(report, "utf8")) as {
      testResults: {
        name: string;
        assertionResults: { status: string; title: string; failureMessages: string[] }[];
      }[];
    };
    const outcome = (file: string) =>
      testResults.find(({ name }) => name.endsWith(file))?.assertionResults ?? expect.unreachable(file);
    expect(outcome("off.test.ts").map(({ status: each }) => each)).toEqual(["passed"]);
    const [failed] = outcome("on.test.ts");
    expect(failed?.status).toBe("failed");
    expect(failed?.title).toBe("O1: every commit acknowledged as durable is there after a crash");
    expect(failed?.failureMessages[0]).toContain("O1 broken");
  });

  test("type-checks, strictly", () => {
    const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
    const path = join(folder, "on.test.ts");
    const program = ts.createProgram([path], {
      ...options,
      noEmit: true,
      declaration: false,
      rootDir: ROOT,
      paths: { "stillwater/sim": [join(ROOT, "sim/index.ts")] },
    });
    const file = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
  });

  test("says what broke and why, and imports nothing but vitest and the simulator", () => {
    const text = formatTest(CASE);
    expect(text).toContain(" * It fails iff the power fails at operation 1.");
    expect([...text.matchAll(/from "(.*)"/g)].map(([, name]) => name)).toEqual(["stillwater/sim", "vitest"]);
    expect(text).toContain('options: { buggify: true, disk: { holeContent: "garbage" } },');
  });
});

describe("a literal case", () => {
  test("is the run that its parts say, and plain where they say nothing", async () => {
    const { seed, operations, choices, mutants } = CASE;
    const options = { buggify: true, disk: { holeContent: "garbage" } } as const;
    const one = defineCase({ seed, options, operations, choices, mutants });
    expect(one).toMatchObject({ options: CASE.options, operations, choices, mutants });
    expect((await replayCase(one)).result.failure?.oracle).toBe("O1");
    expect((await replayCase(defineCase({ operations }))).result.failure).toBeNull();
  });

  test("that is none is refused with the place", () => {
    const operations = [{ kind: "get", key: 1 }] as unknown as SimulationCase["operations"];
    expect(() => defineCase({ operations })).toThrow(
      /the literal case .*operations\[0\]\.key must be a text/,
    );
  });
});
