/**
 * The three places where product code helps its tester: crash points, buggify sites and mutant switches.
 * Here they are hooks that the simulator installs; `scripts/build.mjs` removes every call from the published build
 * (`crashPoint(…)` disappears, `buggify(…)` and `mutant(…)` become `false`), so production pays nothing.
 * Promise: with no hooks installed nothing happens. Does not own: the catalogue of ids (`test` and `sim` read the
 * `CRASH_POINT(id: …)` annotations from the sources).
 */

export interface ProbeHooks {
  /** Called at a named durable step; may throw to end the simulated process there. */
  crashPoint(id: string): void;
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
