/**
 * Migrations as declared (features DF-75): stages that each lead from one version of the schema to a later one, and the way from a
 * stored version to the declared one. Pure. Owns the checks of the list and of whether a way is enough for what has changed; does not
 * run anything (`migration-run.ts`).
 *
 *     migrations: [
 *       lightweight("1.0.0", "1.1.0"),
 *       migration("1.1.0", "2.0.0", { willMigrate: async (context) => …, didMigrate: async (context) => … }),
 *     ]
 */
import { RecordError, shown } from "../record/record-error.js";
import type { ChangeEffort, SchemaChange } from "./evolution.js";
import type { MigrationContext } from "./migration-context.js";
import { compareVersions, parseVersion } from "./schema-version.js";

export interface StageOptions {
  /** Names of former collections and indexes that come back as new ones. */
  readonly reuseNames?: readonly string[];
}

/** What a stage of a migration does beside the change of the schema. */
export interface MigrationOptions extends StageOptions {
  /** Before collections and indexes change. Run again from its start after an interruption; see `MigrationContext`. */
  readonly willMigrate?: (context: MigrationContext) => Promise<void>;
  /** After new indexes have been built. As `willMigrate`. */
  readonly didMigrate?: (context: MigrationContext) => Promise<void>;
  /** Collections that go, with all their documents. */
  readonly removeCollections?: readonly string[];
}

/** One step from one version of the schema to a later one; made by `lightweight` or `migration`. */
export interface MigrationStage extends MigrationOptions {
  readonly from: string;
  readonly to: string;
  /** A lightweight one has no code of its own, and programs with the former schema go on while it runs. */
  readonly isLightweight: boolean;
}

/** A stage without code: new and removed indexes, new collections, new words of enumerations. Throws `INVALID_MIGRATION`. */
export function lightweight(from: string, to: string, options: StageOptions = {}): MigrationStage {
  return stageOf(from, to, true, options, ["reuseNames"]);
}

/** A stage that changes documents, or that anything is lost by. Throws `INVALID_MIGRATION`. */
export function migration(from: string, to: string, options: MigrationOptions = {}): MigrationStage {
  return stageOf(from, to, false, options, ["willMigrate", "didMigrate", "removeCollections", "reuseNames"]);
}

function stageOf(
  from: string,
  to: string,
  isLightweight: boolean,
  options: MigrationOptions,
  known: readonly string[],
): MigrationStage {
  const order = compareVersions(parseVersion(to), parseVersion(from));
  if (order === 0) throw refused(`the stage from ${from} to ${to} leads back to where it begins`);
  if (order < 0) throw refused(`the stage from ${from} to ${to} is a downgrade. A schema only goes on`);
  for (const [name, value] of Object.entries(options)) {
    const isFunction = name === "willMigrate" || name === "didMigrate";
    if (!known.includes(name)) throw refused(`the stage from ${from} to ${to} has no option "${name}"`);
    if (isFunction ? typeof value !== "function" : !Array.isArray(value))
      throw refused(`"${name}" of the stage from ${from} to ${to} is ${shown(value)}`);
  }
  return { from, to, isLightweight, ...options };
}

/**
 * Of a whole list: each stage once, in the order of versions, none behind the declared one. Stages only lead to later versions, so
 * they make no cycle. Throws `INVALID_MIGRATION`.
 */
export function checkMigrations(version: string, stages: readonly MigrationStage[]): void {
  for (const [at, { from, to }] of stages.entries()) {
    if (compareVersions(parseVersion(to), parseVersion(version)) > 0)
      throw refused(`the stage from ${from} to ${to} leads behind the declared version ${version}`);
    const former = stages[at - 1];
    if (former === undefined) continue;
    const order =
      compareVersions(parseVersion(former.from), parseVersion(from)) ||
      compareVersions(parseVersion(former.to), parseVersion(to));
    if (order === 0) throw refused(`it has two stages from ${from} to ${to}`);
    if (order > 0)
      throw refused(
        `the stage from ${from} to ${to} stands behind the one from ${former.from} to ${former.to}. Order them by version`,
      );
  }
}

/**
 * The fewest stages from `stored` to `declared`; among equally few those that begin with the longest. Throws `SCHEMA_TOO_NEW` when
 * there is no way. O(stages²).
 */
