/**
 * The workflows of continuous integration call commands that exist, with flags that exist, and scripts that package.json
 * has; they run on every system and version that is supported; and who takes over an action or a job gains little: actions
 * are pinned, rights are the least, nothing is published by a token. Does not verify: what GitHub makes of the rest.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { simCommand } from "../sim/cli.js";

const ROOT = join(import.meta.dirname, "..");
const FOLDER = join(ROOT, ".github/workflows");
const files = readdirSync(FOLDER).map((name) => ({ name, text: readFileSync(join(FOLDER, name), "utf8") }));
const workflows = files.map(({ text }) => text);

test("every command of the simulator that a workflow runs exists, with every flag it gives", () => {
  const unknown: string[] = [];
  let seen = 0;
  for (const text of workflows) {
    // A folded scalar goes on in the next line; a literal one has one command a line.
    for (const [, name, rest] of text.matchAll(/cli\/main\.js sim (\w+)((?:.|\n +--)*)/g)) {
      seen++;
      const command = simCommand().commands.find((one) => one.name() === name);
      if (command === undefined) unknown.push(`sim ${name}`);
      for (const [flag] of (rest ?? "").matchAll(/--[\w-]+/g)) {
        if (command?.options.every(({ long }) => long !== flag) === true) unknown.push(`sim ${name} ${flag}`);
      }
    }
  }
  expect(seen).toBeGreaterThan(5);
  expect(unknown).toEqual([]);
});

test("every script that a workflow runs is in package.json", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const commands = workflows.map((text) => text.replaceAll(/^ *#.*$/gm, ""));
  const called = commands.flatMap((text) => [...text.matchAll(/npm (?:run )?([\w:]+)(?=\s|$)/g)]);
  const own = ["ci", "pack", "install", "publish"];
  const names = called.map(([, name]) => name as string).filter((name) => !own.includes(name));
  expect(names.length).toBeGreaterThan(3);
  expect(names.filter((name) => scripts[name] === undefined)).toEqual([]);
});

test("the tests run on Linux, macOS and Windows, each with the oldest and the newest Node that is supported", () => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    engines: { node: string };
  };
  const ci = textOf("ci.yml");
  expect(ci).toContain("os: [ubuntu-latest, macos-latest, windows-latest]");
  const [, versions] = /^ +node: \[(.*)\]$/m.exec(ci) ?? [];
  expect(versions).toBe('"20.19", "22", "24"');
  expect(engines.node).toBe(">=20.19");
  expect(ci).toMatch(/- run: npm ci\n +- run: npm test\n/);
});

test("every action is pinned by the hash of a commit, with its version beside it", () => {
  const uses = workflows.flatMap((text) =>
    [...text.matchAll(/uses: (.*)/g)].map(([, what]) => what as string),
  );
  expect(uses.length).toBeGreaterThan(10);
  expect(uses.filter((what) => !/^actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(what))).toEqual([]);
  // One action, one commit: a pin that is renewed in one place only is a mistake.
  expect(new Set(uses).size).toBe(new Set(uses.map((what) => what.split("@")[0])).size);
});

test("every workflow starts from no more than reading, and leaves no credentials in the checkout", () => {
  for (const { name, text } of files) {
    expect(text, name).toMatch(/^permissions:(?: \{\}|\n {2}contents: read)\n(?=\S)/m);
    const checkouts = text.match(/uses: actions\/checkout@/g) ?? [];
    expect(text.match(/persist-credentials: false/g), name).toHaveLength(checkouts.length);
    // What others choose (a branch's name, a title) must not become part of a script.
    expect(text, name).not.toMatch(/\$\{\{ *github\.(event\.(?!_)|head_ref)/);
  }
});

test("only jobs that publish what another one has built may do more, with an identity instead of a token", () => {
  const rights = workflows.flatMap((text) => text.match(/^ +(?:[\w-]+): write$/gm) ?? []);
  expect(rights.map((right) => right.trim())).toEqual(["id-token: write", "pages: write", "id-token: write"]);
  const [, site] = textOf("site.yml").split("\n  publish:\n");
  expect(site).toMatch(/pages: write\n +id-token: write/);
  expect(site).toMatch(/if: github.event_name == 'push'\n +needs: build\n/);
  expect(site).not.toMatch(/checkout|run:/);
  const [, publish] = textOf("release.yml").split("\n  publish:\n");
  expect(publish).toMatch(/id-token: write/);
  expect(publish).toMatch(/needs: pack\n/);
  expect(publish).not.toMatch(/checkout|npm ci|npm run/);
  expect(publish).toMatch(/npm publish .*--provenance/);
  // Trusted publishing needs Node 22.14 or newer, and npm 11.5.1.
  const [, node] = /node-version: "(\d+)"/.exec(publish as string) ?? [];
  expect(Number(node)).toBeGreaterThan(22);
  expect(publish).toMatch(/npm@11\.([6-9]|\d\d)\./);
  for (const text of workflows) expect(text).not.toMatch(/secrets\.|NPM_TOKEN|NODE_AUTH_TOKEN/);
});

function textOf(name: string): string {
  const found = files.find((file) => file.name === name);
  if (found === undefined) throw new Error(`there is no workflow ${name}`);
  return found.text;
}
