/** How long a client of a transaction workload waits before its next call. Does not own: what it does then. */
import type { Session } from "./session.js";

/** Longer than a read version is kept. */
const LONG_THINK_MS = 5_300;
const THINK_STEPS = 8;

/** Lets others run, and time pass. */
export function think({ world, options, life }: Session): Promise<void> {
  const { thinkMsMax, longThinkProbability } = options.transactions;
  const choices = world.choices.stream("clients");
  const steps = thinkMsMax === 0 ? 0 : choices.below(THINK_STEPS, "clients.thinks");
  const isLong = choices.chance(longThinkProbability, "clients.thinks-long");
  const longMs = isLong ? LONG_THINK_MS * (1 + choices.below(3, "clients.thinks-longer")) : 0;
  const thinkMs = (thinkMsMax * steps) / (THINK_STEPS - 1) + longMs;
  return new Promise((resolve) => {
    if (thinkMs === 0) life.scheduler.defer(resolve);
    else life.scheduler.afterExactly(thinkMs, resolve);
  });
}
