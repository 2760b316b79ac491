/** The contract of `VFS` over a simulated disk without faults, as over a real one. */

import { Choices } from "../../../sim/choices/choices.js";
import { SOUND_DISK } from "../../../sim/disk/options.js";
import { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import { Trace } from "../../../sim/trace/trace.js";
import { describeVFS } from "../../platform/vfs-conformance.js";

const timers = { after: (_: number, task: () => void) => void setImmediate(task), nowMs: () => 0 };

describeVFS("SimulationVFS", () => {
  const disk = new SimulationDisk(SOUND_DISK, Choices.fromSeed("conformance"), new Trace(), timers);
  const vfs = disk.mount();
  vfs.makeDirectory("/store");
  return { vfs, root: "/store", cleanup: () => undefined };
});
