/**
 * The code of a page of documentation as modules that a machine can check. Owns the contract of guides: which blocks there
 * are, which belong together, what a comment promises. Lines of a module have the numbers that they have on the page, so
 * that whatever is wrong with one is wrong with the other.
 *
 * | fence | |
 * |---|---|
 * | `ts` | goes on in the page's module: what earlier blocks have declared and imported is there |
 * | `ts fresh` | begins another module, which runs in a directory of its own |
 * | `ts no-run` | type-checked only, where it stands; what it declares is its own |
 *
 * | comment behind a statement | |
 * |---|---|
 * | `// -> text` | `console.log` prints this, or an expression's or declared variable's value is printed as this; lines below that hold nothing but `// -> more` go on. `…` stands for anything, runs of white space are one space |
 * | `// throws CODE` | an expression statement fails with this code, name, or words of the message |
 */
import ts from "typescript";

export interface Block {
  /** Number of the first line of code on the page, from 1. */
  readonly line: number;
  readonly code: string;
  readonly mode: "run" | "fresh" | "no-run";
}

export interface Expectation {
  /** Where the comment stands on the page. */
  readonly line: number;
  readonly kind: "prints" | "throws";
  readonly text: string;
}

export interface GuideModule {
  readonly page: string;
  /** Number of the page's modules before it. */
  readonly index: number;
  readonly firstLine: number;
  /** Everything, for the type checker. */
  readonly checked: string;
  /** What runs, still in TypeScript; calls of `guide` (see `guide-runtime.mjs`) stand where a comment promises something. */
  readonly run: string;
  readonly expectations: readonly Expectation[];
}

/** The modules of a page; throws, with page and line, where a fence or a comment makes no sense. */
export function guideModules(page: string, text: string): GuideModule[] {
  const groups: Block[][] = [];
  for (const block of blocksOf(page, text)) {
    if (block.mode === "fresh" || groups.length === 0) groups.push([]);
    groups.at(-1)?.push(block);
  }
  return groups.map((blocks, index) => moduleOf(page, index, blocks));
}

