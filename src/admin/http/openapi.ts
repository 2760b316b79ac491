/**
 * The OpenAPI 3.1 document of the API, made from the routes and the schemas of their operations, so that it cannot say anything else
 * than what the server does. Served at `/openapi.json`; a validator of the format checks it in the tests, and every answer there is
 * checked against it.
 */
import type { JsonSchema } from "../schema.js";
import { PROBLEM_TYPE, type ProblemCode, statusOf } from "./problem.js";
import { takesBody } from "./request-input.js";
import { ROUTES, type Route } from "./routes.js";

export function openApiDocument(): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of ROUTES) {
    paths[route.path] ??= {};
    (paths[route.path] as Record<string, unknown>)[route.method.toLowerCase()] = operationObject(route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Stillwater admin",
      version: "1",
      description:
        "The store of one directory over HTTP. Failures are problem documents (RFC 9457) with a stable `code`. HEAD is answered " +
        "wherever GET is. Unknown parameters and members are refused.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }, {}],
    tags: TAGS.map((name) => ({ name })),
    paths: { ...paths, "/metrics": PROMETHEUS },
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "Where the server was given a token." },
      },
      schemas: { Problem: PROBLEM },
      headers: {
        RequestId: {
          description: "Of this request; in problem documents as `instance`.",
          schema: { type: "string" },
        },
      },
    },
  };
}

const PROMETHEUS = {
  get: {
    operationId: "getMetricsText",
    summary: "The metrics in the text format of Prometheus.",
    tags: ["metrics"],
    responses: {
      200: {
        description: "Done.",
        content: { "text/plain; version=0.0.4; charset=utf-8": { schema: { type: "string" } } },
      },
      default: problemResponse("Any other failure."),
    },
  },
};

const TAGS = [...new Set(ROUTES.map(tagOf))];

const PROBLEM: JsonSchema = {
  type: "object",
  properties: {
    type: { type: "string", description: "`urn:stillwater:problem:` and the code." },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string", description: "What was wrong and what to do." },
    code: { type: "string", description: "Stable." },
    instance: { type: "string", description: "`urn:stillwater:request:` and the request's number." },
  },
  required: ["type", "title", "status", "detail", "code", "instance"],
  additionalProperties: false,
};

function tagOf({ path }: Pick<Route, "path">): string {
  return path.split("/")[2] ?? "";
}

function operationObject(route: Route): unknown {
  const { operation, isOpen } = route;
  return {
    operationId: operation.name,
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    tags: [tagOf(route)],
    ...(isOpen === true ? { security: [] } : {}),
    parameters: parametersOf(route),
    ...(takesBody(route) ? { requestBody: bodyOf(route) } : {}),
    responses: responsesOf(route),
  };
}

function pathNames({ path }: Route): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string); // the group is part of every match
}

function queryNames(route: Route): string[] {
  const all = Object.keys(route.operation.input.properties ?? {});
  const rest = all.filter((name) => !pathNames(route).includes(name));
  return route.query === undefined ? (takesBody(route) ? [] : rest) : [...route.query];
}

function parametersOf(route: Route): unknown[] {
  const { properties = {}, required = [] } = route.operation.input;
  const parameter = (name: string, place: "path" | "query"): unknown => {
    const { description, ...schema } = properties[name] ?? {};
    return {
      name,
      in: place,
      required: place === "path" || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema,
    };
  };
  return [
    ...pathNames(route).map((name) => parameter(name, "path")),
    ...queryNames(route).map((name) => parameter(name, "query")),
  ];
}

function bodyOf(route: Route): unknown {
  const { properties = {}, required = [] } = route.operation.input;
  const elsewhere = new Set([...pathNames(route), ...queryNames(route)]);
  const names = Object.keys(properties).filter((name) => !elsewhere.has(name));
  const needed = required.filter((name) => !elsewhere.has(name));
  const schema: JsonSchema = {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, properties[name] as JsonSchema])),
    ...(needed.length === 0 ? {} : { required: needed }),
    additionalProperties: false,
  };
  return { required: true, content: { "application/json": { schema } } };
}

function responsesOf(route: Route): Record<string, unknown> {
  const { operation, statuses = [200], location } = route;
  const responses: Record<string, unknown> = {};
  for (const status of statuses) {
    const hasLocation = location !== undefined && status === 201;
    responses[String(status)] = {
      description: SUCCESSES[status] ?? "Done.",
      headers: {
        "X-Request-Id": { $ref: "#/components/headers/RequestId" },
        ...(hasLocation ? { Location: { schema: { type: "string" } } } : {}),
      },
      content: { "application/json": { schema: operation.output } },
    };
  }
  const codes = new Map<number, ProblemCode[]>();
  for (const code of operation.errors)
    codes.set(statusOf(code), [...(codes.get(statusOf(code)) ?? []), code]);
  for (const [status, own] of codes) responses[String(status)] = problemResponse(own.join(", "));
  // biome-ignore lint/complexity/useLiteralKeys: an index signature
  responses["default"] = problemResponse("Any other failure.");
  return responses;
}

const SUCCESSES: Readonly<Record<number, string>> = {
  200: "Done.",
  201: "Created.",
  202: "Begun.",
};

function problemResponse(description: string): unknown {
  return {
    description,
    headers: { "X-Request-Id": { $ref: "#/components/headers/RequestId" } },
    content: { [PROBLEM_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } },
  };
}
