// Makes one HTML file, without data, of the modules and the style of a page: the simulator's (sim/viewer/page) and the
// admin's (src/admin/page). The modules are type-checked, put after one another in the order of their imports, each in a
// function of its own that returns what it exports. Two exports of the same name are an error here. No bundler is needed
// for some dozen files of our own.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import ts from "typescript";

const SHARED_STYLE = "src/admin/page/base.css";

/** `styles` in this order: what comes later wins. */
export const TIME_TRAVEL_PAGE = {
  folder: "sim/viewer/page",
  styles: ["colours.css", "time.css", "panes.css", "files.css", "sizes.css"],
};
export const ADMIN_PAGE = {
  folder: "src/admin/page",
  styles: ["frame.css", "overview.css", "data.css", "sizes.css"],
};

/** The page's text. Throws with the diagnostics when a module does not type-check. */
export function bundlePage(root, { folder: place, styles }) {
  const folder = join(root, place);
  const config = ts.readConfigFile(join(folder, "tsconfig.json"), ts.sys.readFile);
  const parsed = ts.parseJsonConfigFileContent(config.config, ts.sys, folder);
  const program = ts.createProgram(parsed.fileNames, parsed.options);
  const diagnostics = [...parsed.errors, ...ts.getPreEmitDiagnostics(program)];
  if (diagnostics.length > 0) {
    const host = {
      getCurrentDirectory: () => root,
      getCanonicalFileName: (name) => name,
      getNewLine: () => "\n",
    };
    throw new Error(ts.formatDiagnosticsWithColorAndContext(diagnostics, host));
  }
  const script = joinModules(join(folder, "main.ts"));
  const style = [join(root, SHARED_STYLE), ...styles.map((name) => join(folder, name))]
    .map(textOf)
    .join("\n");
  return textOf(join(folder, "page.html"))
    .replace("@@STYLE_HASH@@", hashOf(style))
    .replace("@@SCRIPT_HASH@@", hashOf(script))
    .replace("@@STYLE@@", () => style)
    .replace("@@SCRIPT@@", () => script);
}

/** A browser reads every line's end as one character, and so must a hash. */
function textOf(path) {
  return readFileSync(path, "utf8").replaceAll("\r\n", "\n");
}

/** As a Content-Security-Policy names the one script or style that it allows. */
function hashOf(text) {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function joinModules(entry) {
  const parts = [];
  const names = new Map();
  const visited = new Set();
  const visit = (path) => {
    if (visited.has(path)) return;
    visited.add(path);
    const file = ts.createSourceFile(path, textOf(path), ts.ScriptTarget.ES2023, true);
    for (const statement of file.statements) {
      if (!ts.isImportDeclaration(statement)) continue;
      const { importClause, moduleSpecifier } = statement;
      if (importClause?.isTypeOnly) continue;
      const bindings = importClause?.namedBindings;
      if (
        bindings === undefined ||
        !ts.isNamedImports(bindings) ||
        bindings.elements.some((one) => one.propertyName)
      ) {
        throw new Error(`${path}: modules of the page import by name, without renaming`);
      }
      visit(resolve(dirname(path), moduleSpecifier.text.replace(/\.js$/, ".ts")));
    }
    const exports = exportedNames(file);
    for (const name of exports) {
      if (names.has(name)) throw new Error(`${path}: ${name} is also exported by ${names.get(name)}`);
      names.set(name, path);
    }
    const head = exports.length === 0 ? "" : `const { ${exports.join(", ")} } = `;
    const tail = exports.length === 0 ? "" : `return { ${exports.join(", ")} };\n`;
    parts.push(`${head}(() => {\n${stripped(file)}${tail}})();`);
  };
  visit(entry);
  return parts.join("\n");
}

/** Of values; types leave nothing behind. */
function exportedNames(file) {
  const names = [];
  for (const statement of file.statements) {
    if (!statement.modifiers?.some(isExport)) continue;
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) names.push(name.text);
    } else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      names.push(statement.name.text);
    }
  }
  return names;
}

function stripped(file) {
  const { outputText } = ts.transpileModule(file.text, {
    fileName: file.fileName,
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, removeComments: true },
    transformers: { before: [withoutModuleSyntax] },
  });
  // What is left of the module is the mark that it was one.
  return outputText.replace(/^export \{\};?\s*$/m, "").replaceAll("</script", "<\\/script");
}

function isExport(modifier) {
  return modifier.kind === ts.SyntaxKind.ExportKeyword;
}

function withoutModuleSyntax(context) {
  const { factory } = context;
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) return undefined;
    if (ts.isVariableStatement(node) && node.modifiers?.some(isExport)) {
      return factory.updateVariableStatement(node, undefined, node.declarationList);
    }
    if (ts.isFunctionDeclaration(node) && node.modifiers?.some(isExport)) {
      const rest = node.modifiers.filter((modifier) => !isExport(modifier));
      const { asteriskToken, name, typeParameters, parameters, type, body } = node;
      return factory.updateFunctionDeclaration(
        node,
        rest,
        asteriskToken,
        name,
        typeParameters,
        parameters,
        type,
        body,
      );
    }
    if (ts.isClassDeclaration(node) && node.modifiers?.some(isExport)) {
      const { name, typeParameters, heritageClauses, members } = node;
      return factory.updateClassDeclaration(node, undefined, name, typeParameters, heritageClauses, members);
    }
    return node;
  };
  return (file) => ts.visitEachChild(file, visit, context);
}
