/**
 * What the commands of the simulator end with when promises were broken: 129 safety, 128 liveness, 127 the simulator
 * itself, 126 a seed that did not run twice the same way. Of several failures the gravest counts.
 */
import type { FailureClass, SeedResult } from "../run/seed.js";

export const EXIT_CODES: Readonly<Record<FailureClass, number>> = {
  safety: 129,
  liveness: 128,
  harness: 127,
  determinism: 126,
};
/** The gravest first: a run that cannot be repeated explains nothing else. */
const GRAVITY: readonly FailureClass[] = ["determinism", "harness", "safety", "liveness"];

export function setExitCode(results: readonly SeedResult[]): void {
  const classes = new Set(results.map(({ failure }) => failure?.class));
  const gravest = GRAVITY.find((one) => classes.has(one));
  if (gravest !== undefined) process.exitCode = EXIT_CODES[gravest];
}
