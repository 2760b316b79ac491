/** For tests of the MCP server: one over pipes within the process, to be spoken to by the official client or in lines. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import {
  Client,
  type JSONRPCMessage,
  type Transport,
  type VersionNegotiationMode,
} from "@modelcontextprotocol/client";
import type { AdminTarget } from "../../src/admin/context.js";
import { type McpOptions, serveMcp } from "../../src/admin/mcp/server.js";
import { openDatabase, type StorageDatabase } from "../../src/index.js";

// oxlint-disable-next-line typescript/no-explicit-any -- what it is, is what tests find out
export type Json = any;

export interface McpServing extends AsyncDisposable {
  readonly directory: string;
  readonly database: StorageDatabase;
  /** Past the server. */
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  put(key: string, value: string): Promise<void>;
  /** What `onError` was told. */
  readonly errors: unknown[];
  /** Writes bytes as they are. */
  send(bytes: string | Uint8Array): void;
  /** The next line, parsed. */
  receive(): Promise<Json>;
  /** A request in the old way, and its answer. */
  ask(id: string | number, method: string, params?: unknown): Promise<Json>;
  /** Ends the input and gives every line that was not received. */
  end(): Promise<Json[]>;
  stop(): void;
  /** Settles when the server does. */
  readonly over: Promise<void>;
  readonly transport: Transport;
}

type Options = Partial<Omit<McpOptions, "stop" | "onError">> & {
  /** Default: a database in a folder. */
  readonly target?: (database: StorageDatabase) => AdminTarget;
};

export async function mcpServing({ target, ...options }: Options = {}): Promise<McpServing> {
  const folder = mkdtempSync(join(tmpdir(), "stillwater-mcp-"));
  const directory = join(folder, "store");
  const database = await openDatabase(directory, { store: { backgroundThread: false } });
  const input = new PassThrough();
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  const errors: unknown[] = [];
  let stop = (): void => undefined;
  let onMessage: ((line: string) => void) | null = null;
  const over = serveMcp(
    target?.(database) ?? database,
    {
      input,
      write: async (text) => {
        if (!/^[^\n]+\n$/.test(text)) throw new Error(`not one line: ${text}`);
        if (onMessage !== null) onMessage(text);
        else if (waiting.length > 0) waiting.shift()?.(text);
        else lines.push(text);
      },
    },
    {
      version: "1.2.3",
      ...options,
      stop: new Promise<void>((resolve) => {
        stop = resolve;
      }),
      onError: (error) => errors.push(error),
    },
  );
  over.catch(() => undefined);
  const receive = async (): Promise<Json> => {
    const line = lines.shift() ?? (await new Promise<string>((resolve) => waiting.push(resolve)));
    return JSON.parse(line);
  };
  const transport: Transport = {
    start: async () => {
      onMessage = (line) => transport.onmessage?.(JSON.parse(line) as JSONRPCMessage);
    },
    send: async (message) => void input.write(`${JSON.stringify(message)}\n`),
    close: async () => {
      input.end();
      await over;
      transport.onclose?.();
    },
  };
  return {
    directory,
    database,
    get: (key) => database.transact((transaction) => transaction.get(key)),
    put: (key, value) =>
      database.transact(async (transaction) => transaction.set(Buffer.from(key), Buffer.from(value))),
    errors,
    transport,
    over,
    receive,
    send: (bytes) => void input.write(bytes),
    ask: (id, method, params) => {
      input.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
      return receive();
    },
    async end() {
      input.end();
      await over;
      return lines.splice(0).map((line) => JSON.parse(line) as Json);
    },
    stop: () => stop(),
    async [Symbol.asyncDispose]() {
      input.end();
      await over.catch(() => undefined);
      await database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export function clientOf(mode: VersionNegotiationMode = "legacy"): Client {
  return new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
}

export const INITIALIZE = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "test", version: "1" },
};

/** The problem document of a call that failed. */
export function problemIn(result: Json): Json {
  if (result.isError !== true || result.structuredContent !== undefined)
    throw new Error(`no failure: ${JSON.stringify(result)}`);
  return JSON.parse(result.content[0].text);
}
