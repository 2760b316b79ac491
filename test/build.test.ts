/**
 * The two builds of one source: `dist/src`, which applications run, has none of the tester's probes left in it;
 * `dist/instrumented`, which the simulator runs, has all of them. Judges what `npm run build` left in dist (`npm test`
 * builds first). Does not verify: that code without probes does the same (the engine's own tests run with none installed).
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import * as ts from "typescript";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const PROBES = ["crashPoint", "sometimes", "buggify", "mutant"];
const PROBES_FILE = "platform/probes";

const sources = filesIn("src", ".ts")
  // The page's modules are one script in index.html.
  .filter((name) => !name.startsWith(PROBES_FILE) && !name.startsWith("admin/page/"));

describe("dist/src", () => {
  it("is there, whole: build before testing (npm run build)", () => {
    const built = sources.map((name) => name.replace(/\.ts$/, ".js"));
    const missing = built.filter((name) => !existsSync(join(ROOT, "dist/src", name)));
    expect(missing).toEqual([]);
    expect(existsSync(join(ROOT, "dist/src", `${PROBES_FILE}.js`))).toBe(true);
    expect(existsSync(join(ROOT, "dist/src/admin/page/index.html"))).toBe(true);
  });

  it("holds no crash point, mark, buggify site or mutant, and does not load their module", () => {
    const left: string[] = [];
    for (const name of [...filesIn("dist/src", ".js"), ...filesIn("dist/src", ".d.ts")]) {
      if (name.startsWith(PROBES_FILE)) continue;
      walk(parse(join("dist/src", name)), (node) => {
        if (ts.isIdentifier(node) && PROBES.includes(node.text)) left.push(`${name}: ${node.text}`);
        if (ts.isStringLiteralLike(node) && node.text.endsWith("/probes.js"))
          left.push(`${name}: ${node.text}`);
      });
    }
    expect(left).toEqual([]);
  });

  it("is still valid JavaScript, with no branch that can never be taken where a probe was", () => {
    const broken: string[] = [];
    for (const name of filesIn("dist/src", ".js")) {
      const text = readFileSync(join(ROOT, "dist/src", name), "utf8");
      const { diagnostics } = ts.transpileModule(text, {
        fileName: name,
        reportDiagnostics: true,
        compilerOptions: { allowJs: true, module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
      });
      for (const { messageText } of diagnostics ?? []) {
        broken.push(`${name}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`);
      }
      walk(parse(join("dist/src", name)), (node) => {
        if (ts.isIfStatement(node) && isConstant(node.expression)) broken.push(`${name}: ${node.getText()}`);
      });
    }
    expect(broken).toEqual([]);
  });
});

describe("dist/instrumented", () => {
  it("holds every probe of the sources, under the same id", () => {
    const written = probesIn("src", sources);
    const built = probesIn(
      "dist/instrumented/src",
      sources.map((name) => name.replace(/\.ts$/, ".js")),
    );
    expect(written.length).toBeGreaterThan(0);
    expect(built).toEqual(written);
  });

  it("holds the simulator, which the application's build does not", () => {
    const missing = filesIn("sim", ".ts")
      // The page's modules are one script in page.html.
      .filter((name) => !name.startsWith("viewer/page/"))
      .map((name) => name.replace(/\.ts$/, ".js"))
      .filter((name) => !existsSync(join(ROOT, "dist/instrumented/sim", name)));
    expect(missing).toEqual([]);
    expect(existsSync(join(ROOT, "dist/instrumented/sim/viewer/page.html"))).toBe(true);
    expect(existsSync(join(ROOT, "dist/sim"))).toBe(false);
  });
});

/** Calls of probes as "name(id)", sorted. */
function probesIn(folder: string, names: readonly string[]): string[] {
  const found: string[] = [];
  for (const name of names) {
    walk(parse(join(folder, name)), (node) => {
      if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return;
      if (!PROBES.includes(node.expression.text)) return;
      const [id] = node.arguments;
      expect(id && ts.isStringLiteral(id), `${name}: a probe's id is written out`).toBe(true);
      found.push(`${node.expression.text}(${(id as ts.StringLiteral).text})`);
    });
  }
  return found.sort();
}

function isConstant(node: ts.Expression): boolean {
  return node.kind === ts.SyntaxKind.FalseKeyword || node.kind === ts.SyntaxKind.TrueKeyword;
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function parse(path: string): ts.SourceFile {
  const text = readFileSync(join(ROOT, path), "utf8");
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
}

/** Names below a folder, with "/" between parts; empty where there is no such folder. */
function filesIn(folder: string, ending: string): string[] {
  const path = join(ROOT, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .map((name) => name.split(sep).join("/"))
    .filter((name) => name.endsWith(ending))
    .sort();
}
