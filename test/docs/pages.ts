/** The pages of documentation, by their paths from the root of the repository. */
import { readdirSync } from "node:fs";
import { join, sep } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
export const PAGES: readonly string[] = [
  "README.md",
  "CHANGELOG.md",
  "examples/README.md",
  ...markdownBelow("docs"),
];

function markdownBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name.split(sep).join("/")}`)
    .sort();
}
