// Makes one HTML file, without data, of the modules and the style of a page: the simulator's (sim/viewer/page) and the
// admin's (src/admin/page). The modules are type-checked, and become one script.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import ts from "typescript";

const SHARED_STYLE = "src/admin/page/base.css";

/** `styles` in this order: what comes later wins. */
export const TIME_TRAVEL_PAGE = {
  folder: "sim/viewer/page",
  styles: ["colours.css", "time.css", "panes.css", "files.css", "sizes.css"],
};
export const ADMIN_PAGE = {
  folder: "src/admin/page",
  styles: ["frame.css", "overview.css", "data.css", "sizes.css"],
};

/** The page's text. Throws with the diagnostics when a module does not type-check. */
export async function bundlePage(root, { folder: place, styles }) {
  const folder = join(root, place);
  const config = ts.readConfigFile(join(folder, "tsconfig.json"), ts.sys.readFile);
  const parsed = ts.parseJsonConfigFileContent(config.config, ts.sys, folder);
  const program = ts.createProgram(parsed.fileNames, parsed.options);
  const diagnostics = [...parsed.errors, ...ts.getPreEmitDiagnostics(program)];
  if (diagnostics.length > 0) {
    const host = {
      getCurrentDirectory: () => root,
      getCanonicalFileName: (name) => name,
      getNewLine: () => "\n",
    };
    throw new Error(ts.formatDiagnosticsWithColorAndContext(diagnostics, host));
  }
  const script = await scriptOf(join(folder, "main.ts"));
  const style = [join(root, SHARED_STYLE), ...styles.map((name) => join(folder, name))]
    .map(textOf)
    .join("\n");
  return textOf(join(folder, "page.html"))
    .replace("@@STYLE_HASH@@", hashOf(style))
    .replace("@@SCRIPT_HASH@@", hashOf(script))
    .replace("@@STYLE@@", () => style)
    .replace("@@SCRIPT@@", () => script);
}

/** A browser reads every line's end as one character, and so must a hash. */
function textOf(path) {
  return readFileSync(path, "utf8").replaceAll("\r\n", "\n");
}

/** As a Content-Security-Policy names the one script or style that it allows. */
function hashOf(text) {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** One module without imports, minified: what is not used of shared modules is left out. Throws for anything odd. */
async function scriptOf(entry) {
  const bundle = await rolldown({
    input: entry,
    platform: "browser",
    resolve: { extensionAlias: { ".js": [".ts"] } },
    onLog: (level, log) => {
      throw new Error(`${level}: ${log.message}`);
    },
  });
  const { output } = await bundle.generate({ format: "es", minify: true });
  await bundle.close();
  const [script, ...more] = output;
  if (more.length > 0 || script.imports.length > 0)
    throw new Error(`${entry}: the page is one script of its own`);
  // In a text of the script it would end the element that the script is in.
  return script.code.trim().replaceAll("</script", "<\\/script");
}
