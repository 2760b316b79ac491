/**
 * What the methods of MCP mean, of one client over one pair of streams. Two generations of the protocol are spoken: up to 2025-11-25 a
 * client begins with `initialize`, which fixes a revision for the session; from 2026-07-28 on each request names its revision in
 * `_meta` and there is no session. A request with that name is answered in the new way, any other in the old.
 *
 * Does not own: messages (`messages.ts`), streams and cancellation (`server.ts`).
 */
import type { AdminContext } from "../context.js";
import { check, type JsonSchema } from "../schema.js";
import {
  INVALID_PARAMS,
  INVALID_REQUEST,
  isObject,
  METHOD_NOT_FOUND,
  type Params,
  RpcError,
  type RpcRequest,
  UNSUPPORTED_PROTOCOL_VERSION,
} from "./messages.js";
import { callTool, listTools, operationNamed, type ToolResult } from "./tools.js";

/** Revisions that begin with `initialize`, the newest first. */
export const SESSION_VERSIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;
/** Revisions that each request names. */
export const REQUEST_VERSIONS = ["2026-07-28"] as const;

const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities";
const SERVER_KEY = "io.modelcontextprotocol/serverInfo";

const CAPABILITIES = { tools: { listChanged: false } };

const INSTRUCTIONS =
  "The tools read and change one Stillwater store: an ordered key-value store, with collections of documents where a program keeps " +
  "some. Keys and values are bytes. They are given and shown as text in UTF-8 unless keyEncoding or valueEncoding says hex or " +
  "base64url; each row says which it is in. Lists come in pages: go on with nextPageToken. Read before you write; to change a row " +
  "only if it is still what you read, use runTransaction with expect. A failed call answers with a problem document: its code is " +
  "stable, its detail says what to do.";

export interface SessionParts {
  readonly context: AdminContext;
  /** Of the package. */
  readonly version: string;
  onError(error: unknown, requestId: string): void;
}

type Result = Readonly<Record<string, unknown>> | ToolResult;

export class Session {
  readonly #parts: SessionParts;
  readonly #serverInfo: { readonly name: string; readonly title: string; readonly version: string };
  /** Null until a client has initialized. */
  #version: string | null = null;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#serverInfo = { name: "stillwater", title: "Stillwater", version: parts.version };
  }

  /** One revision has lists of messages in a line; those before and after it do not. */
  get takesBatches(): boolean {
    return this.#version === "2025-03-26";
  }

  /** The result. Rejects with `RpcError`. */
  async answer({ method, params }: RpcRequest): Promise<Result> {
    if (method === "initialize") return this.#initialize(params);
    const meta = isObject(params["_meta"]) ? params["_meta"] : {};
    if (meta[VERSION_KEY] !== undefined) {
      requireVersion(meta);
      const result = await this.#answerRequest(method, params);
      return { resultType: "complete", ...result, _meta: { [SERVER_KEY]: this.#serverInfo } };
    }
    if (method === "ping") return {};
    if (this.#version === null) {
      throw new RpcError(
        INVALID_PARAMS,
        `send "initialize" first (${SESSION_VERSIONS.join(", ")}), or name the protocol version in each request's _meta (${REQUEST_VERSIONS.join(", ")}).`,
      );
    }
    return this.#answerShared(method, params);
  }

  #initialize(params: Params): Result {
    requireParams(INITIALIZE, params, "initialize");
    if (this.#version !== null)
      throw new RpcError(INVALID_REQUEST, "this session is initialized already; begin another process.");
    // An unknown revision is answered with ours; a client that does not speak that one goes away.
    this.#version = SESSION_VERSIONS.find((one) => one === params["protocolVersion"]) ?? SESSION_VERSIONS[0];
    return {
      protocolVersion: this.#version,
      capabilities: CAPABILITIES,
      serverInfo: this.#serverInfo,
      instructions: INSTRUCTIONS,
    };
  }

  async #answerRequest(method: string, params: Params): Promise<Result> {
    if (method === "server/discover") {
      return {
        supportedVersions: REQUEST_VERSIONS,
        capabilities: CAPABILITIES,
        instructions: INSTRUCTIONS,
        ...CACHING,
      };
    }
    const result = await this.#answerShared(method, params);
    return method === "tools/list" ? { ...result, ...CACHING } : result;
  }

  async #answerShared(method: string, params: Params): Promise<Result> {
    if (method === "tools/list") {
      requireParams(LIST, params, method);
      if (params["cursor"] !== undefined)
        throw new RpcError(INVALID_PARAMS, "tools/list: there is no such cursor; all tools are on one page.");
      return { tools: listTools(this.#parts.context) };
    }
    if (method === "tools/call") {
      requireParams(CALL, params, method);
      const operation = operationNamed(params["name"]);
      if (operation === null) {
        const known = listTools(this.#parts.context).map(({ name }) => name);
        throw new RpcError(INVALID_PARAMS, `tools/call: unknown tool. There are: ${known.join(", ")}.`);
      }
      const { context, onError } = this.#parts;
      return callTool(operation, context, params["arguments"] ?? {}, onError);
    }
    throw new RpcError(METHOD_NOT_FOUND, `there is no method ${JSON.stringify(method.slice(0, 60))} here.`);
  }
}

/** The tools are the same for as long as the process lives; another may have been started with other options. */
const CACHING = { ttlMs: 300_000, cacheScope: "private" };

const TEXT: JsonSchema = { type: "string" };
const OBJECT: JsonSchema = { type: "object" };

const INITIALIZE: JsonSchema = {
  type: "object",
  properties: {
    protocolVersion: TEXT,
    capabilities: OBJECT,
    clientInfo: { type: "object", properties: { name: TEXT, version: TEXT }, required: ["name", "version"] },
  },
  required: ["protocolVersion", "capabilities", "clientInfo"],
};

const LIST: JsonSchema = { type: "object", properties: { cursor: TEXT } };

/** What the arguments must be is the operation's business, and its failures a model's to read. */
const CALL: JsonSchema = {
  type: "object",
  properties: { name: TEXT, arguments: OBJECT },
  required: ["name"],
};

function requireParams(schema: JsonSchema, params: Params, method: string): void {
  const faults = check(schema, params);
  if (faults.length > 0) throw new RpcError(INVALID_PARAMS, `${method}: ${faults.join("; ")}.`);
}

function requireVersion(meta: Params): void {
  const requested = meta[VERSION_KEY];
  if (typeof requested !== "string" || !isObject(meta[CAPABILITIES_KEY])) {
    throw new RpcError(
      INVALID_PARAMS,
      `_meta must have "${VERSION_KEY}", a text, and "${CAPABILITIES_KEY}", an object.`,
    );
  }
  if (REQUEST_VERSIONS.some((one) => one === requested)) return;
  throw new RpcError(
    UNSUPPORTED_PROTOCOL_VERSION,
    `requests can name ${REQUEST_VERSIONS.join(", ")}; earlier revisions begin with "initialize": ${SESSION_VERSIONS.join(", ")}.`,
    { supported: REQUEST_VERSIONS, requested: requested.slice(0, 60) },
  );
}
