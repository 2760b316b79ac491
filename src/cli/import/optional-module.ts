/**
 * Packages that only an import needs, and that its user has installed: where the command is run, or beside Stillwater. Loaded
 * when they are asked for. Does not own: what they are for (`purpose` says so in the error).
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { requireOptional } from "../../platform/node/optional-package.js";

/** Throws `MISSING_DEPENDENCY`, which says what to install. */
export function optionalModule(name: string, purpose: string, install: string): unknown {
  return requireOptional(name, purpose, install, (wanted) => {
    const here = createRequire(join(process.cwd(), "package.json"));
    try {
      return here(wanted);
    } catch {
      // Not there, or not for this version of Node; the other place says what the matter is.
      return createRequire(import.meta.url)(wanted);
    }
  });
}
