/**
 * What an operation is: a name, what it takes and gives as JSON Schema, and the code that does it. Nothing here knows of HTTP: routes
 * lead to operations (`http/routes.ts`), and the MCP server lists the same ones (`mcp/tools.ts`); both run them with `runOperation`.
 */
import { type ErrorCode, StillwaterError } from "../platform/errors.js";
import type { AdminContext } from "./context.js";
import { check, type JsonSchema, type Schema } from "./schema.js";

/**
 * `read` changes nothing that others see; `write` changes what is stored; `upkeep` changes how it is stored, or makes copies. A
 * read-only admin runs the first alone.
 */
export type OperationEffect = "read" | "write" | "upkeep";

export interface Operation {
  /** Stable: a verb and what it is about, `getRow`. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  readonly description?: string;
  readonly effect: OperationEffect;
  readonly input: JsonSchema;
  readonly output: JsonSchema;
  /** Codes that it fails with beyond those that any operation may fail with. */
  readonly errors: readonly ErrorCode[];
  /** `input` is what `input` says. */
  run(context: AdminContext, input: never): Promise<unknown>;
}

interface OperationParts<Input, Output> {
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly effect: OperationEffect;
  readonly input: Schema<Input>;
  readonly output: Schema<Output>;
  readonly errors?: readonly ErrorCode[];
  run(context: AdminContext, input: Input): Promise<Output>;
}

export function operation<Input, Output>(parts: OperationParts<Input, Output>): Operation {
  const { input, output, errors = [] } = parts;
  return { ...parts, errors, input: input.json, output: output.json };
}

/**
 * Checks the input and runs the operation. Rejects with `INVALID_ARGUMENT` for what is not as its schema says, `READ_ONLY` for one
 * that would change something where nothing may be changed, and with the operation's own errors.
 */
export async function runOperation(
  { name, input: schema, effect, run }: Operation,
  context: AdminContext,
  input: unknown,
): Promise<unknown> {
  const faults = check(schema, input);
  if (faults.length > 0) throw new StillwaterError("INVALID_ARGUMENT", `${name}: ${faults.join("; ")}.`);
  if (effect !== "read" && context.readOnly) {
    throw new StillwaterError("READ_ONLY", `${name} would change something, and this admin is read-only.`);
  }
  // Checked just now; what the operation takes is what its schema says.
  return run(context, input as never);
}
