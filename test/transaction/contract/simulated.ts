/** The engine on a simulated machine without faults, as a backend of the contract: each case is one process life. */
import { Choices } from "../../../sim/choices/choices.js";
import { SOUND_DISK } from "../../../sim/disk/options.js";
import { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import { Trace } from "../../../sim/trace/trace.js";
import { CALM_WORLD } from "../../../sim/world/faults.js";
import { World } from "../../../sim/world/world.js";
import type { Platform } from "../../../src/platform/platform.js";
import type { StorageDatabase } from "../../../src/transaction/database.js";
import { openEngineDatabase } from "../../../src/transaction/engine-database.js";
import type { CaseSetting } from "./backend.js";

const STEPS_MAX = 1_000_000;
/** Each case opens a store: their memory is most of what that costs. */
const SMALL = { memtableBytes: 1 << 20, blockCacheBytes: 1 << 20 };
const QUIET_MS_MAX = 600_000;

export async function runSimulated(
  body: (database: StorageDatabase, platform: Platform) => Promise<void>,
  { transactions = {} }: CaseSetting = {},
): Promise<void> {
  const choices = Choices.fromSeed("contract");
  const trace = new Trace();
  const world = new World(
    {
      schedule: "fifo",
      buggify: false,
      faults: CALM_WORLD,
      mutants: [],
      stepsMax: STEPS_MAX,
      stepsInAllMax: STEPS_MAX,
      quietMsMax: QUIET_MS_MAX,
    },
    choices,
    trace,
    (timers) => new SimulationDisk(SOUND_DISK, choices, trace, timers),
  );
  const end = await world.live(async ({ platform }) => {
    platform.vfs.makeDirectory("/data");
    const db = await openEngineDatabase("/data/db", { store: SMALL, transactions }, platform);
    try {
      await body(db, platform);
    } finally {
      await db.close();
    }
  });
  if (end.kind === "failed") throw end.error;
  if (end.kind !== "finished") throw new Error(`the simulated life ended: ${JSON.stringify(end)}`);
}
