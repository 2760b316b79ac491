/**
 * The platform layer as plain JavaScript in a folder of its own, for tests that need other processes and threads,
 * which cannot run TypeScript. Compiled from the sources, so that no stale build is tested.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import * as ts from "typescript";

const SOURCE = join(import.meta.dirname, "../../src/platform");

export interface CompiledPlatform {
  /** Where a file of src/platform is, for an import statement: `url("node/node-vfs.js")`. */
  url(file: string): string;
  /** Writes an ES module into the folder and gives its address. */
  module(name: string, text: string): URL;
  remove(): void;
}

export function compilePlatform(): CompiledPlatform {
  const folder = mkdtempSync(join(tmpdir(), "stillwater-compiled-"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  for (const name of readdirSync(SOURCE, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(SOURCE, name), "utf8"), { compilerOptions });
    const target = join(folder, name.replace(/ts$/, "js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
  return {
    url: (file) => pathToFileURL(join(folder, file)).href,
    module(name, text) {
      writeFileSync(join(folder, name), text);
      return pathToFileURL(join(folder, name));
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** A Node process that runs a module. */
export interface Child {
  readonly pid: number;
  /** The next line that it prints; rejects when it ends first. */
  line(): Promise<string>;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  kill(): Promise<unknown>;
}

export function runChild(module: URL, ...parameters: string[]): Child {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(
    process.execPath,
    [module.pathname, ...parameters],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NODE_OPTIONS: "" } },
  );
  let printed = "";
  let complaints = "";
  let wake: (() => void) | null = null;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
    wake?.();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  let over = false;
  const ended = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => {
      over = true;
      wake?.();
      resolve(code ?? signal ?? "unknown");
    });
  });
  return {
    // spawn of the running Node binary has always given a process by now.
    pid: child.pid as number,
    ended,
    async line() {
      while (!printed.includes("\n")) {
        if (over) throw new Error(`the child ended without a word: ${complaints}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const cut = printed.indexOf("\n");
      const found = printed.slice(0, cut);
      printed = printed.slice(cut + 1);
      return found;
    },
    kill() {
      child.kill("SIGKILL");
      return ended;
    },
  };
}
