/**
 * What is declared against what is stored, when a store is opened: a new store takes the schema as it is; one that has it already must
 * have the same; an older one is migrated. Owns which of these it is, and the refusals.
 */
import { type Catalogue, EMPTY } from "../record/catalogue.js";
import { RecordError } from "../record/record-error.js";
import { compareSchemas } from "./evolution.js";
import { migrate } from "./migration-run.js";
import { changedWithoutVersion } from "./migrations.js";
import { withNewCollections } from "./restructure.js";
import type { SchemaDeclaration } from "./schema.js";
import { compareVersions, parseVersion } from "./schema-version.js";
import type { SharedStore } from "./shared-store.js";

/**
 * Throws `SCHEMA_CHANGED`, `SCHEMA_TOO_OLD`, `SCHEMA_TOO_NEW`, `UNKNOWN_INDEX_KIND`, `INVALID_SCHEMA`, `UNSUPPORTED_FORMAT`, and what
 * a migration throws.
 */
export async function matchCatalogue(shared: SharedStore, schema: SchemaDeclaration): Promise<void> {
  for (const { name, indexes } of schema.collections) {
    for (const index of indexes) shared.kinds.checked(name, index);
  }
  // Two rounds at most: after the first one the store has a schema, which is ours or newer.
  let stored = await current(shared);
  if (stored.schemaVersion === null) {
    await begin(shared, schema);
    stored = await current(shared);
  }
  if (order(stored, schema) < 0) {
    await migrate(shared, schema);
    stored = await current(shared);
  }
  requireSame(stored, schema);
}

function current({ database, catalogues }: SharedStore): Promise<Catalogue> {
  return database.read((reader) => catalogues.peek(reader));
}

/** Nothing happens when another process has begun it meanwhile. */
function begin({ database, catalogues }: SharedStore, schema: SchemaDeclaration): Promise<void> {
  const { collections, version } = schema;
  return database.transact(
    async (transaction) => {
      const stored = await catalogues.read(transaction);
      if (stored.schemaVersion !== null) return;
      const first = withNewCollections(EMPTY, collections, version);
      catalogues.write(transaction, stored, { ...first, schemaVersion: version });
    },
    { idempotent: true },
  );
}

function order({ schemaVersion }: Catalogue, { version }: SchemaDeclaration): number {
  // `begin` has seen to it that there is one.
  return compareVersions(parseVersion(schemaVersion as string), parseVersion(version));
}

function requireSame(stored: Catalogue, schema: SchemaDeclaration): void {
  const { version, collections } = schema;
  if (order(stored, schema) > 0) throw tooOld(`the store has schema ${stored.schemaVersion}`, version);
  if (stored.migration?.isExclusive === true) {
    const { from, to } = stored.migration;
    throw tooOld(`the store is being migrated from ${from} to ${to}`, version);
  }
  const changes = compareSchemas(stored, collections);
  // While a lightweight migration runs, what is new is nothing to a program that does not know of it.
  if (changes.length > 0 && stored.migration === null) throw changedWithoutVersion(version, changes);
}

function tooOld(what: string, version: string): RecordError {
  return new RecordError(
    "SCHEMA_TOO_OLD",
    `${what}, and this program declares ${version}. Run a newer program.`,
  );
}
