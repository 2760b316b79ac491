/**
 * The version of the format of everything below the root of a record store (features DF-9): which programs can read and write what
 * is there. A store says which is the oldest format whose programs may read it and which may write it; a program says which is
 * the oldest that it reads. A store of an older format that can be read is in the newest one from its next change of schema on.
 * Owns the numbers and the refusals.
 */
import { StillwaterError } from "../platform/errors.js";

/** What this program writes. Raised when anything below the root changes its form. */
export const RECORD_FORMAT = 1;
/** The oldest that this program reads. */
const OLDEST_READ = 1;
/** The oldest programs that can read, and write, what this one writes. */
const READABLE_FROM = 1;
const WRITABLE_FROM = 1;

/** As the catalogue keeps it. */
export interface StoredFormat {
  readonly format: number;
  readonly readableFrom: number;
  readonly writableFrom: number;
}

export const OWN_FORMAT: StoredFormat = {
  format: RECORD_FORMAT,
  readableFrom: READABLE_FROM,
  writableFrom: WRITABLE_FROM,
};

/** Throws `UNSUPPORTED_FORMAT`. */
export function requireReadable({ format, readableFrom }: StoredFormat): void {
  if (readableFrom > RECORD_FORMAT) {
    throw unsupported(
      `the records are in format ${format}, which programs from format ${readableFrom} on can read`,
    );
  }
  if (!(format >= OLDEST_READ)) {
    throw unsupported(`the records are in format ${format}, and this program reads from ${OLDEST_READ} on`);
  }
}

/** Throws `UNSUPPORTED_FORMAT`. */
export function requireWritable({ format, writableFrom }: StoredFormat): void {
  if (writableFrom <= RECORD_FORMAT) return;
  throw unsupported(
    `the records are in format ${format}, which programs from format ${writableFrom} on can write, so they can only be read`,
  );
}

function unsupported(what: string): StillwaterError {
  return new StillwaterError(
    "UNSUPPORTED_FORMAT",
    `${what}; this one is of format ${RECORD_FORMAT}. Use a version that goes with them.`,
  );
}
