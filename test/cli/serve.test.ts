/** `stillwater serve`: where it listens, whom it asks for a token, how it ends. The built command, as its users run it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { openReadOnly } from "../../src/index.js";
import { jsonOf, MAIN, stillwater, storeWithRows, temporaryFolder } from "./command.js";

const folder = temporaryFolder();
const TOKEN = "0123456789abcdef-token";

interface Served extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly url: string;
  readonly told: {
    readonly url: string;
    readonly host: string;
    readonly port: number;
    readonly token: boolean;
  };
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Resolves with the exit code. */
  end(signal: "SIGINT" | "SIGTERM"): Promise<number | null>;
}

async function serve(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Served> {
  const child = spawn(process.execPath, [MAIN, "serve", ...args, "--port", "0", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, STILLWATER_TOKEN: undefined, ...environment },
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, "line")) as [string];
  const told = JSON.parse(line) as Served["told"];
  const end = async (signal: "SIGINT" | "SIGTERM" | "SIGKILL"): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    child.kill(signal);
    const [code] = (await once(child, "exit")) as [number | null];
    return code;
  };
  return {
    child,
    url: told.url,
    told,
    ask: (path, init) => fetch(`${told.url}${path}`, init),
    end,
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
    },
  };
}

describe("serve", () => {
  it("serves page, API and document of a store on the loopback, and ends with what was written durable", async () => {
    const store = join(folder, "served");
    await storeWithRows(store, 10);
    await using served = await serve([store]);
    expect(served.told).toMatchObject({ host: "127.0.0.1", token: false });
    const page = await served.ask("/");
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect((await served.ask("/openapi.json")).status).toBe(200);
    const put = await served.ask("/v1/rows/written", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: '{"value":"over HTTP"}',
    });
    expect(put.status).toBe(201);
    expect(stillwater(["put", store, "written", "past it"])).toMatchObject({
      code: 1,
      error: expect.stringContaining("LOCKED"),
    });
    expect(await served.end("SIGTERM")).toBe(0);
    expect(jsonOf(["get", store, "written"])["value"]).toBe("over HTTP");
  });

  it("asks for the token of a file or the environment, and says it nowhere", async () => {
    const store = join(folder, "guarded");
    await storeWithRows(store, 1);
    const file = join(folder, "token");
    writeFileSync(file, `${TOKEN}\n`);
    for (const [args, environment] of [
      [["--token-file", file], {}],
      [[], { STILLWATER_TOKEN: TOKEN }],
    ] as const) {
      await using served = await serve([store, ...args], environment);
      expect(served.told.token).toBe(true);
      expect(JSON.stringify(served.told)).not.toContain(TOKEN);
      const refused = await served.ask("/v1/status");
      expect(refused.status).toBe(401);
      expect(await refused.text()).not.toContain(TOKEN);
      expect((await served.ask("/v1/status", { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(
        200,
      );
      expect(await served.end("SIGINT")).toBe(0);
    }
  });

  it("with --read-only shows a store that another process has open, and writes nothing", async () => {
    const store = join(folder, "shared");
    await storeWithRows(store, 3);
    await using owner = await serve([store]);
    await using reader = await serve([store, "--read-only"]);
    const body = { method: "PUT", headers: { "content-type": "application/json" }, body: '{"value":"new"}' };
    expect((await owner.ask("/v1/rows/a", body)).status).toBe(201);
    const row = (await (await reader.ask("/v1/rows/a")).json()) as {
      readonly row: { readonly value: string };
    };
    expect(row.row.value).toBe("new");
    const refused = await reader.ask("/v1/rows/a", body);
    expect([refused.status, ((await refused.json()) as { readonly code: string }).code]).toEqual([
      403,
      "READ_ONLY",
    ]);
    expect(await reader.end("SIGTERM")).toBe(0);
    expect(await owner.end("SIGTERM")).toBe(0);
    await using after = await openReadOnly(store);
    expect(Buffer.from((await after.get(Buffer.from("a"))) ?? []).toString()).toBe("new");
  });

  it.each([
    ["beyond the loopback without a token", ["--host", "0.0.0.0"], "INVALID_ARGUMENT"],
    ["a port that is none", ["--port", "70000"], "USAGE"],
    ["a token file that is not there", ["--token-file", "/nowhere/token"], "NOT_FOUND"],
  ])("is refused: %s", async (_, args, code) => {
    const store = join(folder, `refused-${args[0]}`);
    await storeWithRows(store, 1);
    const { code: exit, error } = stillwater(["serve", store, ...args]);
    expect([exit === 0, error.includes(code)]).toEqual([false, true]);
  });

  it("creates no store", () => {
    expect(stillwater(["serve", join(folder, "nothing")])).toMatchObject({
      code: 1,
      error: expect.stringContaining("NOT_A_STORE"),
    });
  });
});