function blocksOf(page: string, text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const fence = /^(\s*)(```+)(.*)$/.exec(lines[index] ?? "");
    if (fence === null) continue;
    const [, indent = "", ticks = "", info = ""] = fence;
    const begin = index + 1;
    do index++;
    while (index < lines.length && (lines[index] ?? "").trim() !== ticks);
    if (index === lines.length) throw new Error(`${page}:${begin}: this block has no end`);
    const [language, ...words] = info.trim().split(/\s+/);
    if (language !== "ts") continue;
    const mode = words.length === 0 ? "run" : words.join(" ");
    if (mode !== "run" && mode !== "fresh" && mode !== "no-run") {
      throw new Error(`${page}:${begin}: "ts ${mode}": write ts, ts fresh or ts no-run`);
    }
    const code = lines.slice(begin, index).map((line) => line.slice(Math.min(indent.length, line.length)));
    blocks.push({ line: begin + 1, code: code.join("\n"), mode });
  }
  return blocks;
}

function moduleOf(page: string, index: number, blocks: readonly Block[]): GuideModule {
  const expectations: Expectation[] = [];
  const [checkedImports, runImports] = [new Set<string>(), new Set<string>()];
  let checked = "";
  let run = "";
  let line = 1;
  for (const block of blocks) {
    const gap = "\n".repeat(block.line - 1 - line);
    const length = block.code.split("\n").length;
    line = block.line + length;
    const { code, imports } = withoutRepeatedImports(block, checkedImports);
    if (block.mode === "no-run") {
      checked += `${gap}${imports}{\n${code}\n}`;
      run += gap + "\n".repeat(length + 1);
    } else {
      const promised = withPromises(page, block, withoutRepeatedImports(block, runImports).code);
      expectations.push(...promised.expectations);
      checked += `${gap}\n${code}\n`;
      run += `${gap}\n${promised.code}\n`;
    }
  }
  const firstLine = blocks[0]?.line ?? 1;
  // Modules also where nothing is imported.
  return { page, index, firstLine, checked: `${checked}export {};`, run: `${run}export {};`, expectations };
}

/**
 * The code without what `imported` has already, for blocks repeat their imports for the reader. A block that is not run is put in
 * braces, so its new imports come out by themselves.
 */
function withoutRepeatedImports(block: Block, imported: Set<string>): { code: string; imports: string } {
  let { code } = block;
  let imports = "";
  for (const node of parse(code).statements.filter(ts.isImportDeclaration).reverse()) {
    const kept = importWithout(node, imported);
    const lines = "\n".repeat(node.getText().split("\n").length - 1);
    if (block.mode === "no-run") imports += kept;
    code =
      code.slice(0, node.getStart()) +
      (block.mode === "no-run" ? "" : kept) +
      lines +
      code.slice(node.getEnd());
  }
  return { code, imports };
}

/** The import without names that `imported` has already; they are added to it. */
function importWithout(node: ts.ImportDeclaration, imported: Set<string>): string {
  const from = node.moduleSpecifier.getText();
  const bindings = node.importClause?.namedBindings;
  const isNew = (name: string) => !imported.has(name) && imported.add(name) !== undefined;
  if (bindings === undefined || !ts.isNamedImports(bindings) || node.importClause?.name !== undefined) {
    return isNew(`${from} ${node.getText()}`) ? node.getText().replaceAll("\n", " ") : "";
  }
  const names = bindings.elements.map((one) => one.getText()).filter((name) => isNew(`${from} ${name}`));
  const type = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ? "type " : "";
  return names.length === 0 ? "" : `import ${type}{ ${names.join(", ")} } from ${from};`;
}

/** The code with a call of `guide` at every statement that a comment promises something of. */
function withPromises(
  page: string,
  block: Block,
  code: string,
): { code: string; expectations: Expectation[] } {
  const source = parse(code);
  const lines = code.split("\n");
  const expectations: Expectation[] = [];
  const edits: Edit[] = [];
  const byLine = new Map<number, ts.Statement>();
  const visit = (node: ts.Node): void => {
    // The outermost statement that ends on a line is what the comment behind it speaks of.
    if (ts.isExpressionStatement(node) || ts.isVariableStatement(node)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getEnd());
      if (!byLine.has(line)) byLine.set(line, node);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  for (let index = 0; index < lines.length; index++) {
    const comment = promiseIn(lines[index] ?? "");
    if (comment === null) continue;
    const line = block.line + index;
    const statement = byLine.get(index);
    if (statement === undefined) throw new Error(`${page}:${line}: no statement ends before this comment`);
    let text = comment.text;
    while (/^\s*\/\/ (?:->|=>|→) /.test(lines[index + 1] ?? ""))
      text += `\n${promiseIn(lines[++index] ?? "")?.text}`;
    expectations.push({ line, kind: comment.kind, text });
    edits.push(...editsFor(page, line, comment.kind, statement));
  }
  let changed = code;
  for (const { at, to, text } of edits.sort((a, b) => b.at - a.at)) {
    changed = changed.slice(0, at) + text + changed.slice(to);
  }
  return { code: changed, expectations };
}

function promiseIn(line: string): { kind: "prints" | "throws"; text: string } | null {
  const match = /\/\/ (->|=>|→|throws) (.+)$/.exec(line);
  if (match === null) return null;
  return { kind: match[1] === "throws" ? "throws" : "prints", text: (match[2] ?? "").trim() };
}

interface Edit {
  readonly at: number;
  readonly to: number;
  readonly text: string;
}

/** Around the expression, not in it, so that what stands within can have promises of its own. */
function editsFor(
  page: string,
  line: number,
  kind: "prints" | "throws",
  statement: ts.Statement,
): readonly Edit[] {
  let expression: ts.Expression | undefined;
  if (ts.isExpressionStatement(statement)) expression = statement.expression;
  if (ts.isVariableStatement(statement))
    expression = statement.declarationList.declarations.at(-1)?.initializer;
  if (expression === undefined) throw new Error(`${page}:${line}: there is no value that could be printed`);
  const [at, to] = [expression.getStart(), expression.getEnd()];
  if (kind === "throws" && !ts.isExpressionStatement(statement)) {
    throw new Error(`${page}:${line}: write what throws as a statement of its own, without const`);
  }
  if (
    kind === "prints" &&
    ts.isCallExpression(expression) &&
    expression.expression.getText() === "console.log"
  ) {
    return [{ at, to: expression.expression.getEnd(), text: `guide.log(${line})` }];
  }
  const before = kind === "throws" ? `await guide.throws(${line}, async () => (` : `guide.value(${line}, (`;
  return [
    { at, to: at, text: before },
    { at: to, to, text: "))" },
  ];
}

function parse(code: string): ts.SourceFile {
  return ts.createSourceFile("guide.ts", code, ts.ScriptTarget.ESNext, true);
}
