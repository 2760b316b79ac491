/**
 * What an application declares of its records: a version and collections. Plain data; see `src/record/declaration.ts` for
 * collections. Owns the check of names that must differ.
 */
import type { CollectionDeclaration } from "../record/declaration.js";
import { RecordError, shown } from "../record/record-error.js";

export interface SchemaDeclaration<
  Collections extends readonly CollectionDeclaration[] = readonly CollectionDeclaration[],
> {
  /** Semantic version: three numbers. Raised with each change; migrations lead from one to the next. */
  readonly version: string;
  readonly collections: Collections;
}

/** Throws `INVALID_SCHEMA`. */
export function schema<const Collections extends readonly CollectionDeclaration[]>(
  declaration: SchemaDeclaration<Collections>,
): SchemaDeclaration<Collections> {
  parseVersion(declaration.version);
  const names = new Set<string>();
  for (const { name } of declaration.collections) {
    if (names.has(name)) throw refused(`it has two collections "${name}"`);
    names.add(name);
  }
  return declaration;
}

export type SchemaVersion = readonly [major: number, minor: number, patch: number];

/** Throws `INVALID_SCHEMA`. */
export function parseVersion(text: string): SchemaVersion {
  const [, major, minor, patch] = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/.exec(text) ?? [];
  if (major === undefined) throw refused(`its version ${shown(text)} is not three numbers like "1.0.0"`);
  return [Number(major), Number(minor), Number(patch)];
}

export function compareVersions(a: SchemaVersion, b: SchemaVersion): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function refused(why: string): RecordError {
  return new RecordError("INVALID_SCHEMA", `the schema cannot be declared: ${why}.`);
}
