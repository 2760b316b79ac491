/**
 * A folder is a layer, and imports only point down; nothing but the platform layer touches the outside world.
 * Verifies src and sim as they are, and that the checker would object if they were otherwise.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { describe, expect, it } from "vitest";
import { checkLayers, staticImports } from "./layer-rules.js";

const ROOT = join(import.meta.dirname, "..");
const sources = readSources();

describe("the sources", () => {
  it("import only downwards and touch the world only at the edge", () => {
    const offences = checkLayers(sources);
    expect(offences, `\n${offences.join("\n")}\n`).toEqual([]);
  });

  it("load no development dependency from the production platform and from the main entry", () => {
    for (const entry of ["src/platform/node/node-platform.ts", "src/index.ts"]) {
      const loaded = staticImports(sources, entry);
      expect(loaded, entry).not.toContain("memfs");
      expect(loaded, entry).not.toContain("src/platform/memory-vfs.ts");
    }
    expect(staticImports(sources, "src/platform/node/node-platform.ts")).toContain(
      "src/platform/node/errno.ts",
    );
  });
});

describe("the checker", () => {
  it.each([
    [
      "src/engine/a.ts",
      'import { x } from "../query/plan.js"',
      'imports src/query/plan.ts, but the layer "engine"',
    ],
    [
      "src/engine/a.ts",
      'import type { X } from "../query/plan.js"',
      'the layer "engine" may import only platform',
    ],
    ["src/engine/a.ts", 'export * from "../record/x.js"', "imports src/record/x.ts"],
    ["src/engine/a.ts", 'type X = import("../record/x.js").X', "imports src/record/x.ts"],
    ["src/engine/a.ts", 'const u = new URL("../record/w.js", import.meta.url)', "imports src/record/w.ts"],
    ["src/platform/a.ts", 'import "../engine/x.js"', 'the layer "platform" may import nothing of ours'],
    ["src/signals/a.ts", 'import "../context/x.js"', "imports src/context/x.ts"],
    ["src/replication/a.ts", 'import "../record/x.js"', "imports src/record/x.ts"],
    ["src/record/a.ts", 'import "../index.js"', "imports src/index.ts"],
    ["src/index.ts", 'import "./cli/main.js"', "imports src/cli/main.ts"],
    ["src/engine/a.ts", 'await import("../../sim/run/x.js")', "imports sim/run/x.ts"],
    ["src/cli/a.ts", 'import "../../sim/cli.js"', "(and sim, but dynamically)"],
    ["src/engine/a.ts", 'import "../../test/x.js"', "imports test/x.ts"],
    ["src/backend/etcd/a.ts", 'import { Etcd3 } from "etcd3"', "Only src/backend/etcd/ may, by import()"],
    ["src/backend/etcd/a.ts", 'type X = typeof import("etcd3")', "Only src/backend/etcd/ may, by import()"],
    ["src/engine/a.ts", 'await import("etcd3")', "imports etcd3"],
    ["src/backend/etcd/a.ts", 'import "../../platform/node/node-vfs.js"', "Take the platform as a parameter"],
    ["src/novel/a.ts", 'import "../platform/x.js"', 'the layer "novel"'],
    ["src/engine/a.ts", 'import "../platform/node/node-vfs.js"', "Take the platform as a parameter"],
    ["src/engine/a.ts", 'import * as fs from "node:fs"', "imports node:fs"],
    ["src/engine/a.ts", 'import type { Stats } from "fs"', "imports node:fs"],
    ["src/engine/a.ts", 'import { open } from "fs/promises"', "imports node:fs/promises"],
    ["src/engine/a.ts", 'await import("node:worker_threads")', "imports node:worker_threads"],
    ["src/engine/a.ts", "await import(name)", "whose name is computed"],
    ["src/engine/a.ts", 'import { setTimeout } from "node:timers/promises"', "imports node:timers/promises"],
    ["src/engine/a.ts", 'import { performance } from "node:perf_hooks"', "imports node:perf_hooks"],
    ["src/engine/a.ts", 'import { randomUUID as u } from "node:crypto"', "imports randomUUID of node:crypto"],
    ["src/engine/a.ts", 'import * as c from "node:crypto"', "imports all of node:crypto"],
    ["src/engine/a.ts", 'import c from "crypto"', "imports all of node:crypto"],
    ["src/engine/a.ts", 'export { randomInt } from "crypto"', "imports randomInt of node:crypto"],
    ["src/index.ts", "Date.now()", "uses the global Date"],
    ["src/engine/a.ts", "const d = new Date()", "uses the global Date"],
    ["src/engine/a.ts", "const d = new Date(...[])", "uses the global Date"],
    ["src/engine/a.ts", "const d = new Date(2020, 1)", "uses the global Date"],
    ["src/engine/a.ts", "const clock = Date", "uses the global Date"],
    ["src/engine/a.ts", "const o = { Date }", "uses the global Date"],
    ["src/engine/a.ts", "globalThis.Date.now()", "uses the global globalThis"],
    ["src/engine/a.ts", "const a = Math.random()", "uses Math.random"],
    ["src/engine/a.ts", 'const a = Math["random"]()', "uses Math.random"],
    ["src/engine/a.ts", "const { random } = Math", "uses Math.*"],
    ["src/engine/a.ts", "AbortSignal.timeout(5)", "uses AbortSignal.timeout"],
    ["src/engine/a.ts", "setTimeout(() => 1, 5)", "uses the global setTimeout"],
    ["src/engine/a.ts", "const later = setImmediate", "uses the global setImmediate"],
    ["src/engine/a.ts", "setInterval(f, 1); function f() {}", "uses the global setInterval"],
    ["src/engine/a.ts", "if (process.platform) {}", "uses the global process"],
    ["src/engine/a.ts", "export { process }", "uses the global process"],
    ["src/engine/a.ts", "performance.now()", "uses the global performance"],
    ["src/engine/a.ts", "crypto.getRandomValues(b); declare const b: any", "uses the global crypto"],
    ["src/engine/a.ts", 'await fetch("x")', "uses the global fetch"],
    ["src/engine/a.ts", 'console.log("x")', "uses the global console"],
  ])("objects to %s with: %s", (path, text, offence) => {
    expect(checkLayers(new Map([[path, text]]))).toEqual([expect.stringContaining(offence)]);
  });

  it("names file and line, and lists every offence", () => {
    const text = '// Date\nimport "node:fs";\n\nDate.now();\n';
    expect(checkLayers(new Map([["src/engine/a.ts", text]]))).toEqual([
      "src/engine/a.ts:2 imports node:fs, which touches the world. Go through the platform layer.",
      "src/engine/a.ts:4 uses the global Date. Take time from the platform's Clock.",
    ]);
  });

  it.each([
    ["src/query/a.ts", 'import "../index/x.js"; import "../platform/vfs.js"; import "./b.js"; import "zlib"'],
    ["src/engine/a.ts", 'import { createHash } from "node:crypto"; import { crc32 } from "node:zlib"'],
    ["src/engine/a.ts", "// setTimeout(Date.now)\nconst text = 'process.exit()'"],
    [
      "src/engine/a.ts",
      "function f(setTimeout: () => void, process: number) { setTimeout(); return process }",
    ],
    ["src/engine/a.ts", "x.process.Date = x?.fetch; const x: any = { Date: 1, console: 2 }"],
    ["src/engine/a.ts", "const { process: p, Date: d } = y; declare const y: any; p(d)"],
    [
      "src/engine/a.ts",
      "class A { setTimeout() {} performance = 1; get process() { return this.performance } }",
    ],
    [
      "src/engine/a.ts",
      "let d: Date; const e = (d as Date) instanceof Date || new Date(5) || Date.UTC(2020, 1)",
    ],
    ["src/engine/a.ts", "const a = Math.max(1, Math['min'](2, 3))"],
    ["src/engine/a.ts", 'import { Date } from "./date.js"; Date.now()'],
    ["src/engine/a.ts", 'const url = new URL("./worker-main.js", import.meta.url)'],
    ["src/engine/worker-main.ts", 'import { serveWorker } from "../platform/node/worker-port.js"'],
    [
      "src/platform/node/a.ts",
      'import "node:fs"; Date.now(); process.exit(); setTimeout(() => Math.random(), 1)',
    ],
    ["src/index.ts", 'import { nodePlatform } from "./platform/node/node-platform.js"'],
    ["src/backend/etcd/a.ts", 'import "../../transaction/x.js"; await import("etcd3")'],
    ["src/backend/etcd/index.ts", 'import { nodePlatform } from "../../platform/node/node-platform.js"'],
    ["src/cli/a.ts", 'const simulator = await import("../../sim/cli.js"); console.log(process.argv)'],
    [
      "sim/a.ts",
      'import "../src/engine/store.js"; import "../src/cli/main.js"; import "node:fs"; Date.now()',
    ],
    ["src/level/a.ts", 'import "../index.js"; import "abstract-level"'],
  ])("has nothing against %s with: %s", (path, text) => {
    expect(checkLayers(new Map([[path, text]]))).toEqual([]);
  });
});

function readSources(): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of ["src", "sim"]) {
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).sort()) {
      if (!/\.[mc]?tsx?$/.test(name)) continue;
      const path = `${folder}/${name.split(sep).join("/")}`;
      found.set(path, readFileSync(join(ROOT, path), "utf8"));
    }
  }
  return found;
}
