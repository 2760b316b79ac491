// A plugin of TypeDoc: pages are called by their first heading and stand under Guides or Pages, modules are called by the name
// that they are imported by.
import { readFileSync } from "node:fs";
import { Converter, ReflectionKind } from "typedoc";

/** Sources of the package's entry points, by the names that they are imported by. */
export function entryPoints() {
  const { exports } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return new Map(
    Object.entries(exports)
      .filter(([, { types }]) => types !== undefined)
      .map(([name, { types }]) => [
        `stillwater${name.slice(1)}`,
        types.replace(BUILT, "").replace(".d.ts", ".ts"),
      ]),
  );
}

const BUILT = /^\.\/dist\/(instrumented\/)?/;

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, page) => {
    const heading = /^# (.+)$/m.exec(page.content.map(({ text }) => text).join(""))?.[1];
    if (heading === undefined) throw new Error(`the page ${page.name} has no heading`);
    page.frontmatter.group = page.name.startsWith("docs/guides/") ? "Guides" : "Pages";
    page.name = heading.replaceAll("`", "");
    plainDrawings(page.content);
  });
  const names = new Map(
    [...entryPoints()].map(([name, file]) => [file.replace(/(\/index)?\.ts$/, ""), name]),
  );
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      module.name = names.get(module.name) ?? module.name;
    }
    plainDrawings(project.readme ?? []);
  });
}

/** A block without a language is a drawing or a command's output; TypeDoc would colour it as TypeScript. */
function plainDrawings(content) {
  for (const part of content) {
    if (part.kind === "text") part.text = part.text.replaceAll(/^```\n([\s\S]*?^```)$/gm, "```text\n$1");
    if (part.kind === "code") part.text = part.text.replace(/^```\n/, "```text\n");
  }
}
