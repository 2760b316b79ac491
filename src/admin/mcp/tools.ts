/**
 * Operations as MCP tools: one tool an operation, of the same name and schemas. Owns what clients are told of a tool, and how an
 * output or a failure becomes the result of a call. A failure is the problem document that HTTP would answer with, as text.
 */
import type { AdminContext } from "../context.js";
import { problemOf, requestIdOf, toldOf } from "../http/problem.js";
import { type Operation, runOperation } from "../operation.js";
import { OPERATIONS } from "../operations.js";
import type { JsonSchema } from "../schema.js";

interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema;
  readonly annotations: {
    readonly title: string;
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly openWorldHint: boolean;
  };
}

export interface ToolResult {
  readonly content: readonly { readonly type: "text"; readonly text: string }[];
  readonly structuredContent?: unknown;
  readonly isError: boolean;
}

/** What a client may offer to its model: where nothing may be changed, only what changes nothing. */
export function listTools({ readOnly }: AdminContext): Tool[] {
  return OPERATIONS.filter(({ effect }) => !readOnly || effect === "read").map(toolOf);
}

/** Also those that are not listed, which say of themselves that they are refused. */
export function operationNamed(name: unknown): Operation | null {
  return OPERATIONS.find((operation) => operation.name === name) ?? null;
}

/** Never rejects: failures are results, which a model can read and learn from. */
export async function callTool(
  operation: Operation,
  context: AdminContext,
  input: unknown,
  onError: (error: unknown, requestId: string) => void,
): Promise<ToolResult> {
  try {
    return resultOf(await runOperation(operation, context, input));
  } catch (error) {
    const requestId = requestIdOf(context);
    const { code, detail, isFault } = toldOf(error, context);
    if (isFault) onError(error, requestId);
    return { content: [textOf(JSON.stringify(problemOf(code, detail, requestId)))], isError: true };
  }
}

/**
 * Clients that know nothing of structured content read it as text. Longer outputs are not sent twice: clients give up on long lines,
 * the official ones at 10 MB.
 */
const TEXT_LENGTH_MAX = 1_048_576;

function resultOf(output: unknown): ToolResult {
  const text = JSON.stringify(output);
  const shown =
    text.length <= TEXT_LENGTH_MAX
      ? text
      : `${text.length} characters of JSON, which are in structuredContent. Ask for fewer rows or shorter values to see them here.`;
  return { content: [textOf(shown)], structuredContent: output, isError: false };
}

function textOf(text: string): { readonly type: "text"; readonly text: string } {
  return { type: "text", text };
}

function toolOf({ name, summary, description, effect, input, output, errors }: Operation): Tool {
  const title = titleOf(name);
  const failures = errors.length === 0 ? [] : [`Own failures: ${errors.join(", ")}.`];
  return {
    name,
    title,
    description: [summary, ...(description === undefined ? [] : [description]), ...failures].join(" "),
    inputSchema: input,
    outputSchema: output,
    annotations: {
      title,
      readOnlyHint: effect === "read",
      // Upkeep adds copies or moves bytes; a write may replace or remove what was there.
      destructiveHint: effect === "write",
      openWorldHint: false,
    },
  };
}

/** `listRows`: "List rows". */
function titleOf(name: string): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}
