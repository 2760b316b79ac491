/**
 * Loads a CommonJS package that a user of Stillwater need not have, at once: what is built from its classes can then itself be
 * loaded by `require`. Does not own: what the package is for (the caller's `purpose` says so in the error).
 */
import { createRequire } from "node:module";
import { StillwaterError } from "../errors.js";

/** What `name` exports. Throws `MISSING_DEPENDENCY` where it cannot be loaded. `load` is for tests. */
export function requireOptional(
  name: string,
  purpose: string,
  install: string,
  load: (name: string) => unknown = createRequire(import.meta.url),
): unknown {
  try {
    return load(name);
  } catch (cause) {
    throw new StillwaterError(
      "MISSING_DEPENDENCY",
      `${purpose} the package "${name}", which cannot be loaded. Install it: npm install ${install}`,
      { cause },
    );
  }
}
