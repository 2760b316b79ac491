/**
 * Assertions that stay on in production: what must hold between our own parts. A failed one is a bug of ours, never
 * of the caller or of the disk, and is reported as `ASSERTION`.
 */
import { StillwaterError } from "./errors.js";

export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) fail(what);
}

/** Throws `ASSERTION`; for places that must be unreachable. */
export function fail(what: string): never {
  throw new StillwaterError(
    "ASSERTION",
    `internal assertion failed: ${what}. This is a bug in Stillwater; please report it.`,
  );
}
