/**
 * What documentation shows is true: the code of every page compiles, runs in order, and prints what the comments behind it say.
 * The contract of pages is in `guide-modules.ts`. Runs against the build (`npm test` builds first).
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { guideModules } from "./guide-modules.js";
import { GuideRunner } from "./guide-runner.js";
import { PAGES, ROOT } from "./pages.js";

const modules = PAGES.flatMap((page) => guideModules(page, readFileSync(join(ROOT, page), "utf8")));
const runner = new GuideRunner();
afterAll(() => runner[Symbol.dispose]());

it("the code of all pages compiles with the project's settings", () => {
  const errors = runner.typeErrors(modules);
  if (errors.length > 0) expect.fail(errors.join("\n"));
});

it.concurrent.each(modules.map((module) => [`${module.page}:${module.firstLine}`, module] as const))(
  "%s runs and does what it says",
  async (_, module) => {
    const findings = await runner.run(module);
    if (findings.length > 0) expect.fail(findings.join("\n"));
  },
);

it("the pages that show most have code to run", () => {
  const pages = modules.map(({ page }) => page);
  expect(pages).toEqual(expect.arrayContaining(["README.md", "docs/RECORDS.md", "docs/guides/simulate.md"]));
});
