/** The contract of `VFS` over a simulated disk without faults, as over a real one, on each kind of machine. */

import { Choices } from "../../../sim/choices/choices.js";
import { type DiskOptions, MACHINES, SOUND_DISK } from "../../../sim/disk/options.js";
import { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import { Trace } from "../../../sim/trace/trace.js";
import { describeVFS } from "../../platform/vfs-conformance.js";

const timers = { after: (_: number, task: () => void) => void setImmediate(task), nowMs: () => 0 };

for (const machine of MACHINES) conforms(machine, { machine });
conforms("a volume without links", { links: false });

function conforms(name: string, options: Partial<DiskOptions>): void {
  describeVFS(`SimulationVFS, ${name}`, () => {
    const all = { ...SOUND_DISK, ...options };
    const disk = new SimulationDisk(all, Choices.fromSeed("conformance"), new Trace(), timers);
    const vfs = disk.mount();
    vfs.makeDirectory("/store");
    return { vfs, root: "/store", cleanup: () => undefined };
  });
}
