/**
 * The app as a listener of Node's HTTP servers, one's own or ours, with everything that it holds. Owns the options of embedding and
 * their checks.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { refuseUnknownOptions } from "../../engine/options.js";
import { nodePlatform } from "../../platform/node/node-platform.js";
import { type AdminContextOptions, type AdminTarget, closeContext, createContext } from "../context.js";
import { type AppParts, createApp, problemResponse } from "./app.js";
import { Guard, LOOPBACK_HOSTS } from "./guard.js";
import { RequestError } from "./problem.js";
import { PAGE_FOLDER, readStaticFiles } from "./static-files.js";

/** What the HTTP API may do, and who may call it. */
export interface AdminOptions extends AdminContextOptions {
  /** Asked for in `Authorization: Bearer <token>`. At least 16 characters. Default: none is asked for. */
  readonly token?: string;
  /**
   * Names, without ports, that requests may have in their Host header: those of the loopback unless said otherwise, or any where
   * there is a token.
   */
  readonly hosts?: readonly string[];
  /** Default 16 MiB. */
  readonly bodyBytesMax?: number;
  /** For how long a body may take to arrive. Default 30,000. */
  readonly bodyTimeMs?: number;
  /** Default 100,000: enough for the longest key in base64url. Node's own limit of all headers is 16 KiB unless its server says more. */
  readonly urlBytesMax?: number;
  /** Folder of the page that is served at `/`. Default: ours. Null: no page. */
  readonly page?: string | null;
  /** Told of errors that callers are told nothing of. Default: nobody. */
  readonly onError?: (error: unknown, requestId: string) => void;
}

const OPTIONS: readonly (keyof AdminOptions)[] = [
  "readOnly",
  "items",
  "backups",
  "token",
  "hosts",
  "bodyBytesMax",
  "bodyTimeMs",
  "urlBytesMax",
  "page",
  "onError",
];

/** A listener for `http.createServer`, or to be called by one's own. */
export interface AdminHandler {
  (request: IncomingMessage, response: ServerResponse): void;
  /** Gives back what it holds of the database: snapshots. The database stays open. */
  close(): void;
}

const MIB = 1024 * 1024;

/** Throws `UNKNOWN_OPTION`, `INVALID_ARGUMENT`. */
export function adminHandler(target: AdminTarget, options: AdminOptions = {}): AdminHandler {
  refuseUnknownOptions(options, OPTIONS, "adminHandler");
  const { token = null, hosts = token === null ? LOOPBACK_HOSTS : null } = options;
  const { page = PAGE_FOLDER, readOnly = false, items = {}, backups } = options;
  const context = createContext(target, nodePlatform(), {
    readOnly,
    items,
    ...(backups === undefined ? {} : { backups }),
  });
  const parts: AppParts = {
    context,
    guard: new Guard({ token, hosts }),
    files: page === null ? new Map() : readStaticFiles(page),
    bodyBytesMax: options.bodyBytesMax ?? 16 * MIB,
    bodyTimeMs: options.bodyTimeMs ?? 30_000,
    urlBytesMax: options.urlBytesMax ?? 100_000,
    onError: options.onError ?? (() => undefined),
  };
  const app = createApp(parts);
  const listener = getRequestListener(
    (request, { incoming }) => app.fetch(request, { target: (incoming as IncomingMessage).url ?? "" }),
    {
      overrideGlobalObjects: false,
      // Answers what no Request can be made of: a Host or a target that is none.
      errorHandler: (error) => problemResponse(parts, notARequest(error)),
    },
  );
  const handler = (request: IncomingMessage, response: ServerResponse): void =>
    void listener(request, response);
  return Object.assign(handler, { close: () => closeContext(context) });
}

function notARequest(error: unknown): unknown {
  const isHttp = error instanceof Error && error.name === "RequestError";
  return isHttp ? new RequestError("BAD_REQUEST", "the request has no usable target or Host header.") : error;
}
