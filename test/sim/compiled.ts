/**
 * The sources as plain JavaScript, for tests that need other processes and threads, which cannot run TypeScript.
 * Compiled from what is there now, so that no stale build is tested. Lies inside the project, so that packages are found.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as ts from "typescript";

const ROOT = join(import.meta.dirname, "../..");
const CACHE = join(ROOT, "node_modules/.cache");

export interface Compiled {
  readonly folder: string;
  remove(): void;
}

/** Comments stay: the catalogue of crash points is read from them. */
export function compileSources(parts: readonly string[] = ["src", "sim"]): Compiled {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "stillwater-sim-"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const compilerOptions: ts.CompilerOptions = {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2023,
    verbatimModuleSyntax: true,
  };
  for (const part of parts) {
    for (const name of readdirSync(join(ROOT, part), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts")) continue;
      const text = readFileSync(join(ROOT, part, name), "utf8");
      const target = join(folder, part, name.replace(/ts$/, "js"));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, ts.transpileModule(text, { compilerOptions }).outputText);
    }
  }
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a program text as a module in another process, in the compiled folder. */
export function runModule(compiled: Compiled, text: string, ...parameters: string[]): Promise<Outcome> {
  return run(compiled, text, parameters, true);
}

/** As `runModule`, with nobody there who reads the output. */
export function runUnread(compiled: Compiled, text: string, ...parameters: string[]): Promise<Outcome> {
  return run(compiled, text, parameters, false);
}

function run(compiled: Compiled, text: string, parameters: string[], reads: boolean): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", text, "--", ...parameters], {
      cwd: compiled.folder,
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      output += piece;
    });
    if (!reads) child.stdout.destroy();
    child.stderr.setEncoding("utf8").on("data", (piece: string) => {
      errors += piece;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output, errors }));
  });
}
