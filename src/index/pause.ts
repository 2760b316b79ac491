/** Waiting in a long job, which a signal ends early. Owns the timer: none is left behind. */
import { StillwaterError } from "../platform/errors.js";
import type { Scheduler } from "../platform/platform.js";

/** At once for 0. Throws as `throwIfStopped`. */
export async function pause(
  scheduler: Scheduler,
  delayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  throwIfStopped(signal);
  if (delayMs <= 0) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = scheduler.after(delayMs, end, true);
    signal?.addEventListener("abort", end);
  });
  throwIfStopped(signal);
}

/** Throws `OPERATION_CANCELLED`. */
export function throwIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new StillwaterError(
    "OPERATION_CANCELLED",
    "the work was stopped on request. What it has committed stays; start it again to go on.",
    { cause: signal.reason },
  );
}
