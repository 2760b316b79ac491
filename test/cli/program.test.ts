/** The frame of the program: help, version, exit codes, the form of errors, and when the simulator is loaded. */

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT, stillwater, temporaryFolder } from "./command.js";

const folder = temporaryFolder();
const nowhere = join(folder, "nowhere");

describe("stillwater", () => {
  it("lists every command in its help, and is fine with being asked", () => {
    const { code, out } = stillwater(["--help"]);
    expect(code).toBe(0);
    const commands =
      "get put delete scan import export stats verify compact backup checkpoint restore salvage sim".split(
        " ",
      );
    for (const command of commands) expect(out).toMatch(new RegExp(`^  ${command} .*\\w`, "m"));
  });

  it("prints the version of the package", () => {
    expect(stillwater(["--version"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it.each([
    { args: [], error: "Usage: stillwater" },
    { args: ["frobnicate"], error: "stillwater: USAGE: unknown command 'frobnicate'" },
    { args: ["get"], error: "stillwater: USAGE: missing required argument 'dir'" },
    { args: ["get", "x", "k", "--nonsense"], error: "stillwater: USAGE: unknown option '--nonsense'" },
    { args: ["get", "x", "k", "--hex", "--base64"], error: "cannot be used with option" },
  ])("takes $args for wrong usage: exit code 2", ({ args, error }) => {
    const outcome = stillwater(args);
    expect(outcome).toMatchObject({ code: 2, out: "" });
    expect(outcome.error).toContain(error);
  });

  it.each([["get", "k"], ["delete", "k"], ["scan"], ["export"], ["stats"], ["verify"], ["compact"]])(
    "never creates a store to %s in it: exit code 1",
    (command, ...rest) => {
      const outcome = stillwater([command as string, nowhere, ...rest]);
      expect(outcome).toMatchObject({ code: 1, out: "" });
      expect(outcome.error).toMatch(/^stillwater: NOT_A_STORE: there is nothing at .*nowhere/);
    },
  );

  it("reports errors as an object with --json", () => {
    const { code, out, error } = stillwater(["stats", nowhere, "--json"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(JSON.parse(error)).toEqual({
      error: { code: "NOT_A_STORE", message: expect.any(String), path: nowhere, offset: null },
    });
    expect(JSON.parse(stillwater(["stats", "--json"]).error)).toEqual({
      error: { code: "USAGE", message: "missing required argument 'dir'", path: null, offset: null },
    });
  });
});

describe("the simulator", () => {
  it("is not needed to print help, and its absence is a fault of the harness: exit code 127", () => {
    const copy = join(folder, "copy");
    mkdirSync(join(copy, "dist"), { recursive: true });
    cpSync(join(ROOT, "dist/src"), join(copy, "dist/src"), { recursive: true });
    cpSync(join(ROOT, "package.json"), join(copy, "package.json"));
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
    const run = (...args: string[]): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, [join(copy, "dist/src/cli/main.js"), ...args], { encoding: "utf8" });
    expect(run("--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("sim ") });
    expect(run("sim", "--help").status).toBe(127);
  });

  it("is loaded for sim, from the instrumented build", () => {
    expect(stillwater(["sim", "--help"])).toMatchObject({
      code: 0,
      out: expect.stringContaining("Usage: stillwater sim"),
    });
    expect(stillwater(["sim", "frobnicate"]).code).toBe(2);
  });
});
