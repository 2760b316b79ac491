/**
 * A user's first hour: the packed tarball installed into a fresh folder, imported from ES modules, CommonJS and
 * TypeScript, the README's three lines, the command. Verifies that nothing is printed that nobody asked for, that
 * nothing runs at installation, and how much arrives. Does not verify: package managers other than npm.
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import * as ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUDGET } from "./budget.js";
import { entryPoints, manifest, npm, pack, ROOT } from "./packed.js";

/** Entry points whose import starts something, here the simulated disk of `node --import`. */
const ACTING = ["stillwater/sim/register"];
const quiet = entryPoints.filter(({ specifier }) => !ACTING.includes(specifier));

/** Peers that an entry point cannot be loaded without. */
const NEEDED: Readonly<Record<string, string>> = {
  "stillwater/level": "abstract-level",
  "stillwater/otel": "@opentelemetry/api",
};

interface Lock {
  readonly packages: Readonly<
    Record<string, { hasInstallScript?: boolean; os?: string[]; cpu?: string[]; version: string }>
  >;
}

const lockOf = (root: string) =>
  JSON.parse(readFileSync(join(root, "node_modules/.package-lock.json"), "utf8")) as Lock;

/** What `npm install stillwater` brings, and what importing says that needs more than that. */
let arrived: {
  readonly packages: Lock["packages"];
  readonly files: readonly string[];
  readonly bytes: number;
};
const withoutPeer = new Map<string, Outcome>();

const folder = mkdtempSync(join(tmpdir(), "stillwater-consumer-"));
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 3 }));

beforeAll(() => {
  writeFileSync(join(folder, "package.json"), '{ "name": "consumer", "private": true }');
  const { tarball } = pack(folder);
  const lines = npm(["install", "--no-audit", "--no-fund", "--loglevel=warn", tarball], folder);
  expect(lines).toMatch(/^\s*added \d+ packages in/);
  const files = filesIn(join(folder, "node_modules"));
  const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0);
  arrived = { packages: lockOf(folder).packages, files, bytes };
  const own = lockOf(ROOT).packages;
  for (const [specifier, peer] of Object.entries(NEEDED)) {
    withoutPeer.set(specifier, run("alone.mjs", `await import("${specifier}");`));
    npm(["install", "--no-audit", "--no-fund", `${peer}@${own[`node_modules/${peer}`]?.version}`], folder);
  }
});

describe("what arrives", () => {
  test("is a handful of packages, none of which runs anything when it is installed", () => {
    const packages = Object.entries(arrived.packages);
    expect(packages.filter(([, one]) => one.hasInstallScript === true)).toEqual([]);
    // Nothing is built for one machine only.
    expect(packages.filter(([, one]) => one.os !== undefined || one.cpu !== undefined)).toEqual([]);
    expect(packages.length).toBeLessThanOrEqual(BUDGET.installedPackages);
    const native = arrived.files.filter((path) => /\.(node|wasm|gyp|dll|so)$/.test(path));
    expect(native).toEqual([]);
  });

  test("is within its budget of bytes", () => {
    expect(arrived.bytes).toBeLessThan(BUDGET.installedBytes);
  });
});

describe("ES modules", () => {
  test("run the README's three lines, and nothing else is printed", () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    const [, lines] = /```ts\n(import \{ open \} from "stillwater";\n[\s\S]*?)```/.exec(readme) ?? [];
    expect(lines?.trim().split("\n")).toHaveLength(3);
    expect(run("three-lines.mjs", lines as string)).toEqual({ code: 0, output: "", errors: "" });
    expect(existsSync(join(folder, "data/CURRENT"))).toBe(true);
  });

  test.each(quiet)("import $specifier", ({ specifier }) => {
    const { code, output, errors } = run(
      "import.mjs",
      `import * as all from "${specifier}"; console.log(Object.keys(all).length)`,
    );
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(Number(output)).toBeGreaterThan(0);
  });

  test.each(Object.entries(NEEDED))("say which package is missing: %s", (specifier, peer) => {
    const { code, errors } = withoutPeer.get(specifier) as Outcome;
    expect(code).toBe(1);
    // Ours, or Node\'s own for what is loaded by a plain import.
    expect(errors).toMatch(/MISSING_DEPENDENCY|ERR_MODULE_NOT_FOUND/);
    expect(errors).toContain(peer);
  });

  test("reach no module that is not an entry point", () => {
    const inside = [
      "stillwater/dist/src/index.js",
      "stillwater/dist/src/engine/store.js",
      "stillwater/src/index.js",
    ];
    const text = `
      for (const name of ${JSON.stringify(inside)}) console.log(await import(name).then(() => "loaded", (error) => error.code));`;
    expect(run("inside.mjs", text).output.trim().split("\n")).toEqual(
      inside.map(() => "ERR_PACKAGE_PATH_NOT_EXPORTED"),
    );
  });

  test("stillwater has nothing of the simulator in memory, the simulator nothing of the store as published", () => {
    expect(loadedBy("stillwater").filter((path) => path.includes("instrumented"))).toEqual([]);
    expect(loadedBy("stillwater").length).toBeGreaterThan(100);
    expect(loadedBy("stillwater/sim").filter((path) => path.startsWith("dist/src/"))).toEqual([]);
    const optional = /^dist\/instrumented\/src\/(admin|backend|cli|level|mcp|otel)\//;
    expect(loadedBy("stillwater/sim").filter((path) => optional.test(path))).toEqual([]);
  });
});

