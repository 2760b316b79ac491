/**
 * The MCP server: by the official client over pipes and as the real command, and line by line where a client would not go. Every
 * output that the client receives is checked by it against the tool's schema.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { OPERATIONS } from "../../src/admin/operations.js";
import { jsonOf, MAIN, stillwater, storeWithRows, temporaryFolder } from "../cli/command.js";
import { clientOf, INITIALIZE, type Json, type McpServing, mcpServing, problemIn } from "./mcp-serving.js";

const NAMES = OPERATIONS.map(({ name }) => name);
const CHANGING = OPERATIONS.filter(({ effect }) => effect !== "read").map(({ name }) => name);
const MODERN_META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};

describe.each([
  ["a client that initializes", "legacy", "2025-11-25"],
  ["a client that asks first what is spoken", "auto", "2026-07-28"],
] as const)("%s", (_, mode, version) => {
  it("finds every operation as a tool, with its schemas and whether it changes anything", async () => {
    await using served = await mcpServing();
    const client = clientOf(mode);
    await client.connect(served.transport);
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    expect(client.getServerVersion()).toMatchObject({ name: "stillwater", version: "1.2.3" });
    expect(client.getInstructions()).toContain("nextPageToken");
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(NAMES);
    const ajv = new Ajv2020({ strict: true, strictTypes: false });
    for (const tool of tools) {
      const operation = OPERATIONS.find(({ name }) => name === tool.name);
      expect([tool.inputSchema, tool.outputSchema]).toEqual([operation?.input, operation?.output]);
      expect([tool.inputSchema.type, (tool.outputSchema as Json).type]).toEqual(["object", "object"]);
      ajv.compile(tool.inputSchema);
      expect(tool.annotations).toMatchObject({
        readOnlyHint: operation?.effect === "read",
        destructiveHint: operation?.effect === "write",
      });
    }
    await client.close();
  });

  it("writes, reads and fails as over HTTP, with any bytes as keys and values", async () => {
    await using served = await mcpServing();
    const client = clientOf(mode);
    await client.connect(served.transport);
    await client.listTools();
    const call = (name: string, input: Record<string, unknown> = {}): Promise<Json> =>
      client.callTool({ name, arguments: input });
    const key = "00ff0a0d80";
    const put = await call("putRow", { key, keyEncoding: "hex", value: "_wA", valueEncoding: "base64url" });
    expect(put.structuredContent.created).toBe(true);
    expect(JSON.parse(put.content[0].text)).toEqual(put.structuredContent);
    expect(await hexAt(served, Buffer.from(key, "hex"))).toBe("ff00");
    const got = await call("getRow", { key, keyEncoding: "hex" });
    expect(got.structuredContent.row).toMatchObject({ key, value: "ff00", valueEncoding: "hex" });
    // Not UTF-8, so not shown as if it were.
    const listed = await call("listRows");
    expect(listed.structuredContent.rows[0]).toMatchObject({ keyEncoding: "base64url" });
    for (const [name, input, code] of [
      ["getRow", { key: "absent" }, "NOT_FOUND"],
      ["getRow", {}, "INVALID_ARGUMENT"],
      ["getRow", { key: "zz", keyEncoding: "hex" }, "INVALID_ARGUMENT"],
      ["listRows", { pageToken: "forged" }, "INVALID_PAGE_TOKEN"],
      ["getCollection", { name: "Nobody" }, "NOT_FOUND"],
      ["runTransaction", { expect: [{ key: "a", value: "1" }] }, "PRECONDITION_FAILED"],
      ["createBackup", {}, "NOT_SUPPORTED"],
    ] as const) {
      const problem = problemIn(await call(name, input));
      expect([name, problem.code, problem.type]).toEqual([name, code, `urn:stillwater:problem:${code}`]);
    }
    await expect(call("dropEverything")).rejects.toMatchObject({ code: -32_602 });
    for (const name of ["getHealth", "getStatus", "getMetrics", "listTables", "listCollections"])
      expect((await call(name)).isError).toBe(false);
    await client.close();
  });
});

describe("the MCP server", () => {
  it("where nothing may be changed lists what changes nothing, and refuses the rest by code", async () => {
    await using served = await mcpServing({ readOnly: true });
    const client = clientOf();
    await client.connect(served.transport);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(NAMES.filter((name) => !CHANGING.includes(name)));
    expect(tools.every(({ annotations }) => annotations?.readOnlyHint === true)).toBe(true);
    await served.put("a", "before");
    for (const [name, input] of Object.entries({
      putRow: { key: "a", value: "1" },
      deleteRow: { key: "a" },
      runTransaction: { writes: [{ type: "put", key: "a", value: "1" }] },
      putDocument: { name: "User", key: "1", document: {} },
      deleteDocument: { name: "User", key: "1" },
      runCompaction: {},
      createBackup: {},
    }))
      expect(problemIn(await client.callTool({ name, arguments: input })).code).toBe("READ_ONLY");
    expect(CHANGING.length).toBe(7);
    expect(await hexAt(served, Buffer.from("a"))).toBe(Buffer.from("before").toString("hex"));
    await client.close();
  });

  it("tells the client of an unexpected error nothing but a number, under which the server has it", async () => {
    await using served = await mcpServing({
      target: (database) =>
        new Proxy(database, {
          get: (owner, name) => {
            if (name === "transact") throw new TypeError("a secret of /home/somebody");
            const value: unknown = Reflect.get(owner, name, owner);
            return typeof value === "function" ? value.bind(owner) : value;
          },
        }),
    });
    await served.ask(1, "initialize", INITIALIZE);
    const { result } = await served.ask(2, "tools/call", {
      name: "putRow",
      arguments: { key: "a", value: "1" },
    });
    const problem = problemIn(result);
    expect(problem.code).toBe("INTERNAL");
    expect(JSON.stringify(problem)).not.toMatch(/secret|somebody|TypeError/);
    expect(served.errors).toMatchObject([{ message: "a secret of /home/somebody" }]);
  });

  it.each([
    ["2025-11-25", "2025-11-25"],
    ["2025-06-18", "2025-06-18"],
    ["2024-11-05", "2024-11-05"],
    ["1999-01-01", "2025-11-25"],
  ])("initialized with %s speaks %s", async (asked, spoken) => {
    await using served = await mcpServing();
    const { result } = await served.ask(1, "initialize", { ...INITIALIZE, protocolVersion: asked });
    expect([result.protocolVersion, result.capabilities]).toEqual([
      spoken,
      { tools: { listChanged: false } },
    ]);
    served.send('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
    expect((await served.ask(2, "tools/list")).result.tools.length).toBe(NAMES.length);
    expect((await served.ask(3, "initialize", INITIALIZE)).error.code).toBe(-32_600);
  });

  it("serves requests that name their revision without a handshake, and names those that it speaks", async () => {
    await using served = await mcpServing();
    const named = (id: number, method: string, meta: unknown, rest = {}): Promise<Json> =>
      served.ask(id, method, { ...rest, _meta: meta });
    const { result } = await named(1, "tools/call", MODERN_META, { name: "getHealth" });
    expect(result).toMatchObject({ resultType: "complete", isError: false });
    expect(result._meta["io.modelcontextprotocol/serverInfo"].name).toBe("stillwater");
    const future = { ...MODERN_META, "io.modelcontextprotocol/protocolVersion": "2100-01-01" };
    expect((await named(2, "tools/list", future)).error).toMatchObject({
      code: -32_022,
      data: { supported: ["2026-07-28"], requested: "2100-01-01" },
    });
    const half = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };
    expect((await named(3, "tools/list", half)).error.code).toBe(-32_602);
    // Gone from that revision.
    expect((await named(4, "ping", MODERN_META)).error.code).toBe(-32_601);
    expect((await named(5, "tools/list", MODERN_META)).result).toMatchObject({ cacheScope: "private" });
  });

  it.each([
    ["no JSON", "{", null, -32_700],
    ["a torn message", '{"jsonrpc":"2.0","id":1,"method":"pi', null, -32_700],
    ["no UTF-8", new Uint8Array([0x22, 0xff, 0x22]), null, -32_700],
    ["no object", "7", null, -32_600],
    ["a batch, in a revision without them", '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', null, -32_600],
    ["an empty batch", "[]", null, -32_600],
    ["another protocol", '{"jsonrpc":"1.0","id":1,"method":"ping"}', 1, -32_600],
    ["no method", '{"jsonrpc":"2.0","id":1}', 1, -32_600],
    ["an id that is none", '{"jsonrpc":"2.0","id":{},"method":"ping"}', null, -32_600],
    ["an id of null", '{"jsonrpc":"2.0","id":null,"method":"ping"}', null, -32_600],
    ["params in a list", '{"jsonrpc":"2.0","id":"a","method":"ping","params":[]}', "a", -32_602],
    ["a method that is none", '{"jsonrpc":"2.0","id":1,"method":"resources/list"}', 1, -32_601],
    ["a method of everything's", '{"jsonrpc":"2.0","id":1,"method":"__proto__"}', 1, -32_601],
    ["no tool", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}', 1, -32_602],
    [
      "arguments in a list",
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getRow","arguments":[]}}',
      1,
      -32_602,
    ],
    ["a cursor", '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}', 1, -32_602],
    [
      "depth",
      `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${"[".repeat(90)}${"]".repeat(90)}}}`,
      1,
      -32_600,
    ],
  ])("answers %s with a code, and goes on", async (_, line, id, code) => {
    await using served = await mcpServing();
    await served.ask("first", "initialize", INITIALIZE);
    served.send(line);
    served.send("\n");
    expect(await served.receive()).toMatchObject({ jsonrpc: "2.0", id, error: { code } });
    expect((await served.ask("last", "ping")).result).toEqual({});
  });

  it("answers nothing before initialize but ping, and nothing at all to notifications, answers and empty lines", async () => {
    await using served = await mcpServing();
    expect((await served.ask(1, "tools/list")).error.code).toBe(-32_602);
    expect((await served.ask(2, "initialize", { protocolVersion: 1 })).error.code).toBe(-32_602);
    for (const quiet of [
      '{"jsonrpc":"2.0","method":"notifications/made-up","params":{}}',
      '{"jsonrpc":"2.0","method":"tools/call","params":[]}',
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}',
      '{"jsonrpc":"2.0","id":5,"result":{}}',
      "",
      "\r",
    ])
      served.send(`${quiet}\n`);
    expect((await served.ask(3, "ping")).id).toBe(3);
    expect(await served.end()).toEqual([]);
  });

  it("takes lines in any pieces, skips one that is too long, and answers batches where the revision has them", async () => {
    await using served = await mcpServing();
    const initialize = {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { ...INITIALIZE, protocolVersion: "2025-03-26" },
    };
    for (const byte of Buffer.from(`${JSON.stringify(initialize)}\r\n`)) served.send(new Uint8Array([byte]));
    expect((await served.receive()).result.protocolVersion).toBe("2025-03-26");
    const piece = "x".repeat(1024 * 1024);
    for (let count = 0; count < 17; count++) served.send(piece);
    served.send('\n{"jsonrpc":"2.0","id":2,"method":"ping"}\n[{"jsonrpc":"2.0","id":3,"method":"ping"},');
    served.send(
      '{"jsonrpc":"2.0","method":"notifications/initialized"},{"jsonrpc":"2.0","id":4,"method":"no"}]\n',
    );
    const answers = [await served.receive(), await served.receive(), await served.receive()];
    expect(answers.find(({ id }) => id === null).error.code).toBe(-32_600);
    expect(answers.find(({ id }) => id === 2).result).toEqual({});
    expect(answers.find(Array.isArray)).toMatchObject([
      { id: 3, result: {} },
      { id: 4, error: { code: -32_601 } },
    ]);
  });

  it("does not answer what was cancelled, and answers everything else that was begun before the input ended", async () => {
    await using served = await mcpServing();
    await served.ask("begin", "initialize", INITIALIZE);
    const put = (id: number): string =>
      `${JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { name: "putRow", arguments: { key: `k${id}`, value: "" } } })}\n`;
    served.send(
      `${put(1)}${put(1)}{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}\n`,
    );
    for (let id = 2; id < 200; id++) served.send(put(id));
    const answers = await served.end();
    // The id was taken, which is said at once; the call itself was cancelled.
    expect(answers.filter(({ id }) => id === 1)).toMatchObject([{ error: { code: -32_600 } }]);
    const done = answers.filter(({ result }) => result?.isError === false).map(({ id }) => id as number);
    expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: 198 }, (_, at) => at + 2));
    // What has begun goes to its end.
    expect(await hexAt(served, Buffer.from("k1"))).toBe("");
  });

  it("sends a long output once, in structured form", async () => {
    await using served = await mcpServing();
    for (let key = 10; key < 26; key++) await served.put(String(key), "v".repeat(70_000));
    await served.ask(1, "initialize", INITIALIZE);
    const { result } = await served.ask(2, "tools/call", {
      name: "listRows",
      arguments: { valueLimitBytes: 1_000_000 },
    });
    expect(result.structuredContent.rows.map(({ valueBytes }: Json) => valueBytes)).toEqual(
      Array.from({ length: 16 }, () => 70_000),
    );
    expect(result.content[0].text.length).toBeLessThan(200);
  });

  it("ends when it is told to stop, and fails with what its output fails with", async () => {
    await using stopped = await mcpServing();
    await stopped.ask(1, "initialize", INITIALIZE);
    stopped.stop();
    await expect(stopped.over).resolves.toBeUndefined();
    await using broken = await mcpServing();
    await broken.transport.start();
    const refuse = (): never => {
      throw new Error("nobody reads");
    };
    Object.assign(broken.transport, { onmessage: refuse });
    broken.send('{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
    await expect(broken.over).rejects.toThrow("nobody reads");
  });
});

describe("the command", () => {
  const folder = temporaryFolder();

  it.each(["legacy", "auto"] as const)("serves the official client, %s, until it closes", async (mode) => {
    const store = join(folder, mode);
    await storeWithRows(store, 3);
    const client = clientOf(mode);
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [MAIN, "mcp", store, "--backups", join(folder, `${mode}-backups`)],
      }),
    );
    expect((await client.listTools()).tools.length).toBe(NAMES.length);
    const put: Json = await client.callTool({
      name: "putRow",
      arguments: { key: "new", value: "by a tool" },
    });
    expect(put.structuredContent.created).toBe(true);
    const backup: Json = await client.callTool({ name: "createBackup", arguments: { note: "asked for" } });
    expect(backup.structuredContent.backup.note).toBe("asked for");
    await client.close();
    expect(jsonOf(["get", store, "new"])["value"]).toBe("by a tool");
  });

  it("ends at a signal and at the end of its input, with nothing on standard output but answers", async () => {
    const store = join(folder, "signals");
    await storeWithRows(store, 1);
    for (const way of ["SIGINT", "SIGTERM", "end"] as const) {
      const child = spawn(process.execPath, [MAIN, "mcp", store], { stdio: ["pipe", "pipe", "pipe"] });
      const exit = once(child, "exit");
      const lines = linesOf(child);
      const errors: string[] = [];
      child.stderr.on("data", (chunk) => errors.push(String(chunk)));
      child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
      await once(child.stdout, "data");
      if (way === "end") child.stdin.end();
      else child.kill(way);
      expect([way, (await exit)[0], errors]).toEqual([way, 0, []]);
      expect(lines).toEqual(['{"jsonrpc":"2.0","id":1,"result":{}}']);
    }
  });

  it("with --read-only reads beside the program that has the store open, which another without it may not", async () => {
    await using served = await mcpServing();
    await served.put("a", "1");
    const messages = [
      { jsonrpc: "2.0", id: 1, method: "initialize", params: INITIALIZE },
      { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "getRow", arguments: { key: "a" } } },
      { jsonrpc: "2.0", id: 3, method: "tools/call", params: { name: "deleteRow", arguments: { key: "a" } } },
    ];
    const input = messages.map((message) => JSON.stringify(message)).join("\n");
    const { code, out, error } = stillwater(["mcp", served.directory, "--read-only"], input);
    const answers = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Json);
    const resultOf = (wanted: number): Json => answers.find(({ id }) => id === wanted).result;
    expect([code, error, answers.length]).toEqual([0, "", 3]);
    expect(resultOf(2).structuredContent.row.value).toBe("1");
    expect(problemIn(resultOf(3)).code).toBe("READ_ONLY");
    expect(stillwater(["mcp", served.directory], input)).toMatchObject({
      code: 1,
      out: "",
      error: expect.stringContaining("LOCKED"),
    });
  });

  it("creates no store, and says so on standard error alone", () => {
    expect(stillwater(["mcp", join(folder, "nothing")])).toMatchObject({
      code: 1,
      out: "",
      error: expect.stringContaining("NOT_A_STORE"),
    });
  });
});

function linesOf({ stdout }: ChildProcess): string[] {
  const lines: string[] = [];
  if (stdout !== null) createInterface({ input: stdout }).on("line", (line) => lines.push(line));
  return lines;
}

/** Null: there is no such row. */
async function hexAt(served: McpServing, key: Uint8Array): Promise<string | null> {
  const value = await served.get(key);
  return value === undefined ? null : Buffer.from(value).toString("hex");
}
