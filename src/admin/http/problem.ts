/**
 * Failures as problem documents (RFC 9457, which replaced RFC 7807): a status, a stable code, and a sentence that says what to do.
 * Owns which code has which status, and what of an error may leave the process: the message of an error that speaks of what the
 * caller sent; of an error of files only what is within the store; of an unexpected one nothing but the number of the request.
 */
import { type ErrorCode, StillwaterError } from "../../platform/errors.js";
import type { AdminContext } from "../context.js";

/** Codes of what is wrong with a request before any operation has seen it. */
export type RequestErrorCode =
  | "BAD_REQUEST"
  | "UNAUTHORIZED"
  | "FORBIDDEN"
  | "UNKNOWN_ROUTE"
  | "METHOD_NOT_ALLOWED"
  | "REQUEST_TIMEOUT"
  | "REQUEST_TOO_LARGE"
  | "URL_TOO_LONG"
  | "HEADERS_TOO_LARGE"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "INTERNAL";

export type ProblemCode = ErrorCode | RequestErrorCode;

export const PROBLEM_TYPE = "application/problem+json";

/** A request that is refused: becomes a problem document. */
export class RequestError extends Error {
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: RequestErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.headers = headers;
  }
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  /** Of this occurrence: `urn:stillwater:request:` and the number of the request, which is in the header X-Request-Id as well. */
  readonly instance: string;
}

export function problemOf(code: ProblemCode, detail: string, requestId: string): Problem {
  const status = statusOf(code);
  return {
    type: `urn:stillwater:problem:${code}`,
    title: TITLES[status] ?? "Failure",
    status,
    detail: detail.length > DETAIL_MAX ? `${detail.slice(0, DETAIL_MAX)}…` : detail,
    code,
    instance: `urn:stillwater:request:${requestId}`,
  };
}

/** Messages may quote what was sent. */
const DETAIL_MAX = 1_000;

export function statusOf(code: ProblemCode): number {
  return STATUSES.get(code) ?? 500;
}

/** Every code that is not here is a fault of ours or of the disk: 500. */
const STATUSES: ReadonlyMap<ProblemCode, number> = new Map(
  Object.entries({
    400: [
      "BAD_REQUEST",
      "INVALID_ARGUMENT",
      "INVALID_PAGE_TOKEN",
      "KEY_TOO_LARGE",
      "VALUE_TOO_LARGE",
      "BATCH_TOO_LARGE",
      "TRANSACTION_TOO_LARGE",
      "KEY_OUTSIDE_LEGAL_RANGE",
      "INVERTED_RANGE",
      "INVALID_PRIMARY_KEY",
      "VALIDATION_FAILED",
      "INVALID_INDEX_VALUE",
      "INDEX_ENTRY_TOO_LARGE",
      "UNKNOWN_FIELD",
      "WRONG_INDEX_KIND",
      "ITEM_TOO_LARGE",
      "PRIMARY_KEY_CHANGED",
    ],
    401: ["UNAUTHORIZED"],
    403: ["FORBIDDEN", "READ_ONLY"],
    404: ["UNKNOWN_ROUTE", "NOT_FOUND", "UNKNOWN_COLLECTION", "UNKNOWN_INDEX"],
    405: ["METHOD_NOT_ALLOWED"],
    408: ["REQUEST_TIMEOUT"],
    409: [
      "NOT_COMMITTED",
      "PRECONDITION_FAILED",
      "VERSION_TOO_LOW",
      "EXISTS",
      "DOCUMENT_EXISTS",
      "UNIQUE_VIOLATION",
      "DELETE_DENIED",
      "DANGLING_REFERENCE",
      "PROTECTED_RANGE",
      "NOT_A_REPOSITORY",
      "INDEX_NOT_READABLE",
      "SCHEMA_CHANGED",
      "UNMAINTAINABLE_COLLECTION",
      "SCHEMA_TOO_OLD",
      "UNKNOWN_INDEX_KIND",
    ],
    413: ["REQUEST_TOO_LARGE"],
    414: ["URL_TOO_LONG"],
    415: ["UNSUPPORTED_MEDIA_TYPE"],
    431: ["HEADERS_TOO_LARGE"],
    501: ["NOT_SUPPORTED"],
    503: [
      "BUSY",
      "FAILED_STOP",
      "CLOSED",
      "LOCKED",
      "TRANSACTION_TIMED_OUT",
      "TRANSACTION_TOO_OLD",
      "UNAVAILABLE",
    ],
    507: ["NO_SPACE"],
  } as const satisfies Readonly<Record<number, readonly ProblemCode[]>>).flatMap(([status, codes]) =>
    codes.map((code): [ProblemCode, number] => [code, Number(status)]),
  ),
);

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  408: "Request timeout",
  409: "Conflict",
  413: "Content too large",
  414: "URL too long",
  415: "Unsupported media type",
  431: "Request header fields too large",
  500: "Internal error",
  501: "Not supported here",
  503: "Unavailable",
  507: "Out of space",
};

/** Of a request or a call: what a caller can quote, and whoever runs the server finds in its log. */
export function requestIdOf({ platform: { random } }: AdminContext): string {
  const words = Uint32Array.from({ length: 3 }, () => random.nextUint32());
  return Buffer.from(words.buffer).toString("base64url");
}

export interface Told {
  readonly code: ErrorCode | "INTERNAL";
  readonly detail: string;
  /** Not the caller's doing: whoever runs the server should see the error itself. */
  readonly isFault: boolean;
}

/** What the caller is told of an error that an operation failed with. */
export function toldOf(error: unknown, { readable }: AdminContext): Told {
  if (error instanceof StillwaterError && error.code !== "ASSERTION") {
    const { code, message } = error;
    const roots = readable === null ? [] : [readable.directory];
    return { code, detail: tellable(code, message, roots), isFault: statusOf(code) === 500 };
  }
  const detail =
    "something went wrong here that should not. The server's own log has it under the request's number.";
  return { code: "INTERNAL", detail, isFault: true };
}

/** Codes whose messages name files. */
const ABOUT_FILES: ReadonlySet<string> = new Set<ErrorCode>([
  "IO",
  "CORRUPTION",
  "FAILED_STOP",
  "NO_SPACE",
  "ACCESS_DENIED",
  "TOO_MANY_OPEN_FILES",
  "NOT_DIRECTORY",
  "IS_DIRECTORY",
  "NOT_EMPTY",
  "EXISTS",
  "NOT_FOUND",
  "LOCKED",
  "NOT_A_STORE",
  "NOT_A_REPOSITORY",
  "READ_ONLY",
]);

/** The message of one of our errors as it may be told: paths outside of `roots` are not. */
function tellable(code: string, message: string, roots: readonly string[]): string {
  if (!ABOUT_FILES.has(code)) return message;
  return message.replaceAll(ABSOLUTE_PATH, (path) =>
    roots.some((root) => path === root || path.startsWith(`${root}/`))
      ? path
      : "(a path outside of the store)",
  );
}

const ABSOLUTE_PATH = /(?<![\w.~-])(?:\/|[A-Za-z]:[\\/])[^\s:;,()"']+/g;
