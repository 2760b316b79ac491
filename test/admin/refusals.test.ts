/** Whoever may not ask, or asks wrongly, gets a problem document that says why and nothing else; nothing is written. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { adminHandler, listen } from "../../src/admin/index.js";
import { answerOf, exchange, hangUp } from "./raw.js";
import { type Answer, type Serving, serving } from "./serving.js";

const TOKEN = "a token of 23 characters".replaceAll(" ", "-");

async function versionOf(admin: Serving): Promise<number> {
  return admin.database.read((reader) => reader.getReadVersion());
}

function expectProblem(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.body?.code]).toEqual([status, code]);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.body).toMatchObject({ status, type: `urn:stillwater:problem:${code}` });
  expect(answer.body.instance).toBe(`urn:stillwater:request:${answer.headers.get("x-request-id")}`);
  // No stack, no file of ours.
  expect(answer.text).not.toMatch(/node_modules|\.[jt]s[:)]|\bat .*:\d+:\d+/);
}

describe("a token", () => {
  it.each([
    ["none", {}],
    ["another", { authorization: "Bearer another-token-of-23-chars" }],
    ["the beginning of it", { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ["it and more", { authorization: `Bearer ${TOKEN}x` }],
    ["it under another scheme", { authorization: `Basic ${TOKEN}` }],
    ["it without a scheme", { authorization: TOKEN }],
    ["an empty one", { authorization: "Bearer " }],
  ])("is asked for: %s is refused on every route but health", async (_, headers) => {
    await using admin = await serving({ token: TOKEN });
    const version = await versionOf(admin);
    for (const [method, path] of [
      ["GET", "/v1/status"],
      ["PUT", "/v1/rows/a"],
      ["POST", "/v1/transactions"],
      ["GET", "/v1/nothing"],
      ["PATCH", "/v1/rows"],
    ] as const) {
      const body = method === "PUT" ? { value: "1" } : method === "POST" ? {} : undefined;
      const answer = await admin.ask(method, path, body, headers);
      expectProblem(answer, 401, "UNAUTHORIZED");
      expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="stillwater"');
      expect(answer.text).not.toContain(TOKEN);
    }
    expect((await admin.ask("GET", "/v1/health", undefined, headers)).status).toBe(200);
    expect(await versionOf(admin)).toBe(version);
  });

  it("that is right opens everything, whatever the case of the scheme", async () => {
    await using admin = await serving({ token: TOKEN });
    for (const scheme of ["Bearer", "bearer", "BEARER"])
      expect(
        (await admin.ask("GET", "/v1/status", undefined, { authorization: `${scheme} ${TOKEN}` })).status,
      ).toBe(200);
  });

  it.each(["short", "", "with a blank in it, and long", "ünïcödé-and-long-enough"])(
    "that could be guessed or is no header's value is refused at once: %j",
    async (token) => {
      await expect(serving({ token })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    },
  );

  it("is needed to listen beyond the loopback", async () => {
    await using admin = await serving();
    for (const host of ["0.0.0.0", "::", "192.0.2.1", "example.com"])
      await expect(listen(admin.handler, { host, hasToken: false })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
    const server = await listen(admin.handler, { host: "0.0.0.0", hasToken: true });
    await server.close(0);
  });
});

describe("pages of other origins", () => {
  it.each([
    ["whose name was pointed here", { host: "evil.example" }, "FORBIDDEN"],
    ["whose name was pointed here, with our port", { host: "evil.example:PORT" }, "FORBIDDEN"],
    ["whose name begins like ours", { host: "localhost.evil.example" }, "FORBIDDEN"],
    ["that send their origin", { origin: "http://evil.example" }, "FORBIDDEN"],
    ["in a sandbox", { origin: "null" }, "FORBIDDEN"],
    ["on another port of this machine", { origin: "http://127.0.0.1:1" }, "FORBIDDEN"],
    ["whose browser says so", { "sec-fetch-site": "cross-site" }, "FORBIDDEN"],
    ["of a neighbour", { "sec-fetch-site": "same-site" }, "FORBIDDEN"],
    ["without a usable name", { host: "a b" }, "BAD_REQUEST"],
    ["with a name and a user", { host: "user@127.0.0.1" }, "BAD_REQUEST"],
  ])("get nothing: %s", async (_, headers, code) => {
    await using admin = await serving();
    const version = await versionOf(admin);
    const lines = Object.entries({ host: `127.0.0.1:${admin.server.port}`, ...headers }).map(
      ([name, value]) => `${name}: ${value.replace("PORT", String(admin.server.port))}\r\n`,
    );
    for (const request of [
      "GET /v1/rows HTTP/1.1\r\n",
      "PUT /v1/rows/a HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 13\r\n",
    ]) {
      const body = request.startsWith("PUT") ? '{"value":"1"}' : "";
      const answer = answerOf(
        await exchange(admin.server, [`${request}${lines.join("")}Connection: close\r\n\r\n${body}`]),
      );
      expect(answer.body.code).toBe(code);
    }
    expect(await versionOf(admin)).toBe(version);
  });

  it("are told apart from our own, under every name of the loopback", async () => {
    await using admin = await serving();
    for (const host of ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"]) {
      const name = `${host}:${admin.server.port}`;
      const request = `GET /v1/health HTTP/1.1\r\nHost: ${name}\r\nOrigin: http://${name.toLowerCase()}\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n\r\n`;
      expect(answerOf(await exchange(admin.server, [request])).status).toBe(200);
    }
  });

  it("may not be told anything by CORS", async () => {
    await using admin = await serving();
    const answer = await admin.ask("OPTIONS", "/v1/rows", undefined, {
      "access-control-request-method": "PUT",
    });
    expectProblem(answer, 405, "METHOD_NOT_ALLOWED");
    expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

describe("a wrong request", () => {
  const WRONG: readonly (readonly [string, string, string, unknown, number, string])[] = [
    ["an unknown route", "GET", "/v1/nothing", undefined, 404, "UNKNOWN_ROUTE"],
    ["a route and a slash", "GET", "/v1/status/", undefined, 404, "UNKNOWN_ROUTE"],
    ["an unknown parameter", "GET", "/v1/rows?colour=red", undefined, 400, "BAD_REQUEST"],
    ["a parameter twice", "GET", "/v1/rows?limit=1&limit=2", undefined, 400, "BAD_REQUEST"],
    ["a parameter of the path again", "GET", "/v1/rows/a?key=b", undefined, 400, "BAD_REQUEST"],
    ["a limit that is no number", "GET", "/v1/rows?limit=ten", undefined, 400, "BAD_REQUEST"],
    ["a limit that is no whole number", "GET", "/v1/rows?limit=1.5", undefined, 400, "BAD_REQUEST"],
    ["a limit of nothing", "GET", "/v1/rows?limit=0", undefined, 400, "INVALID_ARGUMENT"],
    ["a limit of too much", "GET", "/v1/rows?limit=1001", undefined, 400, "INVALID_ARGUMENT"],
    ["a flag that is none", "GET", "/v1/rows?reverse=yes", undefined, 400, "BAD_REQUEST"],
    ["an unknown encoding", "GET", "/v1/rows/a?keyEncoding=rot13", undefined, 400, "INVALID_ARGUMENT"],
    [
      "a key that is not hexadecimal",
      "GET",
      "/v1/rows/xyz?keyEncoding=hex",
      undefined,
      400,
      "INVALID_ARGUMENT",
    ],
    ["half a byte", "GET", "/v1/rows/abc?keyEncoding=hex", undefined, 400, "INVALID_ARGUMENT"],
    ["a key with padding", "GET", "/v1/rows/YQ==?keyEncoding=base64url", undefined, 400, "INVALID_ARGUMENT"],
    [
      "bits behind the key's end",
      "GET",
      "/v1/rows/YR?keyEncoding=base64url",
      undefined,
      400,
      "INVALID_ARGUMENT",
    ],
    ["a percent sign alone", "GET", "/v1/rows/%", undefined, 400, "BAD_REQUEST"],
    ["a percent sign and no digits", "GET", "/v1/rows/%zz", undefined, 400, "BAD_REQUEST"],
    ["bytes that are not UTF-8", "GET", "/v1/rows/%ff", undefined, 400, "BAD_REQUEST"],
    ["half a surrogate pair", "GET", "/v1/rows/%ed%a0%80", undefined, 400, "BAD_REQUEST"],
    ["a value that is not UTF-8", "GET", "/v1/rows?from=%c0%80", undefined, 400, "BAD_REQUEST"],
    ["prefix and range", "GET", "/v1/rows?prefix=a&from=b", undefined, 400, "INVALID_ARGUMENT"],
    ["no such snapshot", "GET", "/v1/rows?snapshot=0", undefined, 404, "NOT_FOUND"],
    ["no such snapshot to delete", "DELETE", "/v1/snapshots/0", undefined, 404, "NOT_FOUND"],
    ["no value", "PUT", "/v1/rows/a", {}, 400, "INVALID_ARGUMENT"],
    ["a value that is a number", "PUT", "/v1/rows/a", { value: 1 }, 400, "INVALID_ARGUMENT"],
    ["half a surrogate pair as value", "PUT", "/v1/rows/a", '{"value":"\\ud800"}', 400, "INVALID_ARGUMENT"],
    ["a member too many", "PUT", "/v1/rows/a", { value: "1", ttl: 5 }, 400, "INVALID_ARGUMENT"],
    [
      "a member that is a parameter",
      "PUT",
      "/v1/rows/a",
      { value: "1", keyEncoding: "hex" },
      400,
      "BAD_REQUEST",
    ],
    ["a member that is in the path", "PUT", "/v1/rows/a", { value: "1", key: "b" }, 400, "BAD_REQUEST"],
    ["a body that is no JSON", "PUT", "/v1/rows/a", "{value}", 400, "BAD_REQUEST"],
    ["a body that is a list", "PUT", "/v1/rows/a", "[]", 400, "BAD_REQUEST"],
    ["a body that is null", "PUT", "/v1/rows/a", "null", 400, "BAD_REQUEST"],
    ["a body of nothing", "PUT", "/v1/rows/a", "", 400, "BAD_REQUEST"],
    ["a prototype", "PUT", "/v1/rows/a", '{"value":"1","__proto__":{"x":1}}', 400, "INVALID_ARGUMENT"],
    ["a nest", "POST", "/v1/transactions", `{"reads":${"[".repeat(9_000)}`, 400, "BAD_REQUEST"],
    ["a system key", "PUT", "/v1/rows/ff?keyEncoding=hex", { value: "01" }, 400, "KEY_OUTSIDE_LEGAL_RANGE"],
    ["a key too long", "PUT", `/v1/rows/${"k".repeat(10_001)}`, { value: "1" }, 400, "KEY_TOO_LARGE"],
    ["a value too long", "PUT", "/v1/rows/a", { value: "v".repeat(100_001) }, 400, "VALUE_TOO_LARGE"],
    [
      "a range upside down",
      "POST",
      "/v1/transactions",
      { writes: [{ type: "deleteRange", from: "b", to: "a" }] },
      400,
      "INVALID_ARGUMENT",
    ],
    [
      "an unknown step",
      "POST",
      "/v1/transactions",
      { writes: [{ type: "drop", key: "a" }] },
      400,
      "INVALID_ARGUMENT",
    ],
    [
      "a step that is not whole",
      "POST",
      "/v1/transactions",
      { writes: [{ type: "put", key: "a" }] },
      400,
      "INVALID_ARGUMENT",
    ],
    ["a time too long", "POST", "/v1/snapshots", { ttlMs: 600_001 }, 400, "INVALID_ARGUMENT"],
    ["a URL too long", "GET", `/v1/rows/${"k".repeat(100_000)}`, undefined, 414, "URL_TOO_LONG"],
    ["a token that is none", "GET", "/v1/rows?pageToken=abc", undefined, 400, "INVALID_PAGE_TOKEN"],
    ["a file of the server", "GET", "/assets/app.ts", undefined, 404, "UNKNOWN_ROUTE"],
  ];

  it("is answered by a problem document, and nothing is written", async () => {
    await using admin = await serving();
    await admin.ask("PUT", "/v1/rows/a", { value: "before" });
    const version = await versionOf(admin);
    for (const [what, method, path, body, status, code] of WRONG) {
      const answer = await admin.ask(method, path, body);
      expect([what, answer.status, answer.body?.code]).toEqual([what, status, code]);
      expectProblem(answer, status, code);
    }
    expect(await versionOf(admin)).toBe(version);
    expect(admin.errors).toEqual([]);
  });

  it("of a method that is none of its route's is told which are", async () => {
    await using admin = await serving();
    for (const [method, path, allow] of [
      ["POST", "/v1/rows", "GET, HEAD"],
      ["PATCH", "/v1/rows/a", "GET, HEAD, PUT, DELETE"],
      ["DELETE", "/v1/transactions", "POST"],
      ["PUT", "/openapi.json", "GET, HEAD"],
      ["PROPFIND", "/v1/status", "GET, HEAD"],
    ] as const) {
      const answer = await admin.ask(method, path);
      expectProblem(answer, 405, "METHOD_NOT_ALLOWED");
      expect(answer.headers.get("allow")).toBe(allow);
    }
  });

  it.each([
    ["no type", {}],
    ["text", { "content-type": "text/plain" }],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }],
    ["another character set", { "content-type": "application/json; charset=latin1" }],
    ["a compressed one", { "content-type": "application/json", "content-encoding": "gzip" }],
  ])("with a body of %s is refused", async (_, headers) => {
    await using admin = await serving();
    const answer = await admin.ask("PUT", "/v1/rows/a", '{"value":"1"}', { "content-type": "", ...headers });
    expectProblem(answer, 415, "UNSUPPORTED_MEDIA_TYPE");
  });

  it("leads nowhere outside of what is served", async () => {
    await using admin = await serving();
    for (const path of [
      "/../../../etc/passwd",
      "/assets/../../../package.json",
      "/assets/..%2f..%2f..%2fpackage.json",
      "/assets/%2e%2e/%2e%2e/package.json",
      "/assets/..\\..\\package.json",
      "/assets//etc/passwd",
      "/%00",
      "//evil.example/v1/status",
      "/v1/rows/../status",
      "/v1/../v1/status",
    ]) {
      const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`;
      const answer = answerOf(await exchange(admin.server, [request]));
      expect([path, answer.status]).toEqual([path, path.includes("\\") ? 400 : 404]);
    }
  });
});

describe("a page token", () => {
  it("is refused with any other query, at another snapshot, by another admin, and with any bit changed", async () => {
    await using admin = await serving();
    await using other = await serving();
    for (const one of [admin, other])
      for (const key of ["a", "b", "c", "d"]) await one.ask("PUT", `/v1/rows/${key}`, { value: key });
    const { id } = (await admin.ask("POST", "/v1/snapshots", {})).body;
    const token = (await admin.ask("GET", "/v1/rows?limit=2")).body.nextPageToken as string;
    const codeOf = async (one: Serving, query: string): Promise<unknown> =>
      (await one.ask("GET", `/v1/rows?${query}`)).body.code;
    expect(await codeOf(admin, `limit=1&pageToken=${token}`)).toBe(undefined);
    expect(await codeOf(other, `limit=2&pageToken=${token}`)).toBe("INVALID_PAGE_TOKEN");
    for (const query of ["reverse=true", "prefix=a", "from=a", "keyEncoding=hex", `snapshot=${id}`])
      expect(await codeOf(admin, `${query}&pageToken=${token}`)).toBe("INVALID_PAGE_TOKEN");
    const bytes = Buffer.from(token, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit += 11) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(await codeOf(admin, `pageToken=${changed.toString("base64url")}`)).toBe("INVALID_PAGE_TOKEN");
    }
    for (const text of ["", "%20", `${token}=`, `${token}A`, token.slice(0, -1), `${token}%0a`, ` ${token}`])
      expect(await codeOf(admin, `pageToken=${encodeURI(text).replaceAll("%25", "%")}`)).toBe(
        "INVALID_PAGE_TOKEN",
      );
  });
});

describe("a body", () => {
  it("beyond the limit is refused, whether its length is told before or not", async () => {
    await using admin = await serving({ bodyBytesMax: 1_000 });
    const version = await versionOf(admin);
    const body = JSON.stringify({ value: "v".repeat(2_000) });
    const head = "PUT /v1/rows/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n";
    const told = await exchange(admin.server, [`${head}Content-Length: ${body.length}\r\n\r\n`]);
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n`;
    const untold = await exchange(admin.server, [`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`]);
    for (const text of [told, untold]) {
      expect(answerOf(text)).toMatchObject({ status: 413, body: { code: "REQUEST_TOO_LARGE" } });
      expect(text.toLowerCase()).toContain("connection: close");
    }
    expect(await versionOf(admin)).toBe(version);
  });

  it("that does not come is not waited for", async () => {
    await using admin = await serving({ bodyTimeMs: 50 });
    const head =
      "PUT /v1/rows/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n";
    const answer = answerOf(await exchange(admin.server, [`${head}{"val`]));
    expect(answer).toMatchObject({ status: 408, body: { code: "REQUEST_TIMEOUT" } });
  });

  it("whose sender goes away writes nothing, and others are served on", async () => {
    await using admin = await serving();
    const version = await versionOf(admin);
    const head = "PUT /v1/rows/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n";
    await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        at % 2 === 0
          ? hangUp(admin.server, `${head}Content-Length: 13\r\n\r\n{"value":"1"`)
          : hangUp(admin.server, `${head}Transfer-Encoding: chunked\r\n\r\nc\r\n{"value":"1"\r\n`),
      ),
    );
    expect((await admin.ask("GET", "/v1/health")).body).toEqual({ status: "ok", version });
    expect(admin.errors).toEqual([]);
  });

  it("of a request that has none is refused", async () => {
    await using admin = await serving();
    const request =
      "DELETE /v1/rows/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    expect(answerOf(await exchange(admin.server, [request])).body.code).toBe("BAD_REQUEST");
  });
});

describe("bytes that two servers could read differently", () => {
  const HOST = "Host: 127.0.0.1\r\n";
  const JSON_TYPE = "Content-Type: application/json\r\n";
  it.each([
    [
      "two lengths",
      `PUT /v1/rows/a HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: 13\r\nContent-Length: 5\r\n\r\n{"value":"1"}`,
    ],
    [
      "a length and chunks",
      `PUT /v1/rows/a HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: 13\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nPUT /v1/rows/b HTTP/1.1\r\n\r\n`,
    ],
    [
      "chunks by another name",
      `PUT /v1/rows/a HTTP/1.1\r\n${HOST}${JSON_TYPE}Transfer-Encoding: chunked, identity\r\n\r\nd\r\n{"value":"1"}\r\n0\r\n\r\n`,
    ],
    [
      "a length with a sign",
      `PUT /v1/rows/a HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: +13\r\n\r\n{"value":"1"}`,
    ],
    [
      "a chunk of no length",
      `PUT /v1/rows/a HTTP/1.1\r\n${HOST}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
    ],
    ["a folded header", `GET /v1/rows HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`],
    ["a blank before the colon", `GET /v1/rows HTTP/1.1\r\n${HOST}X : a\r\n\r\n`],
    ["line feeds alone", "GET /v1/rows HTTP/1.1\nHost: 127.0.0.1\n\n"],
    ["a zero in a header", `GET /v1/rows HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`],
    ["a whole URL", `GET http://127.0.0.1/v1/rows HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`],
    ["a target that is none", `GET v1/rows HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`],
    ["no host", "GET /v1/rows HTTP/1.1\r\nConnection: close\r\n\r\n"],
    ["a blank in the target", `GET /v1/rows /x HTTP/1.1\r\n${HOST}\r\n`],
    ["no HTTP", "hello\r\n\r\n"],
    ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ])("are refused: %s", async (_, bytes) => {
    await using admin = await serving();
    const version = await versionOf(admin);
    const text = await exchange(admin.server, [Buffer.from(bytes, "latin1")]);
    const answer = answerOf(text);
    expect(answer).toMatchObject({ status: 400, body: { code: "BAD_REQUEST" } });
    expect(text.toLowerCase()).toContain("content-type: application/problem+json");
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(await versionOf(admin)).toBe(version);
    expect(admin.errors).toEqual([]);
  });

  it("are too many where headers do not end", async () => {
    await using admin = await serving();
    const request = `GET /v1/rows HTTP/1.1\r\n${HOST}${`X: ${"y".repeat(1_000)}\r\n`.repeat(200)}`;
    expect(answerOf(await exchange(admin.server, [request]))).toMatchObject({
      status: 431,
      body: { code: "HEADERS_TOO_LARGE" },
    });
  });

  it("of several requests at once are answered in their order", async () => {
    await using admin = await serving();
    const request = (path: string): string => `GET ${path} HTTP/1.1\r\n${HOST}`;
    const text = await exchange(admin.server, [
      `${request("/v1/health")}\r\n${request("/v1/nothing")}\r\n${request("/v1/rows")}Connection: close\r\n\r\n`,
    ]);
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      "200",
      "404",
      "200",
    ]);
  });
});

describe("the handler in a server of one's own", () => {
  it("answers as ours does, and leaves the global Request and Response alone", async () => {
    const { Request: before } = globalThis;
    await using admin = await serving();
    const handler = adminHandler(admin.database, { page: null });
    const server = createServer((request, response) => {
      if (request.url?.startsWith("/admin/")) {
        request.url = request.url.slice("/admin".length);
        handler(request, response);
      } else response.end("mine");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await (await fetch(`${url}/`)).text()).toBe("mine");
    expect((await (await fetch(`${url}/admin/v1/health`)).json()) as unknown).toMatchObject({ status: "ok" });
    expect(globalThis.Request).toBe(before);
    await new Promise((resolve) => server.close(resolve));
    handler.close();
  });

  it("refuses options that it does not know", async () => {
    await using admin = await serving();
    expect(() => adminHandler(admin.database, { tokens: "x" } as never)).toThrow(/no option "tokens"/);
  });
});
