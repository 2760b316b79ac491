// Builds the package twice from the same sources:
//   dist/instrumented/{src,sim}  the code as written, with crash points, marks, buggify sites and mutants (`stillwater/sim`)
//   dist/src                     what applications import: the same code with those four removed
// and two web pages (`bundle-page.mjs`): the time-travel page without data beside the module that fills it, and the
// admin's, a file of its own in src/admin/page, in both.
// `test/build.test.ts` checks that nothing of them is left in dist/src.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import { ADMIN_PAGE, bundlePage, TIME_TRAVEL_PAGE } from "./bundle-page.mjs";

const root = join(import.meta.dirname, "..");
const config = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
const parsed = ts.parseJsonConfigFileContent(config.config, ts.sys, root);

rmSync(join(root, "dist"), { recursive: true, force: true });
const program = ts.createProgram(parsed.fileNames, parsed.options);
const diagnostics = ts.getPreEmitDiagnostics(program);
if (diagnostics.length > 0) {
  const host = {
    getCurrentDirectory: () => root,
    getCanonicalFileName: (name) => name,
    getNewLine: () => "\n",
  };
  console.error(ts.formatDiagnosticsWithColorAndContext(diagnostics, host));
  process.exit(1);
}
program.emit();
program.emit(undefined, writeStripped, undefined, false, { before: [stripProbes] });
writeFileSync(join(root, "dist/instrumented/sim/viewer/page.html"), await bundlePage(root, TIME_TRAVEL_PAGE));
const adminPage = await bundlePage(root, ADMIN_PAGE);
for (const build of ["dist/src", "dist/instrumented/src"]) {
  mkdirSync(join(root, build, "admin/page"), { recursive: true });
  writeFileSync(join(root, build, "admin/page/index.html"), adminPage);
}

/** Redirects the second emit to dist/src; the simulator exists only in instrumented form. */
function writeStripped(fileName, text) {
  const inside = relative(join(root, "dist/instrumented"), fileName);
  if (inside.startsWith("src")) ts.sys.writeFile(join(root, "dist", inside), text);
}

function stripProbes(context) {
  const { factory } = context;
  const isCall = (node, names) =>
    ts.isCallExpression(node) && ts.isIdentifier(node.expression) && names.includes(node.expression.text);
  const isFalse = (node) => node.kind === ts.SyntaxKind.FalseKeyword;
  const isTrue = (node) => node.kind === ts.SyntaxKind.TrueKeyword;
  const visit = (node) => {
    if (ts.isImportDeclaration(node) && node.moduleSpecifier.text.endsWith("/probes.js")) return undefined;
    if (ts.isExpressionStatement(node) && isCall(node.expression, ["crashPoint", "sometimes"]))
      return undefined;
    if (isCall(node, ["buggify", "mutant"])) return factory.createFalse();
    const after = ts.visitEachChild(node, visit, context);
    if (
      ts.isPrefixUnaryExpression(after) &&
      after.operator === ts.SyntaxKind.ExclamationToken &&
      isFalse(after.operand)
    ) {
      return factory.createTrue();
    }
    if (ts.isBinaryExpression(after)) {
      const operator = after.operatorToken.kind;
      if (operator === ts.SyntaxKind.AmpersandAmpersandToken) {
        if (isFalse(after.left) || isFalse(after.right)) return factory.createFalse();
        if (isTrue(after.left)) return after.right;
        if (isTrue(after.right)) return after.left;
      }
      if (operator === ts.SyntaxKind.BarBarToken) {
        if (isFalse(after.left)) return after.right;
        if (isFalse(after.right)) return after.left;
      }
    }
    if (ts.isConditionalExpression(after)) {
      if (isFalse(after.condition)) return after.whenFalse;
      if (isTrue(after.condition)) return after.whenTrue;
    }
    if (ts.isIfStatement(after)) {
      if (isFalse(after.expression)) return after.elseStatement;
      if (isTrue(after.expression)) return after.thenStatement;
    }
    return after;
  };
  return (file) => (file.fileName.endsWith("platform/probes.ts") ? file : ts.visitNode(file, visit));
}
