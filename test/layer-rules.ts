/**
 * The rules of the layers as a checker over source text; `layers.test.ts` runs it.
 *
 * 1. Imports only point down (`MAY_IMPORT`); nothing in src imports sim, but for a dynamic import in src/cli.
 * 2. Only the edge (`EDGE`) touches the world: node's impure modules and globals such as Date, process or setTimeout.
 * 3. Only the edge, src/index.ts, the entries of backends and of Level, Level's loading of its package, and worker entry modules
 *    (worker-main.ts) choose an implementation of the platform.
 * 4. A client library of a backend (`BACKEND_PACKAGES`) is loaded by that backend alone, and only when it is asked to.
 *
 * It reads the syntax tree and resolves names, so a comment, a property called `process` or a parameter called
 * `setTimeout` is no offence, while `globalThis.Date` and `import("node:fs")` are.
 * Does not see: what third-party packages do, names built at run time (`import(variable)` is refused for that reason).
 */
import { isBuiltin } from "node:module";
import { posix } from "node:path";
import * as ts from "typescript";

/** Returns one explained line per offence. Keys are paths from the root of the repository ("src/engine/store.ts"). */
export function checkLayers(sources: ReadonlyMap<string, string>): string[] {
  const program = createProgram(sources);
  const checker = program.getTypeChecker();
  const offences: string[] = [];
  for (const path of sources.keys()) {
    // Every source is a root of the program.
    const file = program.getSourceFile(path) as ts.SourceFile;
    const report = (node: ts.Node, message: string): void => {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      offences.push(`${path}:${line + 1} ${message}`);
    };
    const visit = (node: ts.Node): void => {
      const reference = moduleReference(node);
      if (reference !== null) checkModule(path, node, reference, report);
      if (ts.isIdentifier(node) && !isEdge(path)) checkGlobal(node, checker, report);
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return offences;
}

/** All modules that `entry` loads before it runs, packages included; dynamic imports are not followed. */
export function staticImports(sources: ReadonlyMap<string, string>, entry: string): Set<string> {
  const reached = new Set<string>();
  const queue = [entry];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    const text = sources.get(path);
    if (text === undefined) continue;
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023);
    for (const statement of file.statements) {
      const reference = moduleReference(statement);
      if (reference?.specifier == null || isTypeOnly(statement)) continue;
      queue.push(resolve(path, reference.specifier));
    }
  }
  return reached;
}

const CORE = [
  "platform",
  "metrics",
  "engine",
  "transaction",
  "keyspace",
  "record",
  "index",
  "query",
  "collection",
];
const BELOW_SURFACES = [...CORE, "signals", "context", "replication", "backend"];

/** Layer -> the layers it may import, besides itself. "root" is the files of src itself (src/index.ts). */
const MAY_IMPORT: ReadonlyMap<string, readonly string[]> = new Map([
  ...CORE.map((layer, rank): [string, string[]] => [layer, CORE.slice(0, rank)]),
  ["signals", CORE],
  ["context", CORE],
  ["replication", ["platform", "engine", "transaction"]],
  ["backend", ["platform", "engine", "transaction"]],
  ["root", BELOW_SURFACES],
  ["level", [...BELOW_SURFACES, "root"]],
  ["admin", [...BELOW_SURFACES, "root"]],
  ["otel", ["platform", "metrics", "engine", "transaction"]],
  ["cli", [...BELOW_SURFACES, "root", "level", "admin"]],
  ["sim", [...BELOW_SURFACES, "root", "level", "admin", "cli"]],
]);

const EDGE = ["src/platform/", "src/cli/", "src/admin/", "src/otel/", "sim/"];

/** Packages that a user need not have -> who may load them. They bring sockets and timers of their own. */
const BACKEND_PACKAGES: ReadonlyMap<string, string> = new Map([
  ["etcd3", "src/backend/etcd/"],
  ["foundationdb", "src/backend/foundationdb/"],
]);

/** Node's modules whose results depend on their arguments alone. The synchronous functions of zlib, that is. */
const PURE_MODULES = new Set([
  "assert",
  "async_hooks",
  "buffer",
  "crypto",
  "diagnostics_channel",
  "events",
  "path",
  "path/posix",
  "string_decoder",
  "url",
  "util",
  "util/types",
  "zlib",
]);

const RANDOM_OF_CRYPTO = /^(random|generateKey|generatePrime|getRandomValues$|webcrypto$)/;

const CLOCK = "Take time from the platform's Clock.";
const TIMERS = "Take turns and timers from the platform's Scheduler.";
const CHANCE = "Take chance from the platform's Random.";
const WORLD = "Go through the platform layer.";

