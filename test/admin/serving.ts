/** For tests of the admin: a database in a folder of its own behind a real server, and requests to it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import {
  type AdminHandler,
  type AdminOptions,
  type AdminServer,
  adminHandler,
  listen,
} from "../../src/admin/index.js";
import { openDatabase, type StorageDatabase } from "../../src/index.js";
import { offences } from "./contract.js";

export interface Serving extends AsyncDisposable {
  readonly directory: string;
  readonly database: StorageDatabase;
  readonly handler: AdminHandler;
  readonly server: AdminServer;
  /** What `onError` was told. */
  readonly errors: unknown[];
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of a JSON answer. */
  // oxlint-disable-next-line typescript/no-explicit-any -- what it is, is what tests find out
  readonly body: any;
}

export async function serving(options: AdminOptions = {}): Promise<Serving> {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-admin-"));
  const database = await openDatabase(join(directory, "store"), { store: { backgroundThread: false } });
  const errors: unknown[] = [];
  const handler = adminHandler(database, { onError: (error) => errors.push(error), ...options });
  const server = await listen(handler, { hasToken: options.token !== undefined });
  return {
    directory: join(directory, "store"),
    database,
    handler,
    server,
    errors,
    ask: (method, path, body, headers = {}) => ask(server.url, method, path, body, headers),
    async [Symbol.asyncDispose]() {
      await server.close(0);
      handler.close();
      await database.close();
      rmSync(directory, { recursive: true });
    },
  };
}

async function ask(
  url: string,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const contentType = response.headers.get("content-type");
  const isJson = /^application\/(problem\+)?json/.test(contentType ?? "");
  const parsed: unknown = isJson && text !== "" ? JSON.parse(text) : null;
  // Every answer of every test is as documented.
  if (method !== "HEAD")
    expect(offences(method, path, { status: response.status, contentType, body: parsed })).toEqual([]);
  return { status: response.status, headers: response.headers, text, body: parsed };
}
