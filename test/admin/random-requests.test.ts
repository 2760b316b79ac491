/**
 * Requests that nobody would send, many of them, and beside transactions: none is answered by 500, none that is refused changes the
 * store, and every answer is as the OpenAPI document says.
 */
import { Agent, request } from "node:http";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { takesBody } from "../../src/admin/http/request-input.js";
import { ROUTES } from "../../src/admin/http/routes.js";
import { about } from "./about.js";
import { offences } from "./contract.js";
import { exchange } from "./raw.js";
import { type Serving, serving } from "./serving.js";

interface Asked {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const segment = fc.oneof(
  fc.constantFrom(
    "v1",
    "rows",
    "status",
    "a",
    "%61",
    "%ff",
    "..",
    ".",
    "%2e%2e",
    "",
    "hello",
    "{key}",
    "*",
    "%00",
    "%25",
  ),
  fc.stringMatching(/^[!-~]{0,12}$/).map((text) => text.replaceAll(/[?#\\ ]/g, "-")),
);
const path = fc.oneof(
  fc.constantFrom(...ROUTES.map(({ path: template }) => template.replaceAll(/\{\w+\}/g, "a"))),
  fc.array(segment, { maxLength: 6 }).map((segments) => `/${segments.join("/")}`),
);
const names = [...new Set(ROUTES.flatMap(({ operation }) => Object.keys(operation.input.properties ?? {})))];
const parameter = fc
  .tuple(
    fc.oneof(fc.constantFrom(...names), fc.stringMatching(/^[a-z%]{0,6}$/)),
    fc.oneof(
      fc.constantFrom("", "0", "1", "true", "hex", "utf8", "json", "a", "%ff", "[]", "-1", "1e9", "null"),
      fc.stringMatching(/^[!-~]{0,9}$/),
    ),
  )
  .map(([name, value]) => `${name}=${value.replaceAll(/[#\\&]/g, "_")}`);
const member = fc.tuple(
  fc.constantFrom(...names, "__proto__", "constructor", "x"),
  fc.jsonValue({ maxDepth: 3 }),
);
const body = fc.oneof(
  fc.constant(""),
  fc.array(member, { maxLength: 4 }).map((members) => JSON.stringify(Object.fromEntries(members))),
  fc.json({ maxDepth: 3 }),
  fc.string({ maxLength: 20 }),
);
const oddHeaders: fc.Arbitrary<Readonly<Record<string, string>>> = fc.record(
  {
    "content-type": fc.constantFrom("application/json", "text/plain", "application/json;charset=utf-8", ""),
    origin: fc.constantFrom("null", "http://evil.example", ""),
    host: fc.constantFrom("127.0.0.1", "evil.example", "[::1]:1", "x y", ""),
    authorization: fc.constantFrom("Bearer x", "Basic eDp5"),
    expect: fc.constantFrom("100-continue"),
  },
  { requiredKeys: ["content-type"] },
);
const any: fc.Arbitrary<Asked> = fc.record({
  method: fc.constantFrom("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "QUERY", "TRACE"),
  target: fc
    .tuple(path, fc.array(parameter, { maxLength: 3 }))
    .map(([one, query]) => (query.length === 0 ? one : `${one}?${query.join("&")}`)),
  headers: fc.oneof(
    {
      weight: 5,
      arbitrary: fc.constant<Readonly<Record<string, string>>>({ "content-type": "application/json" }),
    },
    { weight: 1, arbitrary: oddHeaders },
  ),
  body,
});

/** Of one of our routes, with parameters and members that it knows: every other one is right. */
const nearly: fc.Arbitrary<Asked> = fc.constantFrom(...ROUTES).chain((route) => {
  const { properties = {} } = route.operation.input;
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
  const hasBody = takesBody(route);
  const inQuery =
    route.query ?? (hasBody ? [] : Object.keys(properties).filter((name) => !inPath.includes(name)));
  const inBody = Object.keys(properties).filter((name) => !inPath.includes(name) && !inQuery.includes(name));
  const valuesOf = (from: readonly string[]) =>
    fc.record(Object.fromEntries(from.map((name) => [name, about(properties[name] ?? {})])), {
      requiredKeys: [],
    });
  return fc
    .tuple(
      fc.constantFrom("a", "hello", "6161", "Person"),
      valuesOf(inQuery),
      fc.oneof(
        valuesOf(inBody),
        fc.record(Object.fromEntries(inBody.map((name) => [name, about(properties[name] ?? {})]))),
      ),
    )
    .map(([key, query, members]): Asked => {
      const parameters = Object.entries(query).map(
        ([name, value]) => `${name}=${encodeURIComponent(String(value)).slice(0, 50)}`,
      );
      const target = `${route.path.replaceAll(/\{\w+\}/g, key)}${parameters.length === 0 ? "" : `?${parameters.join("&")}`}`;
      const headers: Record<string, string> = hasBody ? { "content-type": "application/json" } : {};
      return {
        method: route.method,
        target: target.replaceAll(/%(?![0-9A-F]{2})/g, "%25"),
        headers,
        body: hasBody ? JSON.stringify(members) : "",
      };
    });
});
const asked = fc.oneof(any, nearly);

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

function send(
  admin: Serving,
  { method, target, headers, body: text }: Asked,
): Promise<{
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
}> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: admin.server.host,
        port: admin.server.port,
        method,
        path: target,
        headers: { ...headers, "content-length": Buffer.byteLength(text) },
        agent,
      },
      (response) => {
        const pieces: Buffer[] = [];
        response.on("data", (piece: Buffer) => pieces.push(piece));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            contentType: response.headers["content-type"] ?? null,
            text: Buffer.concat(pieces).toString(),
          }),
        );
        response.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end(text);
  });
}

