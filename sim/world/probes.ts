/**
 * What the simulator puts behind the probes while a world runs: counts which crash points, coverage marks, buggify sites
 * and mutants are reached, decides by seed which rare branches are taken, and switches planted bugs on by name.
 * Does not decide when to crash; it tells `CrashPlan`.
 */
import type { ProbeHooks } from "../../src/platform/probes.js";
import type { ChoiceStream } from "../choices/choices.js";

/** FoundationDB's numbers: a site is on in a quarter of the seeds, and then fires a quarter of the time. */
const SITE_ACTIVE = 0.25;
const SITE_FIRES = 0.25;

export class SimulationProbes implements ProbeHooks {
  /** How often each crash point was reached. */
  readonly hits = new Map<string, number>();
  /** How often each coverage mark was reached. */
  readonly marks = new Map<string, number>();
  /** How often each buggify site took its rare branch. */
  readonly fired = new Map<string, number>();
  /** How often the place of each mutant was reached: of those that are on, or of all when they are watched. */
  readonly mutantSites = new Map<string, number>();
  readonly #choices: ChoiceStream;
  readonly #buggify: boolean;
  readonly #mutants: ReadonlySet<string>;
  readonly #watchesMutants: boolean;
  readonly #sites = new Map<string, boolean>();
  readonly #onCrashPoint: (id: string) => void;

  /** `onCrashPoint` may throw to end the simulated process there. */
  constructor(
    choices: ChoiceStream,
    options: {
      readonly buggify: boolean;
      readonly mutants: readonly string[];
      readonly watchesMutants?: boolean;
    },
    onCrashPoint: (id: string) => void,
  ) {
    this.#choices = choices;
    this.#buggify = options.buggify;
    this.#mutants = new Set(options.mutants);
    this.#watchesMutants = options.watchesMutants ?? false;
    this.#onCrashPoint = onCrashPoint;
  }

  crashPoint(id: string): void {
    this.hits.set(id, (this.hits.get(id) ?? 0) + 1);
    this.#onCrashPoint(id);
  }

  sometimes(id: string): void {
    this.marks.set(id, (this.marks.get(id) ?? 0) + 1);
  }

  buggify(site: string): boolean {
    if (!this.#buggify) return false;
    let active = this.#sites.get(site);
    if (active === undefined) {
      active = this.#choices.chance(SITE_ACTIVE, "buggify.active");
      this.#sites.set(site, active);
    }
    if (!active || !this.#choices.chance(SITE_FIRES, "buggify.fires")) return false;
    this.fired.set(site, (this.fired.get(site) ?? 0) + 1);
    return true;
  }

  mutant(id: string): boolean {
    if (this.#mutants.size === 0 && !this.#watchesMutants) return false;
    const isOn = this.#mutants.has(id);
    if (isOn || this.#watchesMutants) this.mutantSites.set(id, (this.mutantSites.get(id) ?? 0) + 1);
    return isOn;
  }
}
