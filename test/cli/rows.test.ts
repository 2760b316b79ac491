/** `scan`, `export` and `import`. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { jsonOf, MAIN, rowOf, stillwater, storeWithRows, temporaryFolder } from "./command.js";

const folder = temporaryFolder();
const store = join(folder, "store");
const ROWS = 2500;

beforeAll(() => storeWithRows(store, ROWS));

function keysOf(...args: string[]): string[] {
  const { code, out } = stillwater(["scan", store, "--keys-only", ...args]);
  expect(code).toBe(0);
  return out.split("\n").slice(0, -1);
}

describe("scan", () => {
  it("prints all rows in key order, key and value apart by a tab", () => {
    const { code, out } = stillwater(["scan", store]);
    const expected = Array.from({ length: ROWS }, (_, number) => `${rowOf(number).join("\t")}\n`);
    expect({ code, out }).toEqual({ code: 0, out: expected.join("") });
  });

  it.each([
    { args: ["--prefix", "key-0123"], from: 1230, to: 1240 },
    { args: ["--gte", "key-00003", "--lt", "key-00006"], from: 3, to: 6 },
    { args: ["--gt", "key-00003", "--lte", "key-00006"], from: 4, to: 7 },
    { args: ["--gt", "key-02490", "--limit", "3"], from: 2491, to: 2494 },
    { args: ["--prefix", "nothing"], from: 0, to: 0 },
  ])("keeps to the range $args", ({ args, from, to }) => {
    expect(keysOf(...args)).toEqual(Array.from({ length: to - from }, (_, i) => rowOf(from + i)[0]));
  });

  it("goes backwards, and limits from there", () => {
    expect(keysOf("--reverse", "--limit", "2")).toEqual([rowOf(2499)[0], rowOf(2498)[0]]);
  });

  it("prints objects that import takes, a line each, with --json", () => {
    const [key, value] = rowOf(7);
    expect(stillwater(["scan", store, "--json", "--gte", key, "--limit", "1"]).out).toBe(
      `${JSON.stringify({ key, value })}\n`,
    );
  });

  it("shows a row on one line whatever is in it, and bytes of any prefix are found", () => {
    const odd = join(folder, "odd");
    stillwater(["put", odd, "--hex", "ff61", "0a5c09"]);
    stillwater(["put", odd, "--hex", "ffff", "e282ac"]);
    expect(stillwater(["scan", odd]).out).toBe("\\xffa\t\\x0a\\x5c\\x09\n\\xff\\xff\t€\n");
    expect(stillwater(["scan", odd, "--hex", "--prefix", "ff"]).out).toBe("ff61\t0a5c09\nffff\te282ac\n");
  });

  it("ends quietly when its reader goes away", async () => {
    const child = spawn(process.execPath, [MAIN, "scan", store], { stdio: ["ignore", "pipe", "pipe"] });
    let error = "";
    child.stderr.on("data", (data: Buffer) => {
      error += data.toString();
    });
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((resolve) => {
      child.on("close", resolve);
    });
    expect({ code, error }).toEqual({ code: 0, error: "" });
  });

  it.each([
    ["--limit", "x"],
    ["--prefix", "a", "--gte", "b"],
    ["--gt", "a", "--gte", "b"],
  ])("refuses %s %s %s %s: exit code 2", (...args) => {
    expect(stillwater(["scan", store, ...args.filter((arg) => arg !== undefined)]).code).toBe(2);
  });
});

describe("export and import", () => {
  it("carry a store over, row by row", () => {
    const file = join(folder, "rows.json");
    const copy = join(folder, "copy");
    expect(jsonOf(["export", store, file])).toEqual({
      rows: ROWS,
      version: expect.any(Number),
      file,
      readOnly: false,
    });
    expect(jsonOf(["import", copy, file])).toEqual({ rows: ROWS, batches: 3, version: expect.any(Number) });
    expect(stillwater(["export", copy]).out).toBe(readFileSync(file, "utf8"));
  });

  it("carry any bytes over, in base64", () => {
    const source = join(folder, "binary");
    const target = join(folder, "binary-copy");
    stillwater(["put", source, "--hex", "00ff", "fffe0a"]);
    const plain = stillwater(["export", source]);
    expect(plain.code).toBe(1);
    expect(plain.error).toContain("a key is not UTF-8 text");
    const { out } = stillwater(["export", source, "--base64"]);
    expect(stillwater(["import", target, "--base64"], out).code).toBe(0);
    expect(stillwater(["scan", target, "--hex"]).out).toBe("00ff\tfffe0a\n");
  });

  it("export neither replaces a file unasked nor leaves half of one", () => {
    const file = join(folder, "precious");
    writeFileSync(file, "precious");
    const refused = stillwater(["export", store, file]);
    expect(refused.code).toBe(1);
    expect(refused.error).toMatch(/^stillwater: EXISTS: .*precious exists already/);
    expect(readFileSync(file, "utf8")).toBe("precious");
    expect(stillwater(["export", store, file, "--force", "--limit", "1"]).code).toBe(0);
    expect(readFileSync(file, "utf8").split("\n")).toHaveLength(2);
    expect(stillwater(["export", join(folder, "binary"), join(folder, "half")]).code).toBe(1);
    expect(existsSync(join(folder, "half"))).toBe(false);
    expect(existsSync(join(folder, "half.partial"))).toBe(false);
  });

  it("import of a file that is not there creates nothing", () => {
    const target = join(folder, "never");
    const { code, error } = stillwater(["import", target, join(folder, "absent.json")]);
    expect(code).toBe(1);
    expect(error).toMatch(/^stillwater: NOT_FOUND: read of .*absent\.json failed/);
    expect(existsSync(target)).toBe(false);
  });

  it("import takes empty lines, a last line without an end, and line separators inside of texts", () => {
    const target = join(folder, "lines");
    const input = '{"key":"a","value":"1\u2028\u00852"}\n\n \r\n{"value":"","key":""}';
    expect(jsonOf(["import", target], input)).toMatchObject({ rows: 2 });
    expect(stillwater(["get", target, "a"]).out).toBe("1\u2028\u00852");
    expect(stillwater(["get", target, ""])).toMatchObject({ code: 0, out: "" });
  });

  it.each([
    { line: "{", fault: "is not JSON" },
    { line: "[1]", fault: "is not a JSON object" },
    { line: '{"key":"k"}', fault: '"value" is missing' },
    { line: '{"key":1,"value":""}', fault: '"key" is not a string' },
    { line: '{"key":"k","value":"","ttl":1}', fault: 'has the field "ttl"' },
    { line: '{"key":"\\ud800","value":""}', fault: '"key" is not valid Unicode text' },
    { line: `{"key":"${"k".repeat(70_000)}","value":""}`, fault: "a key holds at most" },
  ])("import of a line that $fault names the line, and nothing is stored of its batch", ({ line, fault }) => {
    const target = join(folder, `bad-${fault.replaceAll(/\W/g, "")}`);
    const { code, out, error } = stillwater(["import", target], `{"key":"a","value":"b"}\n${line}\n`);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(error).toContain(`stillwater: INVALID_ARGUMENT: line 2 of standard input`);
    expect(error).toContain(fault);
    expect(error).toContain("Nothing has been stored.");
  });

  it("import keeps the batches before a bad line, and says up to where", () => {
    const target = join(folder, "cut");
    const file = join(folder, "cut.json");
    const lines = Array.from({ length: 2345 }, (_, number) => {
      const [key, value] = rowOf(number);
      return JSON.stringify({ key, value });
    });
    const offset = lines.join("\n").length + 1;
    writeFileSync(file, `${lines.join("\n")}\nnonsense\n`);
    const { code, error } = stillwater(["import", target, file, "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(error)).toEqual({
      error: { code: "INVALID_ARGUMENT", message: expect.any(String), path: file, offset },
    });
    expect(error).toContain("line 2346 of");
    expect(error).toContain("2,000 rows up to line 2000 are stored and stay; nothing after that line is.");
    expect(stillwater(["scan", target, "--keys-only"]).out.split("\n")).toHaveLength(2001);
  });
});
