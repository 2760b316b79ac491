/**
 * The page and what it is made of: files that the build puts into a folder beside this code, all read when the admin begins. A request
 * names one of them or gets nothing, so no name can lead out of the folder.
 */
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface StaticFile {
  readonly contentType: string;
  readonly bytes: Uint8Array;
  /** The Content-Security-Policy to serve it with. */
  readonly policy: string;
}

/** What the server answers for `/`. */
export const INDEX = "index.html";

/** Where the build puts the page. */
export const PAGE_FOLDER = fileURLToPath(new URL("../page/", import.meta.url));

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".svg", "image/svg+xml"],
  [".png", "image/png"],
  [".ico", "image/x-icon"],
  [".woff2", "font/woff2"],
]);

/** By name; none where there is no such folder. */
export function readStaticFiles(folder: string): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  for (const name of namesIn(folder)) {
    const contentType = CONTENT_TYPES.get(extname(name));
    if (contentType === undefined) continue;
    const bytes = readFileSync(join(folder, name));
    files.set(name, { contentType, bytes, policy: policyOf(name, bytes) });
  }
  return files;
}

/**
 * A page that says a policy knows best, since it names the hashes of the one script and the one style in it; who may frame it, it
 * cannot say itself. Else: nothing from elsewhere, no inline code.
 */
function policyOf(name: string, bytes: Uint8Array): string {
  const own = extname(name) === ".html" ? OWN_POLICY.exec(Buffer.from(bytes).toString()) : null;
  return `${own?.[1] ?? DEFAULT_POLICY}; frame-ancestors 'none'`;
}

const OWN_POLICY = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/;
const DEFAULT_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'";

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
