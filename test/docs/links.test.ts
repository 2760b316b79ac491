/**
 * Links of pages lead somewhere: to a file of the repository, and where they name a heading, to one that is there. Addresses of
 * other sites are not fetched.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import GithubSlugger from "github-slugger";
import MarkdownIt from "markdown-it";
import { describe, expect, it } from "vitest";
import { PAGES, ROOT } from "./pages.js";

const markdown = new MarkdownIt({ html: true });

interface Page {
  readonly anchors: ReadonlySet<string>;
  readonly targets: readonly string[];
}

describe("links", () => {
  it.each(PAGES)("of %s lead somewhere", (name) => {
    expect(deadLinks(name, read(name), read)).toEqual([]);
  });

  it("that lead nowhere are named, in text, pictures and HTML", () => {
    const text =
      "# A\n[a](#a) [b](#b) ![c](c.png) <img src='d.png'> [e](../package.json) [f](g.md#h)\n\n[ref]: i.md\n[ref]";
    const dead = deadLinks("docs/page.md", text, () => "# G\n");
    expect(dead).toEqual(["#b", "c.png", "g.md#h", "i.md", "d.png"]);
  });
});

it("the README's first screen has its two commands, and package.json has what they run", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  expect(
    read("README.md")
      .match(/```sh\n(.*)\n```/g)
      ?.slice(0, 2),
  ).toEqual(["```sh\nnpm ci && npm run sim\n```", "```sh\nnpm cit\n```"]);
  expect(scripts).toHaveProperty("sim");
  expect(scripts).toHaveProperty("test");
});

function read(name: string): string {
  return readFileSync(join(ROOT, name), "utf8");
}

function deadLinks(name: string, text: string, readOther: (name: string) => string): string[] {
  const own = parsePage(text);
  return own.targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [path = "", anchor] = decodeURI(target).split("#");
    const file = path === "" ? name : relative(ROOT, join(ROOT, dirname(name), path));
    if (path !== "" && !existsSync(join(ROOT, file))) return true;
    if (anchor === undefined) return false;
    const page = path === "" ? own : parsePage(readOther(file));
    return !page.anchors.has(anchor);
  });
}

function parsePage(text: string): Page {
  const slugger = new GithubSlugger();
  const anchors = new Set<string>();
  const targets: string[] = [];
  const html: string[] = [];
  const tokens = markdown.parse(text, {});
  for (const [at, token] of tokens.entries()) {
    if (token.type === "html_block") html.push(token.content);
    if (token.type !== "inline") continue;
    const parts = token.children ?? [];
    if (tokens[at - 1]?.type === "heading_open") {
      const words = parts.filter(({ type }) => type === "text" || type === "code_inline");
      anchors.add(slugger.slug(words.map(({ content }) => content).join("")));
    }
    for (const part of parts) {
      if (part.type === "link_open") targets.push(part.attrGet("href") ?? "");
      if (part.type === "image") targets.push(part.attrGet("src") ?? "");
      if (part.type === "html_inline") html.push(part.content);
    }
  }
  for (const [, target] of html.join("\n").matchAll(/(?:src|srcset|href)=["']([^"']+)["']/g)) {
    targets.push(target as string);
  }
  return { anchors, targets };
}