const IMPURE_GLOBALS: ReadonlyMap<string, string> = new Map([
  ["Date", CLOCK],
  ["performance", CLOCK],
  ["setTimeout", TIMERS],
  ["setInterval", TIMERS],
  ["setImmediate", TIMERS],
  ["crypto", `${CHANCE} For digests and ciphers import by name from "node:crypto".`],
  ["process", WORLD],
  ["fetch", WORLD],
  ["WebSocket", WORLD],
  ["EventSource", WORLD],
  ["Worker", WORLD],
  ["MessageChannel", WORLD],
  ["BroadcastChannel", WORLD],
  ["navigator", WORLD],
  ["require", WORLD],
  ["global", "Name the global itself, so that this check can judge it."],
  ["globalThis", "Name the global itself, so that this check can judge it."],
  ["console", "The library logs nothing: publish to a diagnostics channel; the command line prints."],
]);

/** Globals of which only these members are impure. */
const IMPURE_MEMBERS: ReadonlyMap<string, readonly [members: readonly string[], advice: string]> = new Map([
  ["Math", [["random"], CHANCE]],
  ["AbortSignal", [["timeout"], TIMERS]],
  ["Atomics", [["wait", "waitAsync"], TIMERS]],
]);

type Report = (node: ts.Node, message: string) => void;

interface ModuleReference {
  /** Null: computed at run time. */
  readonly specifier: string | null;
  readonly dynamic: boolean;
}

function checkModule(path: string, node: ts.Node, reference: ModuleReference, report: Report): void {
  const { specifier, dynamic } = reference;
  if (specifier === null) {
    if (!isEdge(path)) report(node, "imports a module whose name is computed. Name it literally.");
    return;
  }
  const backend = BACKEND_PACKAGES.get(specifier);
  if (backend !== undefined && !(path.startsWith(backend) && dynamic)) {
    report(node, `imports ${specifier}. Only ${backend} may, by import() when a database is opened.`);
  }
  if (specifier.startsWith(".")) {
    checkDirection(path, node, resolve(path, specifier), dynamic, report);
  } else if (isBuiltin(specifier) && !isEdge(path)) {
    checkBuiltin(node, specifier.replace(/^node:/, ""), report);
  }
}

function checkDirection(path: string, node: ts.Node, target: string, dynamic: boolean, report: Report): void {
  const from = layerOf(path);
  const to = layerOf(target);
  const allowed = MAY_IMPORT.get(from);
  if (allowed === undefined) {
    report(
      node,
      `is in the layer "${from}", which test/layer-rules.ts does not know. Give it a place in MAY_IMPORT.`,
    );
    return;
  }
  const loadsSimulator = from === "cli" && to === "sim" && dynamic;
  if (from !== to && !allowed.includes(to) && !loadsSimulator) {
    const may = allowed.length === 0 ? "nothing of ours" : `only ${allowed.join(", ")}`;
    const hint = from === "cli" && to === "sim" ? " (and sim, but dynamically)" : "";
    report(node, `imports ${target}, but the layer "${from}" may import ${may}${hint}.`);
  }
  if (isPlatformImplementation(target) && !mayChoosePlatform(path)) {
    report(node, `imports ${target}. Take the platform as a parameter; the edge chooses its implementation.`);
  }
}

function checkBuiltin(node: ts.Node, name: string, report: Report): void {
  if (!PURE_MODULES.has(name)) {
    report(node, `imports node:${name}, which touches the world. ${WORLD}`);
    return;
  }
  if (name !== "crypto" || !(ts.isImportDeclaration(node) || ts.isExportDeclaration(node))) return;
  const names = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
  const isWhole = ts.isImportDeclaration(node) && node.importClause?.name !== undefined;
  if (names === undefined || isWhole || !(ts.isNamedImports(names) || ts.isNamedExports(names))) {
    report(node, "imports all of node:crypto. Import by name, so that this check can judge each name.");
    return;
  }
  for (const element of names.elements) {
    const imported = (element.propertyName ?? element.name).text;
    if (RANDOM_OF_CRYPTO.test(imported)) report(element, `imports ${imported} of node:crypto. ${CHANCE}`);
  }
}

function checkGlobal(node: ts.Identifier, checker: ts.TypeChecker, report: Report): void {
  const name = node.text;
  const members = IMPURE_MEMBERS.get(name);
  const advice = IMPURE_GLOBALS.get(name);
  if (members === undefined && advice === undefined) return;
  if (isOnlyAName(node) || ts.isPartOfTypeNode(node) || isDeclared(node, checker)) return;
  if (members !== undefined) {
    const member = memberOf(node);
    if (member !== null && !members[0].includes(member)) return;
    report(node, `uses ${name}.${member ?? "*"}. ${members[1]}`);
  } else if (!(name === "Date" && isPureUseOfDate(node))) {
    report(node, `uses the global ${name}. ${advice as string}`); // one of the two is defined
  }
}