export function migrationPath(
  stored: string,
  declared: string,
  stages: readonly MigrationStage[],
): readonly MigrationStage[] {
  const ways = new Map<string, readonly MigrationStage[]>([[declared, []]]);
  // From the end: every stage that a way can go on with leads to a later version, and is met before.
  for (const stage of [...stages].sort((a, b) =>
    compareVersions(parseVersion(b.from), parseVersion(a.from)),
  )) {
    const rest = ways.get(stage.to);
    if (rest === undefined) continue;
    const known = ways.get(stage.from);
    const isShorter = known === undefined || rest.length + 1 < known.length;
    const isEqual = known !== undefined && rest.length + 1 === known.length;
    const isLonger =
      isEqual && compareVersions(parseVersion(stage.to), parseVersion(known[0]?.to ?? stage.to)) > 0;
    if (isShorter || isLonger) ways.set(stage.from, [stage, ...rest]);
  }
  const way = ways.get(stored);
  if (way !== undefined) return way;
  const listed = stages.map(({ from, to }) => `${from} to ${to}`).join(", ") || "none";
  throw new RecordError(
    "SCHEMA_TOO_NEW",
    `the store has schema ${stored}, this program declares ${declared}, and its migrations (${listed}) do not lead from one to the ` +
      `other. Add a stage from ${stored}.`,
  );
}

/** Throws `SCHEMA_CHANGED` naming a change that these stages cannot make, and what they lack. */
export function requireEnough(stages: readonly MigrationStage[], changes: readonly SchemaChange[]): void {
  const from = stages[0]?.from ?? "";
  const to = stages.at(-1)?.to ?? "";
  const isCustom = stages.some(({ isLightweight }) => !isLightweight);
  for (const change of changes) {
    const { effort, kind, collection, reusedName } = change;
    if (effort === "impossible") throw changed(change, IMPOSSIBLE);
    if (effort === "custom" && !isCustom)
      throw changed(change, `The migration from ${from} to ${to} must be a custom one: ${adviceOf(change)}.`);
    if (
      kind === "collectionRemoved" &&
      !stages.some((stage) => stage.removeCollections?.includes(collection))
    )
      throw changed(change, `Say so in a stage: removeCollections: ["${collection}"].`);
    if (reusedName !== undefined && !stages.some((stage) => stage.reuseNames?.includes(reusedName)))
      throw changed(
        change,
        `The name was in use before it was removed. Take another, or say so in a stage: reuseNames: ["${reusedName}"].`,
      );
  }
}

/** For two schemas under one version: the first change that asks for most, and how to make it. */
export function changedWithoutVersion(version: string, changes: readonly SchemaChange[]): RecordError {
  const worst = [...changes].sort((a, b) => EFFORTS.indexOf(b.effort) - EFFORTS.indexOf(a.effort))[0];
  const advice =
    worst?.effort === "impossible" ? IMPOSSIBLE : `Raise the version ${version} and ${needOf(worst)}.`;
  // There is one: schemas without changes are equal.
  return changed(worst as SchemaChange, advice);
}

const EFFORTS: readonly ChangeEffort[] = ["none", "lightweight", "custom", "impossible"];
const IMPOSSIBLE = "No migration can change that: declare another collection and move the documents to it.";

function needOf(change: SchemaChange | undefined): string {
  if (change === undefined || change.effort === "none") return "open again: it needs no migration";
  if (change.effort === "lightweight") return "add a lightweight migration";
  return `add a custom migration: ${adviceOf(change)}`;
}

function adviceOf({ kind, collection }: SchemaChange): string {
  if (kind === "collectionRemoved") return `with removeCollections: ["${collection}"]`;
  return kind === "indexRedefined"
    ? "it builds the index again; or give the index another name"
    : "one that changes the stored documents (batchUpdate)";
}

function changed({ collection, index, field, what }: SchemaChange, advice: string): RecordError {
  const subject = field === undefined || field === "" ? "" : `field "${field}" of the `;
  return new RecordError("SCHEMA_CHANGED", `the ${subject}collection "${collection}" ${what}. ${advice}`, {
    collection,
    index,
    field,
  });
}

function refused(why: string): RecordError {
  return new RecordError("INVALID_MIGRATION", `the migrations cannot be declared: ${why}.`);
}
