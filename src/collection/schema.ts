/**
 * What an application declares of its records: a version and collections. Plain data; see `src/record/declaration.ts` for
 * collections. Owns the check of names that must differ.
 */
import type { CollectionDeclaration } from "../record/declaration.js";
import { RecordError, shown } from "../record/record-error.js";
import { checkMigrations, type MigrationStage } from "./migrations.js";
import { type RelationshipDeclaration, withForeignKeyIndexes } from "./relationships.js";
import { parseVersion } from "./schema-version.js";

/** Version, collections, relationships and migrations of a store; made by `schema`. */
export interface SchemaDeclaration<
  Collections extends readonly CollectionDeclaration[] = readonly CollectionDeclaration[],
> {
  /** Semantic version: three numbers. Raised with each change; migrations lead from one to the next. */
  readonly version: string;
  readonly collections: Collections;
  /** The stages that lead from earlier versions to this one, in the order of versions. */
  readonly migrations?: readonly MigrationStage[];
  readonly relationships?: readonly RelationshipDeclaration[];
}

/** Throws `INVALID_SCHEMA`, `INVALID_MIGRATION`. */
export function schema<const Collections extends readonly CollectionDeclaration[]>(
  declaration: SchemaDeclaration<Collections>,
): SchemaDeclaration<Collections> {
  checkShape(declaration);
  parseVersion(declaration.version);
  const names = new Set<string>();
  for (const { name } of declaration.collections) {
    if (names.has(name)) throw refused(`it has two collections "${name}"`);
    names.add(name);
  }
  for (const { name, types = [] } of declaration.collections) {
    for (const type of types) {
      const own = declaration.collections.find((one) => one.name === type.name);
      if (own !== undefined && (own.schema !== type.schema || own.primaryKey !== type.primaryKey))
        throw refused(
          `the type "${type.name}" of "${name}" and the collection of that name are not the same`,
        );
    }
  }
  checkMigrations(declaration.version, declaration.migrations ?? []);
  const { collections, relationships = [] } = declaration;
  const indexed = withForeignKeyIndexes(collections, relationships);
  // Their types are the same but for the indexes that nobody has named.
  return { ...declaration, collections: indexed as unknown as Collections };
}

/** For programs without types. */
function checkShape(declaration: SchemaDeclaration): void {
  if (typeof declaration !== "object" || declaration === null)
    throw refused(`it is an object with ${MEMBERS.join(", ")}, not ${shown(declaration)}`);
  for (const member of Object.keys(declaration)) {
    if (!(MEMBERS as readonly string[]).includes(member))
      throw refused(`it has no member "${member}"; known are ${MEMBERS.join(", ")}`);
  }
  const { collections, migrations = [], relationships = [] } = declaration;
  for (const [member, list] of Object.entries({ collections, migrations, relationships })) {
    if (!Array.isArray(list)) throw refused(`its ${member} are a list, not ${shown(list)}`);
  }
  for (const one of collections as readonly unknown[]) {
    if (typeof one !== "object" || one === null)
      throw refused(`${shown(one)} is no collection. Make one with collection`);
  }
}

const MEMBERS = [
  "version",
  "collections",
  "migrations",
  "relationships",
] as const satisfies readonly (keyof SchemaDeclaration)[];

function refused(why: string): RecordError {
  return new RecordError("INVALID_SCHEMA", `the schema cannot be declared: ${why}.`);
}
