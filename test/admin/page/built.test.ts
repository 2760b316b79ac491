/**
 * The admin's page as the build leaves it: one small file that asks nobody but its own server, whose policy allows exactly the script
 * and the style that are in it. What it does in a browser: `npm run test:browser`.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";
import { expect, test } from "vitest";
import { readStaticFiles } from "../../../src/admin/http/static-files.js";

const FOLDER = join(import.meta.dirname, "../../../dist/src/admin/page");
const page = readFileSync(join(FOLDER, "index.html"), "utf8");

test("the page is one file of less than 100 KiB", () => {
  expect(Buffer.byteLength(page)).toBeLessThan(100 * 1024);
  expect([...readStaticFiles(FOLDER).keys()]).toEqual(["index.html"]);
});

test("it names no other address, loads no file, and has no inline handlers or styles", () => {
  expect(page.match(/https?:\/\/[\w./-]*/g)).toEqual(["http://www.w3.org/2000/svg"]);
  const [markup = ""] = page.replace(/<style>[\s\S]*?<\/style>|<script[\s\S]*?<\/script>/g, "").split("@@");
  expect(markup).not.toMatch(/\s(?:src|style|on\w+)=/);
  expect(markup.match(/\shref="[^"#]*"/g)).toEqual([' href="data:,"']);
});

test("its policy allows the one script and the one style by their hashes, requests to its own server, and nothing else", () => {
  const hash = (text: string | undefined): string =>
    `'sha256-${createHash("sha256")
      .update(text ?? "")
      .digest("base64")}'`;
  const scripts = [...page.matchAll(/<script type="module">([\s\S]*?)<\/script>/g)];
  const styles = [...page.matchAll(/<style>([\s\S]*?)<\/style>/g)];
  expect([scripts.length, styles.length, page.match(/<script/g)?.length]).toEqual([1, 1, 1]);
  expect(readStaticFiles(FOLDER).get("index.html")?.policy.split("; ").sort()).toEqual(
    [
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "img-src data:",
      "require-trusted-types-for 'script'",
      `script-src ${hash(scripts[0]?.[1])}`,
      `style-src ${hash(styles[0]?.[1])}`,
      "trusted-types 'none'",
    ].sort(),
  );
});

test("its script parses, imports nothing, and makes no markup of text", () => {
  const script = /<script type="module">([\s\S]*?)<\/script>/.exec(page)?.[1] ?? "";
  expect(() => new Script(script)).not.toThrow();
  expect(script).not.toMatch(/\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|import)\b/);
});
