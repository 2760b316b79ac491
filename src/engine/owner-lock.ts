/**
 * Taking the lock of a store's directory, at once or within a time: somebody who restarts a program need not guess how long
 * the former process takes to end. Asks again and again, since no kernel tells Node when a lock becomes free; at growing
 * intervals, and not in step with others who wait. Owns no order among those: whoever asks first when it is free has it.
 */
import { hasCode, StillwaterError } from "../platform/errors.js";
import type { Platform } from "../platform/platform.js";
import { sometimes } from "../platform/probes.js";
import type { VLock } from "../platform/vfs.js";

const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 100;

/** Throws `LOCKED` when the lock is still taken after `timeoutMs`; 0 asks once. Other errors end the waiting at once. */
export async function takeOwnerLock(
  { vfs, clock, random, scheduler }: Platform,
  directory: string,
  timeoutMs: number,
): Promise<VLock> {
  const deadlineMs = clock.nowMs() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await vfs.lockDirectory(directory);
    } catch (error) {
      if (!hasCode(error, "LOCKED")) throw error;
      const leftMs = deadlineMs - clock.nowMs();
      if (leftMs <= 0) throw timeoutMs === 0 ? error : waitedInVain(error, timeoutMs);
      sometimes("store.waits-for-the-lock");
      // Between half and all of the pause: two who wait would otherwise meet at every try, and some locks refuse both then.
      const jitter = 0.5 + random.nextUint32() / 2 ** 33;
      await new Promise<void>((resolve) => {
        scheduler.after(Math.min(pauseMs * jitter, leftMs), resolve, true);
      });
    }
  }
}

function waitedInVain(last: StillwaterError, timeoutMs: number): StillwaterError {
  const { path, operation, owner, ownerPid } = last;
  return new StillwaterError("LOCKED", `${last.message} Waited ${timeoutMs} ms for it.`, {
    cause: last,
    ...(path === undefined ? {} : { path }),
    ...(operation === undefined ? {} : { operation }),
    ...(owner === undefined ? {} : { owner }),
    ...(ownerPid === undefined ? {} : { ownerPid }),
  });
}
