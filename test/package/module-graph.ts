/**
 * What a built module loads, read from its text: other modules of the package, packages, and modules of Node. Follows
 * imports that run when the module does (`static`) or also those that a program may ask for later (`any`). Does not
 * know modules that are named by address (threads): those are programs of their own.
 */
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import * as ts from "typescript";
import { ROOT } from "./packed.js";

export interface Graph {
  /** Paths from the package's folder, sorted. */
  readonly modules: readonly string[];
  /** Names of packages without the path inside of them, sorted; `node:` modules are left out. */
  readonly packages: readonly string[];
}

/** From a `.js` file, or from a `.d.ts` file for what its types need. */
export function graphOf(entry: string, follow: "static" | "any"): Graph {
  const modules = new Set<string>();
  const packages = new Set<string>();
  const waiting = [posix.normalize(entry)];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (modules.has(path)) continue;
    modules.add(path);
    for (const specifier of importsOf(path, follow)) {
      if (!specifier.startsWith(".")) {
        if (!specifier.startsWith("node:")) packages.add(packageOf(specifier));
        continue;
      }
      const target = posix.join(posix.dirname(path), specifier);
      waiting.push(path.endsWith(".d.ts") ? target.replace(/\.js$/, ".d.ts") : target);
    }
  }
  return { modules: [...modules].sort(), packages: [...packages].sort() };
}

function importsOf(path: string, follow: "static" | "any"): string[] {
  const text = readFileSync(join(ROOT, path), "utf8");
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const found: string[] = [];
  const add = (node: ts.Node | undefined) => {
    if (node !== undefined && ts.isStringLiteralLike(node)) found.push(node.text);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    const isDynamic = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
    if (isDynamic && follow === "any") add(node.arguments[0]);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
