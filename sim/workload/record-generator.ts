/**
 * Makes the transactions of clients of records, literally. Few documents and few values, so that clients meet and unique values are
 * wanted twice; what was given up is often tried once more, with the same values. Does not own: what steps do (`run/records.ts`).
 */
import type { ChoiceStream } from "../choices/choices.js";
import { SIZES } from "../records/declarations.js";
import { ITEM_INDEXES, mayBeDamaged, SCALAR_INDEXES } from "../records/expected-rows.js";
import { QUERY_SIZES } from "../records/queries.js";
import type { Operation } from "./operation.js";
import type { SimulationOptions } from "./options.js";
import type { RecordStep } from "./record-steps.js";

type RecordOperation = Extract<Operation, { kind: "records" }>;
type CrashOperation = Extract<Operation, { kind: "crash" }>;

const STEPS = 4;
const DAMAGED_INDEXES = Object.entries(ITEM_INDEXES).flatMap(([name], at) =>
  mayBeDamaged(name) ? [at] : [],
);
/** Those that count twice what they are told twice. */
const TOTALS = Object.entries(ITEM_INDEXES).flatMap(([, { kind }], at) => (kind === "totals" ? [at] : []));
const MANAGED = 0.35;
/** Seldom, so that there are documents, and writers with the former schema, when it begins. */
const MIGRATES = 0.08;
/** A migration is a small part of a run: a crash that is drawn like all others would seldom meet it. */
const CRASHES_IN_MIGRATION = 0.7;
const MIGRATION_POINTS = [
  "migration.stage-begun",
  "migration.stage-prepared",
  "migration.stage-restructured",
  "migration.stage-built",
  "migration.batch-written",
  "migration.stage-finished",
] as const;
/** Builds are what it is about; and an index that is disabled is enabled sooner or later. */
const MANAGE_CALLS = [
  "build",
  "build",
  "build",
  "enable",
  "enable",
  "disable",
  "buildTwo",
  "buildFrom",
  "buildFrom",
  "rebuild",
  "shadow",
  "swap",
  "drop",
  "scrub",
  "damage",
  "anewFrom",
  "anewFrom",
  "damageAndScrub",
  "damageAndScrub",
] as const;
/** Large enough for parts, where parts are small. */
const TEXT_BYTES = [0, 0, 0, 30, 300, 1500] as const;

export class RecordGenerator {
  readonly #options: SimulationOptions;
  readonly #choices: ChoiceStream;
  /** Indexes of a run that calls are mostly about. */
  #managed: readonly [number, number] | null = null;
  /** What a client has given up last. */
  #abandoned: readonly RecordStep[] | null = null;

  #migration: RecordOperation | null = null;

  constructor(options: SimulationOptions, choices: ChoiceStream) {
    this.#options = options;
    this.#choices = choices;
  }

  /** The one that the crash before it is armed for. */
  migrationDue(): RecordOperation | null {
    const due = this.#migration;
    this.#migration = null;
    return due;
  }