/** Dates as values are fine: their class, one built from a given number, and calendar arithmetic in UTC. */
function isPureUseOfDate(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isNewExpression(parent) && parent.expression === node) {
    const [first] = parent.arguments ?? [];
    return parent.arguments?.length === 1 && first !== undefined && !ts.isSpreadElement(first);
  }
  if (ts.isBinaryExpression(parent)) {
    return parent.right === node && parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword;
  }
  return memberOf(node) === "UTC";
}

/** The member that is taken of a global, or null where that cannot be told. */
function memberOf(node: ts.Identifier): string | null {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.expression === node) return parent.name.text;
  if (ts.isElementAccessExpression(parent) && parent.expression === node) {
    return ts.isStringLiteralLike(parent.argumentExpression) ? parent.argumentExpression.text : null;
  }
  return null;
}

/** True where an identifier names a member or an export of something else, not a variable in scope. */
function isOnlyAName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isQualifiedName(parent) && parent.right === node) ||
    (ts.isBindingElement(parent) && parent.propertyName === node) ||
    (ts.isImportSpecifier(parent) && parent.propertyName === node) ||
    (ts.isExportSpecifier(parent) &&
      (parent.parent.parent.moduleSpecifier !== undefined || (parent.propertyName ?? node) !== node)) ||
    ts.isNamespaceExport(parent) ||
    ts.isLabeledStatement(parent) ||
    ts.isBreakOrContinueStatement(parent)
  );
}

/** True when the file itself declares or imports what the name means there. */
function isDeclared(node: ts.Identifier, checker: ts.TypeChecker): boolean {
  const { parent } = node;
  const symbol = ts.isShorthandPropertyAssignment(parent)
    ? checker.getShorthandAssignmentValueSymbol(parent)
    : ts.isExportSpecifier(parent)
      ? checker.getExportSpecifierLocalTargetSymbol(parent)
      : checker.getSymbolAtLocation(node);
  return symbol?.declarations !== undefined && symbol.declarations.length > 0;
}

/** What a node loads: an import or export statement, `import()`, an import type, a module address for a worker. */
function moduleReference(node: ts.Node): ModuleReference | null {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
    return { specifier: literal(node.moduleSpecifier), dynamic: false };
  }
  if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
    return { specifier: literal(node.moduleReference.expression), dynamic: false };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { specifier: literal(node.argument.literal), dynamic: false };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return { specifier: literal(node.arguments[0]), dynamic: true };
  }
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === "URL") {
    const specifier = literal(node.arguments?.[0]);
    if (specifier?.startsWith(".") === true && /\.[jt]s$/.test(specifier))
      return { specifier, dynamic: true };
  }
  return null;
}

function literal(node: ts.Node | undefined): string | null {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : null;
}

function isTypeOnly(statement: ts.Statement): boolean {
  if (ts.isImportDeclaration(statement)) {
    return statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  }
  return ts.isExportDeclaration(statement) && statement.isTypeOnly;
}

function resolve(path: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, ".ts");
}

function layerOf(path: string): string {
  const [first, second, third] = path.split("/");
  if (first === "sim") return "sim";
  if (first !== "src" || second === undefined) return `outside src and sim: ${path}`;
  return third === undefined ? "root" : second;
}

function isEdge(path: string): boolean {
  return EDGE.some((folder) => path.startsWith(folder));
}

function isPlatformImplementation(path: string): boolean {
  return path.startsWith("src/platform/node/") || path === "src/platform/memory-vfs.ts";
}

function mayChoosePlatform(path: string): boolean {
  return (
    isEdge(path) ||
    path === "src/index.ts" ||
    path === "src/level/index.ts" ||
    path === "src/level/abstract-level.ts" ||
    /^src\/backend\/[^/]+\/index\.ts$/.test(path) ||
    path.endsWith("/worker-main.ts")
  );
}

/** Without the standard library, so that exactly the names that a file does not declare stay unresolved. */
function createProgram(sources: ReadonlyMap<string, string>): ts.Program {
  const host: ts.CompilerHost = {
    getSourceFile: (name, options) => {
      const text = sources.get(name);
      return text === undefined ? undefined : ts.createSourceFile(name, text, options, true);
    },
    getDefaultLibFileName: () => "lib.d.ts",
    writeFile: () => undefined,
    getCurrentDirectory: () => "",
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => "\n",
    fileExists: (name) => sources.has(name),
    readFile: (name) => sources.get(name),
  };
  return ts.createProgram(
    [...sources.keys()],
    {
      noLib: true,
      noResolve: true,
      types: [],
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      moduleDetection: ts.ModuleDetectionKind.Force,
    },
    host,
  );
}
