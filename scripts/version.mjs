// Makes the next version of the changesets: package.json, package-lock.json and CHANGELOG.md, with the day, and with what was
// gathered under "Unreleased" before there were changesets. The result is for reading and committing, not for publishing.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const command = createRequire(import.meta.url).resolve("@changesets/cli/bin.js");
const version = () => JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;

const before = version();
execFileSync(process.execPath, [command, "version"], { cwd: root, stdio: "inherit" });
if (version() === before) {
  console.error("No changeset asks for a new version. Describe a change first: npx changeset");
  process.exit(1);
}
execFileSync("npm", ["install", "--package-lock-only", "--ignore-scripts"], {
  cwd: root,
  stdio: "inherit",
  shell: process.platform === "win32",
});

const path = join(root, "CHANGELOG.md");
const day = new Date().toISOString().slice(0, 10);
const text = readFileSync(path, "utf8")
  .replace(`## ${version()}\n`, `## ${version()} (${day})\n`)
  .replace(/\n## Unreleased\n/, "");
writeFileSync(path, text);
