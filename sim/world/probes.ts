/**
 * What the simulator puts behind `crashPoint`, `buggify` and `mutant` while a world runs: counts which crash points
 * are reached, decides by seed which rare branches are taken, and switches planted bugs on by name.
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
  /** How often each mutant switch was asked for while on. */
  readonly mutantsReached = new Set<string>();
  readonly #choices: ChoiceStream;
  readonly #buggify: boolean;
  readonly #mutants: ReadonlySet<string>;
  readonly #sites = new Map<string, boolean>();
  readonly #onCrashPoint: (id: string) => void;

  /** `onCrashPoint` may throw to end the simulated process there. */
  constructor(
    choices: ChoiceStream,
    buggify: boolean,
    mutants: readonly string[],
    onCrashPoint: (id: string) => void,
  ) {
    this.#choices = choices;
    this.#buggify = buggify;
    this.#mutants = new Set(mutants);
    this.#onCrashPoint = onCrashPoint;
  }

  crashPoint(id: string): void {
    this.hits.set(id, (this.hits.get(id) ?? 0) + 1);
    this.#onCrashPoint(id);
  }

  buggify(site: string): boolean {
    if (!this.#buggify) return false;
    let active = this.#sites.get(site);
    if (active === undefined) {
      active = this.#choices.chance(SITE_ACTIVE, "buggify.active");
      this.#sites.set(site, active);
    }
    return active && this.#choices.chance(SITE_FIRES, "buggify.fires");
  }

  mutant(id: string): boolean {
    if (this.#mutants.size === 0 || !this.#mutants.has(id)) return false;
    this.mutantsReached.add(id);
    return true;
  }
}
