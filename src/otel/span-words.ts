/** Names and attributes of spans: the semantic conventions for database clients, and ours where these have no word. */
import type { Attributes } from "@opentelemetry/api";

/** What the tracing channels carry; see `CommitTrace`, `JobTrace` and `TransactionTrace`. */
export interface Message {
  readonly directory?: string;
  readonly operations?: number;
  readonly bytes?: number;
  readonly durability?: string;
  readonly isReadOnly?: boolean;
  readonly tablesRead?: number;
  readonly bytesRead?: number;
  readonly outputLevel?: number;
  result?: unknown;
  error?: unknown;
}

/** `short` is the channel's name without prefix. */
export function startName(short: string, { isReadOnly, directory }: Message): string {
  const operation = operationOf(short, isReadOnly);
  return directory === undefined ? `${operation} stillwater` : `${operation} ${directory}`;
}

export function startAttributes(short: string, message: Message): Attributes {
  const { directory, operations, bytes, durability, tablesRead, bytesRead, outputLevel } = message;
  return defined({
    "db.system.name": "stillwater",
    "db.operation.name": operationOf(short, message.isReadOnly),
    "db.namespace": directory,
    // As the conventions want it: one operation is no batch.
    "db.operation.batch.size": operations !== undefined && operations > 1 ? operations : undefined,
    "stillwater.commit.bytes": bytes === 0 ? undefined : bytes,
    "stillwater.commit.durability": durability,
    "stillwater.job.tables_read": tablesRead,
    "stillwater.job.bytes_read": bytesRead,
    "stillwater.job.output_level": outputLevel,
  });
}

export function endAttributes({ result, durability }: Message): Attributes {
  if (durability !== undefined)
    return typeof result === "number" ? { "stillwater.commit.version": result } : {};
  if (typeof result !== "object" || result === null || !("bytesWritten" in result)) return {};
  const { bytesWritten, rowsWritten } = result as {
    readonly bytesWritten: number;
    readonly rowsWritten: number;
  };
  return { "stillwater.job.bytes_written": bytesWritten, "stillwater.job.rows_written": rowsWritten };
}

/** The code of our errors; the class of others. */
export function errorType(error: unknown): string {
  if (typeof error === "object" && error !== null && "code" in error) return String(error.code);
  return error instanceof Error ? error.name : "_OTHER";
}

function operationOf(short: string, isReadOnly: boolean | undefined): string {
  return isReadOnly === true ? "read" : short;
}

function defined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
