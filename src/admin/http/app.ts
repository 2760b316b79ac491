/**
 * The HTTP surface as one function from requests to answers: limits, guard, routes, operations, problem documents. Runs wherever there
 * is `fetch`'s Request; `handler.ts` puts it on Node's servers.
 *
 * Promise: every answer that is no success is a problem document; a request that is refused has changed nothing; of unexpected
 * errors the caller is told nothing but the request's number, under which `onError` gets the error itself.
 */
import { Hono } from "hono";
import { PROMETHEUS_CONTENT_TYPE, prometheusText } from "../../metrics/prometheus.js";
import type { AdminContext } from "../context.js";
import { runOperation } from "../operation.js";
import { metricsOf } from "../operations/metrics.js";
import type { Guard } from "./guard.js";
import { openApiDocument } from "./openapi.js";
import { PROBLEM_TYPE, type ProblemCode, problemOf, RequestError, requestIdOf, toldOf } from "./problem.js";
import { type BodyLimits, inputOf } from "./request-input.js";
import { parseTarget, type RequestTarget } from "./request-target.js";
import { ROUTES, type Route } from "./routes.js";
import { INDEX, type StaticFile } from "./static-files.js";

export interface AppParts extends BodyLimits {
  readonly context: AdminContext;
  readonly guard: Guard;
  readonly files: ReadonlyMap<string, StaticFile>;
  readonly urlBytesMax: number;
  onError(error: unknown, requestId: string): void;
}

/** What the server hands over beside the request. */
export interface AppBindings {
  /** The target as it was sent, which `Request` has no place for. */
  readonly target?: string;
}

interface Variables {
  readonly requestId: string;
  readonly target: RequestTarget;
}

type App = Hono<{ Bindings: AppBindings; Variables: Variables }>;

export function createApp(parts: AppParts): App {
  const app: App = new Hono({
    // As it was sent: Hono's own would decode it, and `Request` has resolved its dots.
    getPath: (request, options) => pathOf(targetOf(request, options?.env as AppBindings | undefined)),
  });
  app.use("*", async (c, next) => {
    const requestId = requestIdOf(parts.context);
    c.set("requestId", requestId);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
    c.header("X-Request-Id", requestId);
    const target = parseTarget(targetOf(c.req.raw, c.env), parts.urlBytesMax);
    c.set("target", target);
    const route = openRouteOf(target.path, parts.files);
    parts.guard.checkOrigin(c.req.raw.headers, route === "file");
    if (route === null) parts.guard.checkToken(c.req.raw.headers);
    await next();
  });
  for (const route of ROUTES) addRoute(app, parts, route);
  for (const [name, file] of parts.files) addFile(app, name, file);
  app.get(PROMETHEUS_PATH, (c) => {
    refuseParameters(c.get("target"));
    c.header("Content-Type", PROMETHEUS_CONTENT_TYPE);
    return c.body(prometheusText(metricsOf(parts.context)));
  });
  const document = JSON.stringify(openApiDocument());
  app.get(OPENAPI_PATH, (c) => {
    refuseParameters(c.get("target"));
    c.header("Content-Type", "application/json");
    return c.body(document);
  });
  app.notFound((c) => {
    const { path } = c.get("target");
    const allowed = methodsOf(path, parts.files);
    if (allowed.length === 0)
      throw new RequestError(
        "UNKNOWN_ROUTE",
        "there is nothing here. GET /openapi.json lists what there is.",
      );
    const allow = allowed.join(", ");
    throw new RequestError("METHOD_NOT_ALLOWED", `this can be asked with: ${allow}.`, { Allow: allow });
  });
  app.onError((error, c) => problemResponse(parts, error, c.get("requestId")));
  return app;
}

/** Also for what goes wrong before there is a request that the app could see. */
export function problemResponse(
  parts: AppParts,
  error: unknown,
  requestId: string = requestIdOf(parts.context),
): Response {
  const { code, detail, headers } = describe(parts, error, requestId);
  const problem = problemOf(code, detail, requestId);
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...SECURITY_HEADERS, ...headers, "Content-Type": PROBLEM_TYPE, "X-Request-Id": requestId },
  });
}

interface Description {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;
}

function describe(parts: AppParts, error: unknown, requestId: string): Description {
  if (error instanceof RequestError)
    return { code: error.code, detail: error.message, headers: error.headers };
  const { code, detail, isFault } = toldOf(error, parts.context);
  if (isFault) parts.onError(error, requestId);
  return { code, detail, headers: code === "BUSY" ? RETRY : {} };
}

const RETRY = { "Retry-After": "1" };

function addRoute(app: App, parts: AppParts, route: Route): void {
  // An empty key is a key.
  const pattern = route.path.replaceAll(/\{(\w+)\}/g, ":$1{[^/]*}");
  app.on(route.method, pattern, async (c) => {
    const input = await inputOf(route, c.get("target"), c.req.raw, parts);
    const output = await runOperation(route.operation, parts.context, input);
    const status = route.status?.(output as never) ?? 200;
    if (route.location !== undefined && status === 201) c.header("Location", route.location(input as never));
    c.header("Content-Type", "application/json");
    return c.body(JSON.stringify(output), status as 200);
  });
}

function addFile(app: App, name: string, { contentType, bytes, policy }: StaticFile): void {
  app.get(pathOfFile(name), (c) => {
    c.header("Content-Type", contentType);
    c.header("Content-Security-Policy", policy);
    return c.body(Uint8Array.from(bytes));
  });
}

function pathOfFile(name: string): string {
  return name === INDEX ? "/" : `/assets/${name}`;
}

/** What is answered without a token. */
function openRouteOf(path: string, files: ReadonlyMap<string, StaticFile>): "file" | "operation" | null {
  if ([...files.keys()].some((name) => pathOfFile(name) === path)) return "file";
  if (path === OPENAPI_PATH) return "operation";
  return ROUTES.some((route) => route.isOpen === true && route.path === path) ? "operation" : null;
}

/** It says nothing of the store, so it is open like the page. */
const OPENAPI_PATH = "/openapi.json";

/** Where Prometheus looks. */
const PROMETHEUS_PATH = "/metrics";

function refuseParameters({ query }: RequestTarget): void {
  if (query.size > 0) throw new RequestError("BAD_REQUEST", "there are no parameters here.");
}

function methodsOf(path: string, files: ReadonlyMap<string, StaticFile>): string[] {
  if (openRouteOf(path, files) === "file" || path === OPENAPI_PATH || path === PROMETHEUS_PATH)
    return ["GET", "HEAD"];
  const found = ROUTES.filter((route) => matches(route.path, path)).map(({ method }) => method);
  return found.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}

function matches(template: string, path: string): boolean {
  const parts = template.split("/");
  const segments = path.split("/");
  return (
    parts.length === segments.length &&
    parts.every((part, at) => part.startsWith("{") || part === segments[at])
  );
}

function targetOf(request: Request, bindings: AppBindings | undefined): string {
  if (bindings?.target !== undefined) return bindings.target;
  return request.url.replace(/^[^:]+:\/\/[^/?#]*/, "");
}

function pathOf(target: string): string {
  const mark = target.indexOf("?");
  return mark < 0 ? target : target.slice(0, mark);
}

const SECURITY_HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;