describe("a random request", () => {
  it("is answered as documented, never by 500, and has changed nothing when it is refused", async () => {
    await using admin = await serving();
    await admin.ask("PUT", "/v1/rows/a", { value: "1" });
    const statuses = new Map<number, number>();
    await fc.assert(
      fc.asyncProperty(asked, async (one) => {
        const before = await admin.database.read((reader) => reader.getReadVersion());
        const answer = await send(admin, one);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        // Two compactions at once, and backups where there is no place for them, are refused as documented.
        if (answer.status >= 500) expect(JSON.parse(answer.text).code).toMatch(/^(BUSY|NOT_SUPPORTED)$/);
        const after = await admin.database.read((reader) => reader.getReadVersion());
        if (answer.status >= 400) {
          expect(after).toBe(before);
          expect(answer.contentType).toBe("application/problem+json");
        }
        if (
          one.method !== "HEAD" &&
          one.method !== "TRACE" &&
          answer.contentType?.endsWith("json") === true
        ) {
          const { status, contentType, text } = answer;
          expect(offences(one.method, one.target, { status, contentType, body: JSON.parse(text) })).toEqual(
            [],
          );
        }
      }),
      { numRuns: 300 },
    );
    // It has met both sides.
    const share = (status: number): number => (statuses.get(status) ?? 0) / 300;
    expect([share(200) > 0.02, share(400) > 0.02]).toEqual([true, true]);
    expect(admin.errors).toEqual([]);
  });

  it("of any bytes is answered by 400 or not at all, and the next one is served", async () => {
    await using admin = await serving();
    const version = await admin.database.read((reader) => reader.getReadVersion());
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), async (bytes) => {
        const text = await exchange(admin.server, [bytes, "\r\n\r\n"], "}");
        expect(text === "" || /^HTTP\/1\.1 4\d\d/.test(text)).toBe(true);
      }),
      { numRuns: 100 },
    );
    expect((await admin.ask("GET", "/v1/health")).body).toEqual({ status: "ok", version });
  });
});

describe("many requests", () => {
  it("of 10,000, sixteen at a time, each is answered, beside transactions of the program that lose nothing", async () => {
    await using admin = await serving();
    const counter = Buffer.from("counter");
    let isOver = false;
    let added = 0;
    const program = (async () => {
      while (!isOver) {
        await admin.database.transact(async (transaction) => {
          const found = await transaction.get(counter);
          transaction.set(
            counter,
            Buffer.from(String(Number(found === undefined ? 0 : Buffer.from(found).toString()) + 1)),
          );
        });
        added++;
      }
    })();
    const one = (at: number): string => {
      const head = `HTTP/1.1\r\nHost: 127.0.0.1\r\n${at % REQUESTS === REQUESTS - 1 ? "Connection: close\r\n" : ""}`;
      // Keys of their own: of writers of one key all but one would have to try again.
      const key = `k${at}`;
      if (at % 50 !== 0) return `GET /v1/rows${at % 10 === 1 ? "?limit=5" : `/${key}`} ${head}\r\n`;
      const text = `{"value":"${at}"}`;
      return `PUT /v1/rows/${key} ${head}Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    };
    const texts = await Promise.all(
      Array.from({ length: CLIENTS }, (_, client) =>
        exchange(
          admin.server,
          Array.from({ length: REQUESTS }, (__, at) => one(client * REQUESTS + at)),
        ),
      ),
    );
    const statuses = texts.flatMap((text) =>
      [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
    );
    isOver = true;
    await program;
    expect(statuses).toHaveLength(10_000);
    expect(statuses.filter((status) => !["200", "201", "404"].includes(status as string))).toEqual([]);
    const { row } = (await admin.ask("GET", "/v1/rows/counter")).body;
    expect([Number(row.value), added > 0]).toEqual([added, true]);
    const { stats } = (await admin.ask("GET", "/v1/status")).body;
    expect([stats.openSnapshots, stats.openIterators]).toEqual([0, 0]);
  });
});

const CLIENTS = 16;
/** Of each, sent without waiting for answers. */
const REQUESTS = 625;
