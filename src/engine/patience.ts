/**
 * Waiting until nobody else has a file open. On Windows a virus scanner, an indexer or a backup program may look at any
 * file for a while, and whoever wants to replace or move it meanwhile is refused. Owns how long that is put up with.
 * Does not own: what may be tried again; the action must be one that has done nothing when it is refused, or that clears
 * away after itself.
 */
import { hasCode } from "../platform/errors.js";
import type { Scheduler } from "../platform/platform.js";
import { sometimes } from "../platform/probes.js";

const PAUSE_FIRST_MS = 10;
/** Eight pauses, each twice as long as the one before: two and a half seconds in all. */
const PAUSES_MAX = 8;

/** What `action` gives, tried again while it is refused with `FILE_BUSY`; with that error when patience is at its end. */
export async function whileBusy<Result>(scheduler: Scheduler, action: () => Result): Promise<Result> {
  for (let pause = 0; ; pause++) {
    try {
      return action();
    } catch (error) {
      if (!hasCode(error, "FILE_BUSY") || pause === PAUSES_MAX) throw error;
      sometimes("file.waited-for");
    }
    await new Promise<void>((resolve) => {
      scheduler.after(PAUSE_FIRST_MS * 2 ** pause, resolve, true);
    });
  }
}
