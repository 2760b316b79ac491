/** `get`, `put` and `delete`. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { jsonOf, stillwater, temporaryFolder } from "./command.js";

const folder = temporaryFolder();
const store = join(folder, "store");
const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);

describe("put, get and delete", () => {
  it("put creates the store and says nothing; get prints exactly the value", () => {
    expect(stillwater(["put", store, "größe", "zwölf"])).toEqual({ code: 0, out: "", error: "" });
    expect(stillwater(["get", store, "größe"])).toEqual({ code: 0, out: "zwölf", error: "" });
    expect(stillwater(["get", `${store}/`, "größe"]).out).toBe("zwölf");
  });

  it("any bytes go in from a file or standard input and come out unchanged", () => {
    const file = join(folder, "bytes");
    writeFileSync(file, bytes);
    expect(stillwater(["put", store, "file", "--file", file]).code).toBe(0);
    expect(stillwater(["put", store, "input", "-"], bytes).code).toBe(0);
    const hex = Buffer.from(bytes).toString("hex");
    expect(stillwater(["get", store, "--hex", Buffer.from("file").toString("hex")]).out).toBe(`${hex}\n`);
    expect(jsonOf(["get", store, "--base64", btoa("input")])).toEqual({
      key: btoa("input"),
      value: Buffer.from(bytes).toString("base64"),
      readOnly: false,
    });
  });

  it("a value that is no text is not printed as JSON text, but refused with advice", () => {
    stillwater(["put", store, "--hex", "6e6f", "ff00"]);
    const { code, out, error } = stillwater(["get", store, "no", "--json"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(error).toContain("is not UTF-8 text (it begins with hex ff00). Use another encoding");
  });

  it("a key that is not there: get ends with code 1, delete with 0", () => {
    const { code, out, error } = stillwater(["get", store, "absent"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(error).toMatch(/^stillwater: NOT_FOUND: there is no key "absent" in /);
    expect(jsonOf(["delete", store, "absent"])).toEqual({ version: expect.any(Number), existed: false });
  });

  it("delete removes, and versions grow from command to command", () => {
    const put = jsonOf(["put", store, "mortal", "x"]);
    const removed = jsonOf(["delete", store, "mortal"]);
    expect(put).toEqual({ version: expect.any(Number) });
    expect(removed).toEqual({ version: (put["version"] as number) + 1, existed: true });
    expect(stillwater(["get", store, "mortal"]).code).toBe(1);
  });

  it.each([
    { args: ["key"], error: "give one value" },
    { args: ["key", "value", "--file", "x"], error: "give one value" },
    { args: ["6", "00", "--hex"], error: "the key is not hexadecimal" },
    { args: ["00", "zz", "--hex"], error: "the value is not hexadecimal" },
    { args: ["YQ", "YQ==", "--base64"], error: "the key is not base64" },
  ])("wrong usage of put ($args) creates nothing: exit code 2", ({ args, error }) => {
    const fresh = join(folder, "fresh");
    const outcome = stillwater(["put", fresh, ...args]);
    expect(outcome.code).toBe(2);
    expect(outcome.error).toContain(`stillwater: USAGE: ${error}`);
    expect(existsSync(fresh)).toBe(false);
  });

  it("a file that is not there is an error with its name, and creates nothing", () => {
    const fresh = join(folder, "fresh");
    const outcome = stillwater(["put", fresh, "key", "--file", join(folder, "absent")]);
    expect(outcome.code).toBe(1);
    expect(outcome.error).toMatch(/^stillwater: NOT_FOUND: read of .*absent failed/);
    expect(existsSync(fresh)).toBe(false);
  });
});
