/**
 * JSON-RPC 2.0 as MCP uses it: what a line says, and what is answered. Owns the forms of messages and the codes of their errors; what
 * methods there are and what they mean belongs to `session.ts`.
 */
import { DEPTH_MAX, isDeeperThan } from "../json-depth.js";

export const PARSE_ERROR = -32_700;
export const INVALID_REQUEST = -32_600;
export const METHOD_NOT_FOUND = -32_601;
export const INVALID_PARAMS = -32_602;
export const INTERNAL_ERROR = -32_603;
/** MCP's own, of 2026-07-28. */
export const UNSUPPORTED_PROTOCOL_VERSION = -32_022;

/** Becomes the `error` of an answer. */
export class RpcError extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.name = "RpcError";
    this.code = code;
    this.data = data;
  }
}

export type RequestId = string | number;
export type Params = Readonly<Record<string, unknown>>;

export interface RpcRequest {
  readonly type: "request";
  readonly id: RequestId;
  readonly method: string;
  readonly params: Params;
}

export type Message =
  | RpcRequest
  | { readonly type: "notification"; readonly method: string; readonly params: Params }
  /** An answer to a request, which we never send: there is nothing to do. */
  | { readonly type: "answer" }
  | { readonly type: "malformed"; readonly id: RequestId | null; readonly error: RpcError };

/** What a line holds: a message, or a list of them. Throws `RpcError` for what is no JSON. */
export function parseLine(line: Uint8Array): unknown {
  try {
    return JSON.parse(STRICT_UTF8.decode(line));
  } catch {
    throw new RpcError(PARSE_ERROR, "this line is not JSON in UTF-8. Send one message a line.");
  }
}

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** An argument may be as deep as a body over HTTP; the message around it, and the batch around that, come on top. */
const MESSAGE_DEPTH_MAX = DEPTH_MAX + 3;

export function isTooDeep(line: Uint8Array): boolean {
  return isDeeperThan(line, MESSAGE_DEPTH_MAX);
}

export function messageOf(value: unknown): Message {
  if (!isObject(value)) return malformed(null, INVALID_REQUEST, "a message must be a JSON object.");
  const { jsonrpc, id, method, params = {} } = value;
  const usableId = isRequestId(id) ? id : null;
  if (jsonrpc !== "2.0") return malformed(usableId, INVALID_REQUEST, 'a message must have "jsonrpc": "2.0".');
  if (method === undefined && ("result" in value || "error" in value)) return { type: "answer" };
  if (typeof method !== "string") return malformed(usableId, INVALID_REQUEST, 'a request needs a "method".');
  if (id !== undefined && usableId === null)
    return malformed(null, INVALID_REQUEST, 'the "id" of a request must be text or a number.');
  if (!isObject(params)) {
    // Nothing is ever answered to a notification.
    if (usableId === null) return { type: "notification", method, params: {} };
    return malformed(usableId, INVALID_PARAMS, '"params" must be a JSON object.');
  }
  if (usableId === null) return { type: "notification", method, params };
  return { type: "request", id: usableId, method, params };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isRequestId(value: unknown): value is RequestId {
  return typeof value === "string" || typeof value === "number";
}

export function resultAnswer(id: RequestId, result: unknown): unknown {
  return { jsonrpc: "2.0", id, result };
}

export function errorAnswer(id: RequestId | null, { code, message, data }: RpcError): unknown {
  return { jsonrpc: "2.0", id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}

function malformed(id: RequestId | null, code: number, message: string): Message {
  return { type: "malformed", id, error: new RpcError(code, message) };
}
