/** docs/ERRORS.md has every code once, and of transactions the numbers and the advice that the errors carry. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";
import { expect, it } from "vitest";
import { TransactionError, type TransactionErrorCode } from "../../src/transaction/errors.js";
import { ROOT } from "./pages.js";

const rows = readFileSync(join(ROOT, "docs/ERRORS.md"), "utf8")
  .split("\n")
  .flatMap((line) => {
    const [, code] = /^\| `([A-Z_]+)` \|/.exec(line) ?? [];
    return code === undefined ? [] : [{ code, cells: line.split(/(?<!\\)\|/).map((cell) => cell.trim()) }];
  });

it("the tables have every code of ErrorCode once, with what it means and what to do", () => {
  expect(rows.map(({ code }) => code).sort()).toEqual([...errorCodes()].sort());
  for (const { code, cells } of rows) {
    expect(
      cells.slice(2, -1).every((cell) => cell !== ""),
      code,
    ).toBe(true);
  }
});

it("the table of transactions says FoundationDB's numbers, and whether trying again may help", () => {
  const numbered = rows.filter(({ cells }) => /^\d+$/.test(cells[2] as string));
  expect(numbered.length).toBeGreaterThan(20);
  for (const { code, cells } of numbered) {
    const { fdbCode, retryable, maybeCommitted } = new TransactionError(code as TransactionErrorCode, "");
    const retry = maybeCommitted ? "maybe committed" : retryable ? "yes" : "no";
    expect([code, ...cells.slice(2, 4)]).toEqual([code, String(fdbCode), retry]);
  }
});

function errorCodes(): string[] {
  const path = join(ROOT, "src/platform/errors.ts");
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ESNext, true);
  const declared = source.statements.find(
    (node): node is ts.TypeAliasDeclaration =>
      ts.isTypeAliasDeclaration(node) && node.name.text === "ErrorCode",
  );
  if (declared === undefined || !ts.isUnionTypeNode(declared.type)) throw new Error("ErrorCode is no union");
  return declared.type.types.map((type) => {
    if (!ts.isLiteralTypeNode(type) || !ts.isStringLiteral(type.literal)) throw new Error(type.getText());
    return type.literal.text;
  });
}
