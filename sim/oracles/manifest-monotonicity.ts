/**
 * O7. Verifies: within a life the numbers that the engine shows never go back; what the durable manifest held is never
 * undercut, in any later life; and the versions that commits are answered with rise in the order of submission and are
 * never given twice.
 * Does not verify: that the numbers rise when they should (recovery would then lose commits, which O1 sees).
 */
import type { LoadedManifest } from "../../src/engine/manifest/manifest-log.js";
import type { StoreInspection } from "../../src/engine/store-types.js";
import type { Commit } from "../model/commit.js";
import type { Model } from "../model/model.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

const COUNTERS = ["manifestNumber", "editNumber", "nextFileNumber", "lastVersion", "minWalNumber"] as const;
type Counters = Readonly<Record<(typeof COUNTERS)[number], number>>;

export class ManifestMonotonicity {
  readonly #ledger: OracleLedger;
  #seen: Counters | null = null;
  #durable: Counters | null = null;

  constructor(ledger: OracleLedger) {
    this.#ledger = ledger;
  }

  /** A new life begins: what was only in memory is gone, what was durable is not. */
  newLife(): void {
    this.#seen = this.#durable;
  }

  observeEngine(inspection: StoreInspection): void {
    this.#seen = this.#checked(this.#seen, inspection, "the engine");
  }

  observeDurable(manifest: Pick<LoadedManifest, "counters" | "manifestNumber" | "editNumber">): void {
    const { counters, manifestNumber, editNumber } = manifest;
    const { nextFileNumber, lastVersion, minWalNumber } = counters;
    const seen = { manifestNumber, editNumber, nextFileNumber, lastVersion, minWalNumber };
    this.#durable = this.#checked(this.#durable, seen, "the durable manifest");
  }

  #checked(before: Counters | null, now: Counters, where: string): Counters {
    this.#ledger.count("O7");
    if (before !== null) {
      const name = COUNTERS.find((counter) => now[counter] < before[counter]);
      if (name !== undefined) {
        throw new OracleFailure("O7", `${name} of ${where} went from ${before[name]} back to ${now[name]}`);
      }
    }
    const { manifestNumber, editNumber, nextFileNumber, lastVersion, minWalNumber } = now;
    return { manifestNumber, editNumber, nextFileNumber, lastVersion, minWalNumber };
  }
}

/** The version that answers `commit` lies above all earlier ones, of this life and of former ones. */
export function checkCommitVersion(
  ledger: OracleLedger,
  model: Model,
  commit: Commit,
  version: number,
): void {
  ledger.count("O7");
  if (!Number.isSafeInteger(version)) {
    throw new OracleFailure("O7", `${commit.describe()} was answered with version ${version}`);
  }
  const clash = (other: string): never => {
    throw new OracleFailure("O7", `${commit.describe()} was answered with version ${version}, but ${other}`);
  };
  if (version <= model.versionsUsed) clash(`versions up to ${model.versionsUsed} were used in former lives`);
  for (let i = model.commits.length - 1; i >= 0; i--) {
    const other = model.commits[i] as Commit; // i < length
    if (other.outcome !== "acknowledged" || other === commit) continue;
    if (other.sequence > commit.sequence) {
      if (other.version <= version) clash(`the later ${other.describe()}`);
    } else {
      if (other.version >= version) clash(`the earlier ${other.describe()}`);
      break;
    }
  }
}

/** A recovered store is at least at the version of the last commit that it surely holds. */
export function checkRecoveredVersion(
  ledger: OracleLedger,
  model: Model,
  sequence: number,
  version: number,
): void {
  ledger.count("O7");
  const needed = model.versionAt(sequence);
  if (version >= needed) return;
  throw new OracleFailure(
    "O7",
    `the store recovered at version ${version}, but holds commit ${sequence} of version ${needed}`,
  );
}
