/**
 * The four places where product code helps its tester: crash points, coverage marks, buggify sites and mutant switches.
 * Here they are hooks that the simulator installs; `scripts/build.mjs` removes every call from the published build
 * (`crashPoint(…)` and `sometimes(…)` disappear, `buggify(…)` and `mutant(…)` become `false`), so production pays nothing.
 * Promise: with no hooks installed nothing happens. Does not own: the catalogue of ids (`test` and `sim` read it from
 * the sources: `CRASH_POINT(id: …)` annotations, calls of the others; a `// RARE: reason` on the line above a mark or an
 * annotation says that no run need reach it).
 */

export interface ProbeHooks {
  /** Called at a named durable step; may throw to end the simulated process there. */
  crashPoint(id: string): void;
  /** A state worth reaching has been reached. */
  sometimes(id: string): void;
  /** True when the rare branch at this named site should be taken now. */
  buggify(site: string): boolean;
  /** True when the planted bug of this name is switched on. */
  mutant(id: string): boolean;
}

let hooks: ProbeHooks | null = null;

/** Marks a durable step. Each call carries a `// CRASH_POINT(id: …)` comment on the line above. */
export function crashPoint(id: string): void {
  if (hooks !== null) hooks.crashPoint(id);
}

/**
 * Marks a state that an ensemble of simulations must reach (FoundationDB's CODE_PROBE, Antithesis' "sometimes"), where
 * `holds` is true. Both arguments are without effects, since the published build evaluates neither.
 */
export function sometimes(id: string, holds = true): void {
  if (hooks !== null && holds) hooks.sometimes(id);
}

/** FoundationDB's BUGGIFY: lets a simulation take a legal but rare path (tiny buffers, early flushes). */
export function buggify(site: string): boolean {
  return hooks !== null && hooks.buggify(site);
}

/** A planted bug, used to prove that the simulator can fail. Never true in production. */
export function mutant(id: string): boolean {
  return hooks !== null && hooks.mutant(id);
}

/** Installs hooks for the calling thread and returns the ones that were there before. Simulator only. */
export function installProbes(next: ProbeHooks | null): ProbeHooks | null {
  const previous = hooks;
  hooks = next;
  return previous;
}
