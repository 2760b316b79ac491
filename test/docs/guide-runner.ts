/**
 * Checks and runs the modules of guides against the build: all of them by one TypeScript program with the project's settings,
 * each in a process and an empty directory of its own. Owns the folder they lie in, where `stillwater`, its subpaths and the
 * installed packages are found as an application finds them. Every finding begins with page and line.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import type { Expectation, GuideModule } from "./guide-modules.js";

const ROOT = join(import.meta.dirname, "../..");
const RUNTIME = pathToFileURL(join(import.meta.dirname, "guide-runtime.mjs")).href;
const TIMEOUT_MS = 60_000;

export class GuideRunner implements Disposable {
  readonly #folder: string;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "stillwater-guides-"));
    const installed = join(this.#folder, "node_modules");
    mkdirSync(installed);
    for (const name of dependencies()) {
      if (name.includes("/")) mkdirSync(join(installed, name, ".."), { recursive: true });
      symlinkSync(join(ROOT, "node_modules", name), join(installed, name), "junction");
    }
    symlinkSync(ROOT, join(installed, "stillwater"), "junction");
    writeFileSync(join(this.#folder, "package.json"), '{ "type": "module" }\n');
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** What the type checker says of all of them, in one program. */
  typeErrors(modules: readonly GuideModule[]): string[] {
    const byFile = new Map<string, GuideModule>();
    for (const module of modules) {
      const file = join(this.#folder, `${slug(module)}.ts`);
      writeFileSync(file, module.checked);
      byFile.set(file, module);
    }
    const program = ts.createProgram([...byFile.keys()], { ...projectOptions(), noEmit: true });
    return ts.getPreEmitDiagnostics(program).map(({ file, start, code, messageText }) => {
      const message = `TS${code}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
      const module = byFile.get(file?.fileName ?? "");
      if (file === undefined || module === undefined) return `${file?.fileName ?? "program"}: ${message}`;
      return `${module.page}:${file.getLineAndCharacterOfPosition(start ?? 0).line + 1}: ${message}`;
    });
  }

  /** Runs one; what it did otherwise than the page says. */
  async run(module: GuideModule): Promise<string[]> {
    const folder = join(this.#folder, slug(module));
    const directory = join(folder, "work");
    mkdirSync(directory, { recursive: true });
    const file = join(folder, "guide.mjs");
    const { outputText, sourceMapText } = ts.transpileModule(module.run, {
      fileName: module.page,
      compilerOptions: { ...projectOptions(), sourceMap: true },
    });
    const map = { ...(JSON.parse(sourceMapText ?? "{}") as object), sources: [module.page] };
    writeFileSync(`${file}.map`, JSON.stringify(map));
    writeFileSync(
      file,
      outputText.replace(/\/\/# sourceMappingURL=.*$/, "//# sourceMappingURL=guide.mjs.map"),
    );
    const result = join(folder, "result.json");
    const { failed, output } = await this.#node(file, directory, result);
    if (failed) return [`${placeOf(module, folder, output)}: the page's code failed:\n${output}`];
    const printed = JSON.parse(readFileSync(result, "utf8")) as Record<number, string[]>;
    return module.expectations.flatMap((one) => differences(module.page, one, printed[one.line]));
  }

  #node(file: string, cwd: string, result: string): Promise<{ failed: boolean; output: string }> {
    const { NODE_OPTIONS: _, ...inherited } = process.env;
    const flags = ["--enable-source-maps", "--unhandled-rejections=strict", "--import", RUNTIME];
    const options = { cwd, timeout: TIMEOUT_MS, env: { ...inherited, GUIDE_RESULT: result } };
    return new Promise((resolve) => {
      execFile(process.execPath, [...flags, file], options, (error, stdout, stderr) => {
        const killed = error?.killed === true ? `it was still running after ${TIMEOUT_MS / 1000} s\n` : "";
        resolve({ failed: error !== null, output: `${killed}${stderr}${stdout}` });
      });
    });
  }
}

function differences(page: string, promise: Expectation, printed: readonly string[] | undefined): string[] {
  const place = `${page}:${promise.line}`;
  if (printed === undefined)
    return [`${place}: never reached, so nothing was ${promise.kind === "throws" ? "thrown" : "printed"}`];
  const actual = printed.join("\n");
  const pattern = folded(promise.text)
    .split("…")
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  const whole = promise.kind === "prints" ? `^${pattern}$` : `(^|[ :])${pattern}`;
  if (new RegExp(whole, "s").test(folded(actual))) return [];
  return [`${place}: says ${JSON.stringify(promise.text)}, but it is ${JSON.stringify(actual)}`];
}

function folded(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** The first line of the page that the output names. */
function placeOf(module: GuideModule, folder: string, output: string): string {
  const line = output.slice(output.indexOf(folder)).match(/\.md:(\d+)/)?.[1];
  return `${module.page}:${line ?? module.firstLine}`;
}

function slug({ page, index }: GuideModule): string {
  return `${page.replaceAll(/[^A-Za-z0-9]+/g, "-")}-${index + 1}`;
}

function dependencies(): string[] {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    readonly dependencies: Record<string, string>;
    readonly devDependencies: Record<string, string>;
  };
  return [...Object.keys(dependencies), ...Object.keys(devDependencies)];
}

/** As for our own sources, but a guide may name a result that it does not use. */
function projectOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
  const {
    rootDir: _,
    outDir: __,
    declaration: ___,
    ...options
  } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT).options;
  return { ...options, noUnusedLocals: false, noUnusedParameters: false, sourceMap: false };
}
