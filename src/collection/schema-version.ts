/** Versions of schemas: three numbers, ordered by the first, then the second, then the third. */
import { RecordError, shown } from "../record/record-error.js";

export type SchemaVersion = readonly [major: number, minor: number, patch: number];

/** Throws `INVALID_SCHEMA`. */
export function parseVersion(text: string): SchemaVersion {
  const [, major, minor, patch] = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/.exec(text) ?? [];
  if (major === undefined) {
    throw new RecordError(
      "INVALID_SCHEMA",
      `${shown(text)} is no version of a schema. Write three numbers, like "1.0.0".`,
    );
  }
  return [Number(major), Number(minor), Number(patch)];
}

export function compareVersions(a: SchemaVersion, b: SchemaVersion): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
