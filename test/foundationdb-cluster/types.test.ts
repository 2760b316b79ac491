/**
 * What the backend believes of the package's types holds for the package that is installed. Here and not among the tests that
 * run everywhere, since the package cannot be installed without FoundationDB's client library; FOUNDATIONDB_PACKAGE may name
 * a folder with its files alone (`npm pack foundationdb@2.0.1`).
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as ts from "typescript";
import { expect, test } from "vitest";
import type { MUTATION, OPTION, STREAMING_MODE } from "../../src/backend/foundationdb/client.js";
import type { ATOMIC_OPERATIONS } from "../../src/transaction/atomic.js";

const ROOT = join(import.meta.dirname, "../..");

test("the package's types are what the backend takes them for", () => {
  const folder =
    process.env["FOUNDATIONDB_PACKAGE"] ??
    dirname(createRequire(import.meta.url).resolve("foundationdb/package.json"));
  const text = [
    `import * as fdb from ${JSON.stringify(join(folder, "dist/lib/index.js"))};`,
    `import type { FdbModule } from ${JSON.stringify(join(ROOT, "src/backend/foundationdb/client.js"))};`,
    "export const module: FdbModule = fdb;",
    'import { OPTION, MUTATION, STREAMING_MODE } from "./client.js";',
    'import { ATOMIC_OPERATIONS } from "../../transaction/atomic.js";',
    // A number of an enumeration takes only its own literal.
    ...numbersOf("OPTION", "TransactionOptionCode", {
      nextWriteNoWriteConflictRange: "NextWriteNoWriteConflictRange",
      readYourWritesDisable: "ReadYourWritesDisable",
      prioritySystemImmediate: "PrioritySystemImmediate",
      priorityBatch: "PriorityBatch",
      accessSystemKeys: "AccessSystemKeys",
      timeout: "Timeout",
      retryLimit: "RetryLimit",
      maxRetryDelay: "MaxRetryDelay",
      sizeLimit: "SizeLimit",
      snapshotReadYourWritesEnable: "SnapshotRywEnable",
      snapshotReadYourWritesDisable: "SnapshotRywDisable",
      reportConflictingKeys: "ReportConflictingKeys",
    } satisfies Record<keyof typeof OPTION, string>),
    ...numbersOf("MUTATION", "MutationType", {
      setVersionstampedKey: "SetVersionstampedKey",
      setVersionstampedValue: "SetVersionstampedValue",
    } satisfies Record<keyof typeof MUTATION, string>),
    ...numbersOf("STREAMING_MODE", "StreamingMode", {
      wantAll: "WantAll",
      iterator: "Iterator",
      exact: "Exact",
      small: "Small",
      medium: "Medium",
      large: "Large",
      serial: "Serial",
    } satisfies Record<keyof typeof STREAMING_MODE, string>),
    ...numbersOf("ATOMIC_OPERATIONS", "MutationType", {
      add: "Add",
      bitAnd: "BitAnd",
      bitOr: "BitOr",
      bitXor: "BitXor",
      appendIfFits: "AppendIfFits",
      max: "Max",
      min: "Min",
      byteMin: "ByteMin",
      byteMax: "ByteMax",
      compareAndClear: "CompareAndClear",
    } satisfies Record<keyof typeof ATOMIC_OPERATIONS, string>),
  ].join("\n");
  const path = join(ROOT, "src/backend/foundationdb/types-check.ts");
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules/@types")],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === path || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === path
      ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023, true)
      : getSourceFile(name, ...rest);
  const program = ts.createProgram([path], options, host);
  const problems = ts.getPreEmitDiagnostics(program, program.getSourceFile(path) as ts.SourceFile);
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
});

function numbersOf(ours: string, theirs: string, names: Readonly<Record<string, string>>): string[] {
  return Object.entries(names).map(
    ([name, code]) => `export const ${ours}_${name}: typeof fdb.${theirs}.${code} = ${ours}.${name};`,
  );
}
