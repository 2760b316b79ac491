/** The first screen of the README keeps its two commands, and links of pages lead to files. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { PAGES, ROOT } from "./pages.js";

test("the README's first screen has its two commands, and package.json has what they run", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  expect(readme.match(/```sh\n(.*)\n```/g)?.slice(0, 2)).toEqual([
    "```sh\nnpm ci && npm run sim\n```",
    "```sh\nnpm cit\n```",
  ]);
  expect(scripts).toHaveProperty("sim");
  expect(scripts).toHaveProperty("test");
});

test.each(PAGES)("links of %s lead to files", (page) => {
  const text = readFileSync(join(ROOT, page), "utf8");
  for (const [, target] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
    expect(existsSync(join(ROOT, dirname(page), target as string)), target).toBe(true);
  }
});