describe("CommonJS", () => {
  test("requires every entry point without a warning, and uses the store", () => {
    const text = `
      const { open } = require("stillwater");
      for (const name of ${JSON.stringify(quiet.map(({ specifier }) => specifier))}) {
        if (Object.keys(require(name)).length === 0) throw new Error(name + " is empty");
      }
      open("./data-cjs").then(async (store) => {
        await store.put(Buffer.from("key"), Buffer.from("value"));
        console.log(Buffer.from(await store.get(Buffer.from("key"))).toString());
        await store.close();
      });`;
    expect(run("require.cjs", text)).toEqual({ code: 0, output: "value\n", errors: "" });
  });
});

describe("TypeScript", () => {
  const imports = quiet
    .map(({ specifier }, index) => `import * as e${index} from "${specifier}";`)
    .join("\n");
  const nodeNext = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };

  test("compiles in modules and in CommonJS, strict, with every declaration checked, and finds a wrong use", () => {
    writeFileSync(join(folder, "consumer.mts"), `${imports}\n${USE}`);
    writeFileSync(join(folder, "consumer.cts"), `${imports}\n${USE}`);
    writeFileSync(
      join(folder, "wrong.mts"),
      'import { open } from "stillwater";\n(await open("d")).put("key", 1);\n',
    );
    const said = compile(["consumer.mts", "consumer.cts", "wrong.mts"], nodeNext);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(
      /wrong\.mts: Argument of type 'string' is not assignable to parameter of type 'Uint8Array/,
    );
  });

  test("compiles for a bundler", () => {
    writeFileSync(join(folder, "bundled.ts"), `${imports}\n${USE}`);
    const options = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
    expect(compile(["bundled.ts"], options)).toEqual([]);
  });

  test("of stillwater itself needs no @types/node where something else declares AbortSignal and URL", () => {
    writeFileSync(
      join(folder, "plain.mts"),
      'import { open } from "stillwater";\nexport const store = open("data");\n',
    );
    const lib = ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"];
    expect(compile(["plain.mts"], { ...nodeNext, types: [], lib })).toEqual([]);
  });
});

test("the command tells its version, and keeps a value", () => {
  const command = join(folder, "node_modules/stillwater", manifest.bin["stillwater"] as string);
  const call = (...parameters: string[]) =>
    execFileSync(process.execPath, [command, ...parameters], { cwd: folder, encoding: "utf8" });
  expect(call("--version").trim()).toBe(manifest.version);
  call("put", "./data-cli", "greeting", "hello");
  expect(call("get", "./data-cli", "greeting").trim()).toBe("hello");
});

const USE = `
import { collection, type open, s, schema, type Store } from "stillwater";
declare const store: Awaited<ReturnType<typeof open>>;
export const same: Store = store;
export const value: Promise<Uint8Array | undefined> = store.get(new Uint8Array(1));
const User = collection("User", { schema: s.object({ id: s.string(), age: s.number() }), primaryKey: "id", indexes: [] });
export const declared = schema({ version: "1.0.0", collections: [User] });
// @ts-expect-error A key is bytes.
void store.get(1);
`;

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a file in the consumer's folder with no option of this process. */
function run(name: string, text: string, env: Record<string, string> = {}): Outcome {
  writeFileSync(join(folder, name), text);
  const { status, stdout, stderr } = spawnSync(process.execPath, [name], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "", ...env },
  });
  return { code: status, output: stdout, errors: stderr };
}

/** Modules of the package that a process has loaded once it has imported an entry point, from V8's own list. */
function loadedBy(specifier: string): string[] {
  const lists = join(folder, "loaded", specifier.replaceAll("/", "-"));
  if (!existsSync(lists)) {
    mkdirSync(lists, { recursive: true });
    run("load.mjs", `import "${specifier}";`, { NODE_V8_COVERAGE: lists });
  }
  const inside = `${sep}node_modules${sep}stillwater${sep}`;
  const [list] = readdirSync(lists);
  const { result } = JSON.parse(readFileSync(join(lists, list as string), "utf8")) as {
    result: { url: string }[];
  };
  return result
    .filter(({ url }) => url.startsWith("file:"))
    .map(({ url }) => fileURLToPath(url))
    .filter((path) => path.includes(inside))
    .map((path) => path.slice(path.indexOf(inside) + inside.length).replaceAll(sep, "/"));
}

/** What the compiler has to say, one line each. */
function compile(files: readonly string[], options: ts.CompilerOptions): string[] {
  const names = files.map((file) => join(folder, file));
  const program = ts.createProgram(names, {
    target: ts.ScriptTarget.ES2023,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules/@types")],
    ...options,
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file: where, messageText }) =>
        `${where?.fileName ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
    );
}

function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
