/**
 * Writes a case as a standalone test in TypeScript: options that are not plain, operations and decisions as literal
 * data, and nothing imported but vitest and the public entry point of the simulator. The test fails while the bug is
 * there and passes once it is gone, so that it can be kept. Plain text; writing files is for the caller.
 */
import type { SimulationCase } from "../cases/case.js";
import { shortOptions } from "../cases/short-options.js";
import { ORACLES } from "../oracles/failure.js";

const LINE_WIDTH = 110;

/** The source of a test module. Its comment has the note of the case: the finding and its cause. */
export function formatTest(one: SimulationCase): string {
  const { oracle } = one.expect;
  const promise = oracle === null ? "the simulator itself does not fail" : ORACLES[oracle];
  const fields = [`  seed: ${JSON.stringify(one.seed)},`];
  const options = shortOptions(one.options);
  if (Object.keys(options).length > 0) fields.push(`  options: ${literal(options, 1)},`);
  fields.push(
    listField(
      "operations",
      one.operations.map((operation) => literal(operation, 2)),
    ),
  );
  const streams = Object.entries(one.choices);
  if (streams.length > 0) fields.push(`  choices: ${choicesText(streams)},`);
  if (one.mutants.length > 0) {
    fields.push("  // The planted bug: without this line the test passes.");
    fields.push(`  mutants: ${JSON.stringify(one.mutants)},`);
  }
  return `${comment(one, promise)}
import { defineCase, replayCase } from "stillwater/sim";
import { expect, test } from "vitest";

const run = defineCase({
${fields.join("\n")}
});

test(${JSON.stringify(oracle === null ? promise : `${oracle}: ${promise}`)}, async () => {
  const { result } = await replayCase(run);
  expect(result.failure?.message ?? null).toBeNull();
});
`;
}

function comment(one: SimulationCase, promise: string): string {
  const cause = one.cause === undefined ? [] : [`It ${one.cause}.`];
  const lines = [promise, "", one.note, ...cause, "", "Written by `stillwater sim shrink`."];
  const told = lines.flatMap(wrapped);
  return `/**\n${told.map((line) => ` * ${line.replaceAll("*/", "* /")}`.trimEnd()).join("\n")}\n */`;
}

function wrapped(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1] as string; // never empty
    if (last !== "" && last.length + 1 + word.length > LINE_WIDTH - 3) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

function listField(name: string, items: readonly string[]): string {
  if (items.length === 0) return `  ${name}: [],`;
  return `  ${name}: [\n${items.map((item) => `    ${item},`).join("\n")}\n  ],`;
}

function choicesText(streams: readonly (readonly [string, unknown])[]): string {
  const lines = streams.map(([stream, entries]) => `    ${fieldName(stream)}: ${inline(entries)},`);
  return `{\n${lines.join("\n")}\n  }`;
}

/** On one line where it fits, `depth` indents in; else one field a line. */
function literal(value: unknown, depth: number): string {
  const short = inline(value);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || short.length + 2 * depth + 16 <= LINE_WIDTH) return short;
  const indent = "  ".repeat(depth + 1);
  const lines = Object.entries(value).map(
    ([name, part]) => `${indent}${fieldName(name)}: ${literal(part, depth + 1)},`,
  );
  return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, part]) => `${fieldName(name)}: ${inline(part)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

function fieldName(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
}
