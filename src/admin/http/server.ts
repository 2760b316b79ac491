/**
 * A server of its own for the admin: where it listens, how long it waits, how it ends. Beyond the loopback it listens only with a token.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { StillwaterError } from "../../platform/errors.js";
import type { AdminHandler } from "./handler.js";
import { PROBLEM_TYPE, problemOf, type RequestErrorCode } from "./problem.js";

/** Where a server of the HTTP API listens. */
export interface ServerOptions {
  /** An address or name of this machine. Default 127.0.0.1. */
  readonly host?: string;
  /** 0: any that is free. Default 0. */
  readonly port?: number;
  /** Whether the handler asks for a token. */
  readonly hasToken: boolean;
}

/** A server of the HTTP API that is listening. Close it. */
export interface AdminServer {
  /** `http://127.0.0.1:4711` */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Takes no more requests, waits for those under way for `graceMs`, then ends them. Idempotent. */
  close(graceMs?: number): Promise<void>;
}

const GRACE_MS = 5_000;

/** Throws `INVALID_ARGUMENT`; rejects with `UNAVAILABLE` when it cannot listen there. */
export async function listen(handler: AdminHandler, options: ServerOptions): Promise<AdminServer> {
  const { host = "127.0.0.1", port = 0, hasToken } = options;
  if (!isLoopback(host) && !hasToken) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `${host} can be reached from other machines, and there is no token: whoever asks could read and write everything. Give a token, or listen on 127.0.0.1.`,
    );
  }
  const server = createServer(
    {
      // Enough for the longest key, in base64url.
      maxHeaderSize: 131_072,
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 1_000,
      // The guard answers those without one.
      requireHostHeader: false,
      insecureHTTPParser: false,
    },
    handler,
  );
  server.on("clientError", refuse);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(
        new StillwaterError("UNAVAILABLE", `cannot listen on ${host}:${port}: ${error.message}.`, {
          cause: error,
        }),
      );
    };
    server.once("error", fail);
    server.listen(port, host, () => {
      server.off("error", fail);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  let closing: Promise<void> | null = null;
  return {
    url: `http://${name}:${address.port}`,
    host: address.address,
    port: address.port,
    close: (graceMs = GRACE_MS) => (closing ??= closeServer(server, graceMs)),
  };
}

/** Whether only this machine can reach it. Other names may mean anything. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

const CODES: Readonly<Record<string, readonly [RequestErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ["HEADERS_TOO_LARGE", "the request's headers are too large."],
  ERR_HTTP_REQUEST_TIMEOUT: ["REQUEST_TIMEOUT", "the request took too long to arrive."],
};

/** What the parser could not read as HTTP. Nothing of it has reached the app. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [code, detail] = CODES[error.code ?? ""] ?? ["BAD_REQUEST", "this is not HTTP as it should be."];
  const problem = problemOf(code, detail, "none");
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}
