// Makes one HTML file, without data, of the modules and the style in sim/viewer/page. The modules are type-checked,
// put after one another in the order of their imports, each in a function of its own that returns what it exports. Two
// exports of the same name are an error here. No bundler is needed for a dozen files of our own.
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import ts from "typescript";

/** In this order: what comes later wins. */
const STYLES = ["base.css", "time.css", "panes.css", "files.css", "sizes.css"];

/** The page's text. Throws with the diagnostics when a module does not type-check. */
export function bundlePage(root) {
  const folder = join(root, "sim/viewer/page");
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
  const style = STYLES.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
  return readFileSync(join(folder, "page.html"), "utf8")
    .replace("@@STYLE@@", () => style)
    .replace("@@SCRIPT@@", () => script);
}

function joinModules(entry) {
  const parts = [];
  const names = new Map();
  const visited = new Set();
  const visit = (path) => {
    if (visited.has(path)) return;
    visited.add(path);
    const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2023, true);
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
