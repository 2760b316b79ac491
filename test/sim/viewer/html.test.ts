/**
 * The produced page as text: well-formed, self-contained, and with data that its own reader takes. What it looks like
 * and does in a browser: `test/browser`. The template is the one that `npm run build` has left in dist.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Script } from "node:vm";
import { inflateRawSync } from "node:zlib";
import * as ts from "typescript";
import { describe, expect, it } from "vitest";
import { pageTemplate, timeTravelPage } from "../../../sim/viewer/html.js";
import { Recorder } from "../../../sim/viewer/recorder.js";
import type { Headline, RecordedTrace, TraceModel } from "../../../sim/viewer/trace-model.js";
import { TraceReader } from "../../../sim/viewer/trace-reader.js";
import { assert } from "../../../src/platform/assert.js";
import { runProgram } from "./random-run.js";

const ROOT = join(import.meta.dirname, "../../..");
const TEMPLATE = readFileSync(
  join(import.meta.dirname, "../../../dist/instrumented/sim/viewer/page.html"),
  "utf8",
);
const FAILED: Headline = {
  subject: "seed 1 </script><script>alert(1)</script>",
  failure: { oracle: "O8", promise: "a <promise>", because: "$& it was broken", stack: "Error\n  at x" },
  rootCause: "the write to /a was lost",
  reproduce: "stillwater sim replay 1",
  facts: [["node", "v20"]],
};

describe("sim replay --html", () => {
  it("writes the page of a seed, and of a case with the very same run", () => {
    const folder = mkdtempSync(join(tmpdir(), "stillwater-html-"));
    const [ofSeed, ofCase] = [join(folder, "seed.html"), join(folder, "case.html")];
    // Which seeds find it changes with what the simulator draws.
    let seed = 1;
    const planted = ["--mutant", "M1-current-not-synced", "--save", folder, "--html", ofSeed];
    while (runReplay([String(seed), ...planted]) === 0) expect(++seed).toBeLessThan(20);
    // A case that fails as it expects to is fine.
    expect(runReplay([join(folder, `seed-${seed}.json`), "--html", ofCase])).toBe(0);
    const [one, other] = [ofSeed, ofCase].map((file) => modelOf(readFileSync(file, "utf8")));
    expect(one?.headline.failure?.oracle).toBe("O8");
    expect({ ...other, headline: null }).toEqual({ ...one, headline: null });
    rmSync(folder, { recursive: true });
  });
});

describe("the time-travel page", () => {
  it("carries the whole trace: its reader gets back what was recorded", () => {
    const trace = recorded();
    const page = timeTravelPage(trace, TEMPLATE);
    const model = modelOf(page);
    expect(model).toEqual(JSON.parse(JSON.stringify(trace.model)));
    const reader = new TraceReader({ model, heap: unpacked(page, "heap") });
    const [root] = model.directories;
    const node =
      reader
        .goTo(reader.steps - 1)
        .directories.get(root ?? 0)
        ?.volatile.get("a") ?? 0;
    const bytes = new Uint8Array(3);
    const file = reader.goTo(reader.steps - 1).files.get(node);
    assert(file !== undefined, "the file is there");
    // The second write put its bytes over those of the first.
    reader.read(file, "volatile", bytes, 261);
    expect([...bytes]).toEqual([8, 1 + (262 % 255), 1 + (262 % 255)]);
    reader.read(file, "durable", bytes, 261);
    expect([...bytes]).toEqual([8, 8, 8]);
  });

  it("loads nothing: no address of the network, no import, no resource beside it, and a policy that forbids them", () => {
    const page = timeTravelPage(recorded(), TEMPLATE);
    expect(page).not.toMatch(/https?:|\/\/[a-z]+\.[a-z]/i);
    expect(page).not.toMatch(/<(link|script|img|iframe)[^>]*\s(src|href)="(?!data:)/i);
    expect(page).not.toMatch(/@import|url\((?!data:)/i);
    expect(page).toContain("default-src 'none'");
    const { statements } = ts.createSourceFile("page.js", scriptOf(page), ts.ScriptTarget.ES2023);
    expect(statements.filter((one) => ts.isImportDeclaration(one) || ts.isExportDeclaration(one))).toEqual(
      [],
    );
  });

  it("has a script that parses, and texts of the run cannot break out of their places", () => {
    const page = timeTravelPage(recorded(), TEMPLATE);
    expect(() => new Script(scriptOf(page), { filename: "page.js" })).not.toThrow();
    expect(page.match(/<script/g)).toHaveLength(3);
    expect(page).not.toContain("alert(1)</script>");
    expect(page).not.toContain("@@");
  });

  it("is the same text for the same trace", () => {
    expect(timeTravelPage(recorded(), TEMPLATE)).toBe(timeTravelPage(recorded(), TEMPLATE));
  });

  it("says how to get the template where it is missing", () => {
    expect(() => pageTemplate(pathToFileURL("/nowhere/html.js"))).toThrow(/npm run build/);
  });
});

/** A file written, synced and written again, not synced. */
function recorded(): RecordedTrace {
  const recorder = new Recorder({ classify: null, lanes: ["operations"] });
  const at = (call: number, position: number, length: number) => ({
    call,
    file: 0,
    other: 0,
    at: position,
    length,
  });
  const [create, write, sync] = [0, 13, 9];
  const program = [at(create, 0, 0), at(write, 7, 5000), at(sync, 0, 0), at(write, 262, 40)];
  recorder.begins("operations", 0, "operation 0 (write) {}");
  runProgram(1, {}, program, recorder, () => {});
  recorder.ends("operations", 0, "done");
  return recorder.finish(FAILED);
}

/** Returns the exit code. */
function runReplay(parameters: readonly string[]): number | null {
  const cli = join(ROOT, "dist/src/cli/main.js");
  return spawnSync(process.execPath, [cli, "sim", "replay", ...parameters]).status;
}

function modelOf(page: string): TraceModel {
  return JSON.parse(unpacked(page, "model").toString());
}

function unpacked(page: string, id: string): Buffer {
  const text = new RegExp(`<script id="${id}"[^>]*>([^<]*)</script>`).exec(page)?.[1] ?? "";
  return inflateRawSync(Buffer.from(text, "base64"));
}

function scriptOf(page: string): string {
  const text = /<script type="module">([\s\S]*?)<\/script>/.exec(page)?.[1];
  expect(text).toBeDefined();
  return text ?? "";
}
