/**
 * Runs the stages that lead from the stored schema to the declared one, when a store is opened (features DF-75, FR-45).
 *
 *     begin ──► willMigrate ──► restructure ──► build ──► didMigrate ──► finish: the version is that of the stage
 *               own code        collections,    new       own code
 *                               indexes         indexes
 *
 * Each arrow is one transaction that changes the step in the catalogue, and each step can be run again: so a migration that is
 * interrupted anywhere goes on at the next open. One process does it, the others wait (`index/lease.ts`). Where values are in the
 * way of a unique index, the step goes back to `willMigrate`, whose code may have further calls then, behind those it has made.
 */
import { underLease } from "../index/environment.js";
import { type HeldLease, LEASE_PRESETS, Lease } from "../index/lease.js";
import { assert } from "../platform/assert.js";
import { hasCode } from "../platform/errors.js";
import { crashPoint } from "../platform/probes.js";
import type { Catalogue, MigrationStep, StoredMigration } from "../record/catalogue.js";
import { KEYSPACE } from "../record/keyspace.js";
import type { Transaction } from "../transaction/transaction.js";
import { compareSchemas } from "./evolution.js";
import { IndexManager } from "./index-manager.js";
import { MigrationContext, writeRestructured } from "./migration-context.js";
import { migrationPath, requireEnough } from "./migrations.js";
import { type Restructured, restructured, type StagePlace, withNewCollections } from "./restructure.js";
import type { SchemaDeclaration } from "./schema.js";
import { compareVersions, parseVersion } from "./schema-version.js";
import type { SharedStore } from "./shared-store.js";

/**
 * Until the store has the declared schema, by whichever process. Throws `SCHEMA_TOO_NEW`, `SCHEMA_CHANGED`, `INDEX_BUILD_VIOLATIONS`,
 * and whatever the migration's own code throws; it can be gone on with then.
 */
export async function migrate(shared: SharedStore, schema: SchemaDeclaration): Promise<void> {
  while (isBehind(await peek(shared), schema)) {
    const lease = new Lease(shared, "migration", LEASE_PRESETS.migration);
    try {
      await lease.execute((held) => migrateAsOwner(shared, schema, held));
    } catch (error) {
      // Another process goes on with it, or this one has done its last step without having been told.
      if (!hasCode(error, "LEASE_LOST")) throw error;
    }
  }
}

function isBehind({ schemaVersion }: Catalogue, { version }: SchemaDeclaration): boolean {
  return compareVersions(parseVersion(schemaVersion ?? "0.0.0"), parseVersion(version)) < 0;
}

async function migrateAsOwner(
  shared: SharedStore,
  schema: SchemaDeclaration,
  lease: HeldLease,
): Promise<void> {
  for (;;) {
    const stored = await peek(shared);
    if (!isBehind(stored, schema)) return;
    const changes = compareSchemas(stored, schema.collections);
    const { version, migrations = [] } = schema;
    const isLed = migrations.some(({ from }) => from === stored.schemaVersion);
    if (!isLed && stored.migration === null && changes.every(({ effort }) => effort === "none")) {
      await new StageRun(shared, schema, lease, onlyVersion(stored.schemaVersion ?? "", version)).run();
      continue;
    }
    const path = pathFrom(stored, schema);
    requireEnough(path, changes);
    // There is one: the stored version is behind the declared one.
    const [stage, ...rest] = path as [(typeof path)[number]];
    const isLastCustom = !stage.isLightweight && rest.every(({ isLightweight }) => isLightweight);
    await new StageRun(shared, schema, lease, { stage, isLast: rest.length === 0, isLastCustom }).run();
  }
}

/** Begins with the stage that is under way. Throws `SCHEMA_TOO_NEW` where the program does not have it. */
function pathFrom({ schemaVersion, migration }: Catalogue, { version, migrations = [] }: SchemaDeclaration) {
  const from = schemaVersion ?? "";
  if (migration === null) return migrationPath(from, version, migrations);
  const others = migrations.filter((stage) => stage.from !== from || stage.to === migration.to);
  return migrationPath(from, version, others);
}

/** Nothing is asked of the documents, so nobody need declare a stage for it. */
function onlyVersion(from: string, to: string): StagePlace {
  return { stage: { from, to, isLightweight: true }, isLast: true, isLastCustom: false };
}

function peek({ database, catalogues }: SharedStore): Promise<Catalogue> {
  return database.read((reader) => catalogues.peek(reader));
}

/** It looks at what has been done. */
const AGAIN = { idempotent: true };

class StageRun {
  readonly #shared: SharedStore;
  readonly #schema: SchemaDeclaration;
  readonly #lease: HeldLease;
  readonly #place: StagePlace;
  readonly #manager: IndexManager;

  constructor(shared: SharedStore, schema: SchemaDeclaration, lease: HeldLease, place: StagePlace) {
    this.#shared = shared;
    this.#schema = schema;
    this.#lease = lease;
    this.#place = place;
    this.#manager = new IndexManager(underLease(shared, lease));
  }

  async run(): Promise<void> {
    // From the step that it was interrupted in.
    let step: MigrationStep | null = await this.#begin();
    // CRASH_POINT(id: migration.stage-begun)
    crashPoint("migration.stage-begun");
    while (step !== null) step = await this.#run(step);
  }

