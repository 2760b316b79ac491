/** The checker of guides objects to what is wrong, with page and line, and to nothing else. */
import { afterAll, describe, expect, it } from "vitest";
import { guideModules } from "./guide-modules.js";
import { GuideRunner } from "./guide-runner.js";

const runner = new GuideRunner();
afterAll(() => runner[Symbol.dispose]());

/** A page of blocks, each `[info, ...lines]`; its first line of code is line 3. */
function page(name: string, ...blocks: readonly (readonly string[])[]) {
  const text = blocks.map(([info, ...lines]) => ["```" + info, ...lines, "```"].join("\n")).join("\n\n");
  return guideModules(`${name}.md`, `# Title\n${text}\n`);
}

async function findings(name: string, ...blocks: readonly (readonly string[])[]): Promise<string[]> {
  const modules = page(name, ...blocks);
  return (await Promise.all(modules.map((module) => runner.run(module)))).flat();
}

describe("a promise behind a statement", () => {
  it("is kept by what is printed: values, logs, several turns, several lines, anything for …", async () => {
    const kept = [
      "ts",
      'console.log("a", { b: 1 }); // -> a { b: 1 }',
      "const two: number = 1 + 1; // -> 2",
      "two * 2; // -> 4",
      "for (const n of [1, 2]) console.log(n); // -> 1",
      "// -> 2",
      'console.log("id 42, done"); // -> id …, done',
      "await Promise.reject(new TypeError('no such thing')); // throws TypeError: no such",
      "[1].forEach((n) => {",
      "  console.log(n); // -> 1",
      "}); // -> undefined",
    ];
    expect(await findings("kept", kept)).toEqual([]);
  });

  it("is broken by another value, by nothing thrown, and by a line that is never reached", async () => {
    const broken = [
      "ts",
      "console.log(1); // -> 2",
      'void "x"; // throws NOT_FOUND',
      "if (false as boolean) console.log(3); // -> 3",
      "console.log(12); // -> 1",
    ];
    expect(await findings("broken", broken)).toEqual([
      'broken.md:3: says "2", but it is "1"',
      'broken.md:4: says "NOT_FOUND", but it is "nothing was thrown"',
      "broken.md:5: never reached, so nothing was printed",
      'broken.md:6: says "1", but it is "12"',
    ]);
  });

  it("must have a statement, and a fence must be one that is known", () => {
    expect(() => page("none", ["ts", "// -> 2"])).toThrow("none.md:3: no statement ends before this comment");
    expect(() => page("fence", ["ts norun", "1;"])).toThrow('fence.md:2: "ts norun"');
    expect(() => guideModules("open.md", "```ts\n1;")).toThrow("open.md:1: this block has no end");
  });
});

describe("blocks of a page", () => {
  it("are one module, with imports repeated at will, in an empty directory that a fresh one does not share", async () => {
    const all = await findings(
      "blocks",
      [
        "ts",
        'import { readdirSync, writeFileSync } from "node:fs";',
        'const name = "x";',
        'writeFileSync(name, "");',
      ],
      ["ts no-run", 'import { readdirSync } from "node:fs";', "throw new Error(readdirSync(name).join());"],
      ["ts", 'import { readdirSync } from "node:fs";', 'readdirSync(".").length; // -> 1'],
      ["ts fresh", 'import { readdirSync } from "node:fs";', 'const name = readdirSync("."); // -> []'],
    );
    expect(all).toEqual([]);
  });

  it("that fail are named by the line on the page", async () => {
    const failing = [
      "ts",
      "",
      "async function f(): Promise<void> {",
      '  throw new Error("here");',
      "}",
      "await f();",
    ];
    expect((await findings("failing", ["ts", "1;"], failing))[0]).toMatch(/^failing\.md:9: .*here/s);
  });

  it("are compiled strictly, also those that do not run, and find the package and its subpaths", () => {
    const modules = page(
      "types",
      ["ts", 'import { open } from "stillwater";', "open(5);"],
      [
        "ts no-run",
        'import { simulate } from "stillwater/sim";',
        "const open: string = simulate;",
        "const a = [1][0].toFixed();",
      ],
      ["ts", "const a = open;"],
    );
    expect(runner.typeErrors(modules).map((error) => error.split(": ", 2).join(": "))).toEqual([
      "types.md:4: TS2345",
      "types.md:9: TS2322",
      "types.md:10: TS2532",
    ]);
  });
});