  next(crashArmed: boolean): RecordOperation | CrashOperation {
    if (this.#options.workload === "index-builds" && this.#chance(MANAGED))
      return { kind: "records", steps: [this.#manage()] };
    if (this.#options.workload === "migrations" && this.#chance(MIGRATES)) return this.#migrate(crashArmed);
    const steps = this.#abandoned !== null && this.#chance(0.5) ? this.#abandoned : this.#steps();
    const abandons = this.#chance(0.1);
    this.#abandoned = abandons ? steps : null;
    const overrides = this.#chance(this.#options.durabilityOverrideProbability);
    const durability = this.#chance(0.5) ? "buffered" : "sync";
    const together = this.#chance(0.2);
    return {
      kind: "records",
      steps,
      ...(overrides ? { durability } : {}),
      ...(abandons ? { abandons: true } : {}),
      ...(together ? { together: true } : {}),
    };
  }

  #migrate(crashArmed: boolean): RecordOperation | CrashOperation {
    const migration: RecordOperation = { kind: "records", steps: [["migrate", 1 + this.#below(2)]] };
    const { everyOperations, powerLossProbability } = this.#options.crashes;
    if (crashArmed || everyOperations === 0 || !this.#chance(CRASHES_IN_MIGRATION)) return migration;
    this.#migration = migration;
    const how = this.#chance(powerLossProbability) ? "power-loss" : "process-kill";
    return { kind: "crash", how, at: this.#momentOfMigration(), nested: [] };
  }

  #momentOfMigration(): CrashOperation["at"] {
    const { atCalls, atTimes } = this.#options.crashes;
    if (atCalls && this.#chance(0.4)) return { calls: 1 + this.#below(this.#one([64, 256])) };
    if (atTimes && this.#chance(0.2)) return { afterMs: this.#below(1000) / this.#one([10, 100]) };
    return { point: this.#one(MIGRATION_POINTS), hits: 1 + this.#below(2) };
  }

  #steps(): RecordStep[] {
    return Array.from({ length: 1 + this.#below(STEPS) }, () => this.#step());
  }

  #step(): RecordStep {
    const kind = this.#below(24);
    if (kind >= 20) return this.#query();
    if (kind < 8) return this.#put();
    if (kind < 10) return ["remove", this.#id()];
    if (kind === 10) return ["again", this.#id()];
    if (kind < 13) return ["swap", this.#id(), this.#id()];
    if (kind < 15) return ["note", this.#below(this.#size()), this.#id(), this.#below(3)];
    if (kind === 15) return ["removeNote", this.#below(this.#size())];
    if (kind === 16) return ["get", this.#id()];
    if (kind === 17) {
      const collection = this.#chance(0.3) ? "Note" : "Item";
      return ["list", collection, this.#below(4), this.#chance(0.5)];
    }
    const index = this.#one(SCALAR_INDEXES);
    return ["find", index, this.#below(3), this.#id(), this.#below(4), this.#chance(0.5)];
  }

  #query(): RecordStep {
    const [first, second] = [this.#below(QUERY_SIZES.conditions), this.#below(QUERY_SIZES.conditions)];
    const either = this.#chance(0.25);
    const order = this.#below(QUERY_SIZES.orders);
    return ["query", first, this.#chance(0.4) ? 0 : second, either, order, this.#below(4), this.#below(4)];
  }

  #manage(): RecordStep {
    const how = this.#one(MANAGE_CALLS);
    const indexes = Object.keys(ITEM_INDEXES).length;
    // Mostly the same two in a run, so that one call finds what another has left.
    this.#managed ??= [this.#chance(0.3) ? 0 : this.#below(indexes), this.#one(TOTALS)];
    const [first, second] = this.#managed;
    // What is damaged is scrubbed.
    if (how === "damage" || how === "damageAndScrub" || (how === "scrub" && this.#chance(0.7)))
      return ["manage", how, this.#one(DAMAGED_INDEXES), this.#below(8), this.#below(4)];
    // Where an item stands in such a build matters to those only that count twice what they are told twice.
    if (how === "anewFrom") return ["manage", how, this.#one(TOTALS), this.#below(2), 1 + this.#below(3)];
    const index = this.#chance(0.15) ? this.#below(indexes) : this.#chance(0.6) ? first : second;
    // Of the first two one builds: the others do not have every item once.
    const other = how === "buildFrom" ? this.#below(2) : index === first ? second : first;
    return ["manage", how, index, other, this.#below(4)];
  }

  #put(): RecordStep {
    const name = this.#below(Math.min(SIZES.names, this.#size() + 2));
    const { groups, amounts, tags, places } = SIZES;
    return [
      "put",
      this.#id(),
      name,
      this.#below(groups),
      this.#below(amounts),
      this.#below(tags),
      this.#below(places),
      this.#one(TEXT_BYTES),
    ];
  }

  #id(): number {
    return this.#below(Math.min(SIZES.itemIds, this.#size()));
  }

  #size(): number {
    return this.#options.transactions.size;
  }

  #below(n: number): number {
    return this.#choices.below(n, "records.below");
  }

  #chance(probability: number): boolean {
    return this.#choices.chance(probability, "records.chance");
  }

  #one<T>(values: readonly T[]): T {
    return values[this.#choices.below(values.length, "records.one")] as T; // below(n) < n
  }
}
