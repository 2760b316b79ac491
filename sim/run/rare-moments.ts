/**
 * Trouble in moments that last only a few calls and that chance hardly ever meets: while a store is opened or closed,
 * while a checkpoint is put together, and while no process runs at all. The kill matrix shows what is found only here.
 * Decisions come from the stream `rest`. Does not own: what a crash or a failed sync does.
 */
import { parseFileName } from "../../src/engine/files.js";
import { baseName } from "../../src/platform/path.js";
import type { Session } from "./session.js";

/** How probable it is that the power fails while no process runs. */
const REST_POWER_LOSS = 0.3;
/** How probable it is that a process ends while it opens a store, at one of so many first calls; mostly without power. */
const CRASH_IN_OPENING = 0.1;
const OPENING_CALLS = 80;
const POWER_LOSS = 0.7;
/** How probable it is that power fails in a checkpoint or in what is restored from it: at a call, or at the rename. */
const CRASH_IN_COPYING = 0.3;
const COPYING_CALLS = 80;
const CRASH_IN_BACKUP = 0.15;
const RENAMED = "partial.renamed";
/** How probable it is that a process ends while it destroys or repairs a database beside: at a crash point, at a call. */
const CRASH_BESIDE = 0.4;
const SIDE_POINTS = 8;
const SIDE_CALLS = 120;
/** How probable it is that one of the first few syncs of a life, or of closing, fails, in a run where syncs may. */
const SYNC_FAILS = 0.08;
const SYNC_FAILS_IN_CLOSING = 0.3;
const FIRST_SYNCS = 6;
/** How probable it is that the sync which fails in closing is one of a manifest: mostly of the edit before its seal. */
const OF_A_MANIFEST = 0.7;

export function disturbOpening(session: Session): void {
  const { world, disk, options } = session;
  const { everyOperations, atCalls } = options.crashes;
  const choices = world.choices.stream("rest");
  if (
    world.crashes.armed === null &&
    everyOperations > 0 &&
    atCalls &&
    choices.chance(CRASH_IN_OPENING, "rest.crash-in-opening")
  ) {
    world.crashes.arm({
      how: choices.chance(1 - POWER_LOSS, "rest.kill") ? "process-kill" : "power-loss",
      at: { calls: 1 + choices.below(OPENING_CALLS, "rest.opening-call") },
    });
  }
  if (choices.chance(SYNC_FAILS, "rest.sync-fails"))
    disk.failSync(1 + choices.below(FIRST_SYNCS, "rest.sync"));
}

export function disturbClosing({ world, disk }: Session): void {
  const choices = world.choices.stream("rest");
  if (!choices.chance(SYNC_FAILS_IN_CLOSING, "rest.sync-fails")) return;
  const syncs = 1 + choices.below(FIRST_SYNCS, "rest.sync");
  if (choices.chance(OF_A_MANIFEST, "rest.sync-of-manifest"))
    disk.failSync(Math.ceil(syncs / 3), (path) => parseFileName(baseName(path)).kind === "manifest");
  else disk.failSync(syncs);
}

export function disturbCopying({ world, options }: Session): void {
  const { everyOperations, atCalls, atPoints } = options.crashes;
  if (everyOperations === 0 || world.crashes.armed !== null) return;
  const choices = world.choices.stream("rest");
  if (!choices.chance(CRASH_IN_COPYING, "rest.crash-in-copying")) return;
  const isAtPoint = choices.chance(0.5, "rest.copying-point");
  if (isAtPoint && atPoints) {
    // The second is that of the restored store.
    const at = { point: RENAMED, hits: 1 + choices.below(2, "rest.copying-hits") };
    world.crashes.arm({ how: "power-loss", at });
  } else if (atCalls) {
    const at = { calls: 1 + choices.below(COPYING_CALLS, "rest.copying-call") };
    world.crashes.arm({ how: "power-loss", at });
  }
}

export function disturbBackups({ world, options }: Session): void {
  const { everyOperations, atCalls } = options.crashes;
  if (everyOperations === 0 || world.crashes.armed !== null || !atCalls) return;
  const choices = world.choices.stream("rest");
  if (!choices.chance(CRASH_IN_BACKUP, "rest.crash-in-backup")) return;
  world.crashes.arm({
    how: choices.chance(POWER_LOSS, "rest.power") ? "power-loss" : "process-kill",
    at: { calls: 1 + choices.below(COPYING_CALLS, "rest.backup-call") },
  });
}

/** While a small database is destroyed or repaired beside the store. */
export function disturbSide({ world, options }: Session): void {
  const { everyOperations, atCalls, atPoints } = options.crashes;
  if (everyOperations === 0 || world.crashes.armed !== null) return;
  const choices = world.choices.stream("rest");
  if (!choices.chance(CRASH_BESIDE, "rest.crash-beside")) return;
  const how = choices.chance(1 - POWER_LOSS, "rest.kill") ? "process-kill" : "power-loss";
  if (atPoints && choices.chance(0.5, "rest.side-point")) {
    world.crashes.arm({ how, at: { point: "*", hits: 1 + choices.below(SIDE_POINTS, "rest.side-hits") } });
  } else if (atCalls) {
    world.crashes.arm({ how, at: { calls: 1 + choices.below(SIDE_CALLS, "rest.side-call") } });
  }
}

/** Between two processes. Whether the power has failed. */
export function losesPowerAtRest({ world, disk, options, counts }: Session): boolean {
  if (options.crashes.everyOperations === 0) return false;
  if (!world.choices.stream("rest").chance(REST_POWER_LOSS, "rest.power-loss")) return false;
  disk.crash("power-loss");
  counts.powerLosses++;
  return true;
}