  /** Resolves with the next one. */
  async #run(step: MigrationStep): Promise<MigrationStep | null> {
    const { stage } = this.#place;
    switch (step) {
      case "willMigrate":
        await stage.willMigrate?.(this.#context(step));
        await this.#advance(step, "restructure", unchanged);
        // CRASH_POINT(id: migration.stage-prepared)
        crashPoint("migration.stage-prepared");
        return "restructure";
      case "restructure":
        await this.#restructure();
        // CRASH_POINT(id: migration.stage-restructured)
        crashPoint("migration.stage-restructured");
        return "build";
      case "build":
        await this.#build();
        // CRASH_POINT(id: migration.stage-built)
        crashPoint("migration.stage-built");
        return "didMigrate";
      case "didMigrate":
        await stage.didMigrate?.(this.#context(step));
        await this.#finish();
        // CRASH_POINT(id: migration.stage-finished)
        crashPoint("migration.stage-finished");
        return null;
    }
  }

  /** The step to go on with. New collections are there for its own code. */
  #begin(): Promise<MigrationStep> {
    const { stage } = this.#place;
    const { from, to, isLightweight, reuseNames } = stage;
    return this.#shared.database.transact(async (transaction) => {
      await this.#lease.check(transaction);
      const catalogue = await this.#shared.catalogues.read(transaction);
      if (catalogue.migration !== null) return catalogue.migration.step;
      assert(catalogue.schemaVersion === from, "a stage begins where the store is");
      const migration: StoredMigration = { from, to, step: "willMigrate", isExclusive: !isLightweight };
      const grown = withNewCollections(catalogue, this.#schema.collections, to, reuseNames);
      this.#shared.catalogues.write(transaction, catalogue, { ...grown, migration });
      return migration.step;
    }, AGAIN);
  }

  #restructure(): Promise<void> {
    const { collections } = this.#schema;
    return this.#advance("restructure", "build", (catalogue) =>
      restructured(this.#shared.root, catalogue, collections, this.#place),
    );
  }

  async #build(): Promise<void> {
    const { to } = this.#place.stage;
    const { collections } = await peek(this.#shared);
    for (const { stored, indexes } of collections.values()) {
      const own = indexes.filter(({ since, state }) => since === to && state === "writeOnly");
      if (own.length === 0) continue;
      try {
        await this.#manager.build(stored.name, own.map(({ name }) => name) as never);
      } catch (error) {
        if (hasCode(error, "INDEX_BUILD_VIOLATIONS")) await this.#advance("build", "willMigrate", unchanged);
        throw error;
      }
    }
    await this.#advance("build", "didMigrate", unchanged);
  }

  #finish(): Promise<void> {
    const { to } = this.#place.stage;
    return this.#inStep("didMigrate", async (transaction, catalogue) => {
      const { begin, end } = this.#shared.root.subspace(KEYSPACE.migrations, to).range();
      transaction.clearRange(begin, end);
      this.#shared.catalogues.write(transaction, catalogue, {
        ...catalogue,
        schemaVersion: to,
        migration: null,
      });
      if (this.#place.isLast) this.#lease.release(transaction);
    });
  }

  #advance(
    step: MigrationStep,
    next: MigrationStep,
    change: (catalogue: Catalogue) => Restructured,
  ): Promise<void> {
    return this.#inStep(step, async (transaction, catalogue) => {
      const { catalogue: changed, cleared } = change(catalogue);
      // `inStep` has looked.
      const migration = { ...(catalogue.migration as StoredMigration), step: next };
      const after = { ...changed, migration };
      writeRestructured(this.#shared, transaction, catalogue, { catalogue: after, cleared });
    });
  }

  /** A transaction of this step. That the step is over can only be its own doing, the result of which was unknown. */
  #inStep(
    step: MigrationStep,
    body: (transaction: Transaction, catalogue: Catalogue) => Promise<void>,
  ): Promise<void> {
    return this.#shared.database.transact(async (transaction) => {
      await this.#lease.check(transaction);
      const catalogue = await this.#shared.catalogues.read(transaction);
      if (catalogue.migration?.step === step) await body(transaction, catalogue);
    }, AGAIN);
  }

  #context(step: "willMigrate" | "didMigrate"): MigrationContext {
    const { stage, isLast } = this.#place;
    const { collections } = this.#schema;
    // What is declared holds from the end on; before, documents may be anything.
    const bound = isLast && step === "didMigrate" ? collections : [];
    return new MigrationContext({
      shared: this.#shared,
      manager: this.#manager,
      from: stage.from,
      to: stage.to,
      step,
      collections,
      declared: new Map(bound.map((declaration) => [declaration.name, declaration])),
      transact: (body) =>
        this.#shared.database.transact(async (transaction) => {
          await this.#lease.check(transaction);
          const catalogue = await this.#shared.catalogues.read(transaction);
          assert(catalogue.migration?.step === step, "the code of a stage runs while its step lasts");
          return body(transaction, catalogue);
        }, AGAIN),
    });
  }
}

function unchanged(catalogue: Catalogue): Restructured {
  return { catalogue, cleared: [] };
}
