/**
 * Random programs on a simulated disk, for tests of recordings: every kind of call, failing syncs and writes, crashes.
 * `look` is called just before each event of the disk, and at the end, so that it sees the disk after each step.
 */
import type { DiskRecorder, RecordedDisk } from "../../../sim/disk/disk-recorder.js";
import { SimulatedCrash } from "../../../sim/disk/errors.js";
import { HOLE_CONTENTS, SYNC_FAILURES, SYNC_PERSONALITIES } from "../../../sim/disk/options.js";
import type { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import type { Recorder } from "../../../sim/viewer/recorder.js";
import { StillwaterError } from "../../../src/platform/errors.js";
import type { VFile, VFS } from "../../../src/platform/vfs.js";
import { type MachineOptions, machine } from "../disk/machine.js";

export interface ProgramStep {
  readonly call: number;
  readonly file: number;
  readonly other: number;
  readonly at: number;
  readonly length: number;
}

const PATHS = ["/a", "/b", "/d/a", "/d/b", "/d/e/c"];
const DIRECTORIES = ["/", "/d", "/d/e"];

/** A disk on which everything goes wrong often, by seed. */
export function roughDisk(seed: number): MachineOptions {
  return {
    capacityBytes: 4096 * (8 + (seed % 40)),
    tearProbability: (seed % 3) / 2,
    powersafeOverwrite: seed % 2 === 0,
    collateralProbability: 0.5,
    holeContent: HOLE_CONTENTS[seed % HOLE_CONTENTS.length] ?? "zeros",
    syncFailure: SYNC_FAILURES[seed % SYNC_FAILURES.length] ?? "clean-keep",
    personality: SYNC_PERSONALITIES[(seed >> 3) % SYNC_PERSONALITIES.length] ?? "posix-strict",
    splitRenameProbability: seed % 5 === 0 ? 0.5 : 0,
    delayedAllocation: seed % 7 === 0,
    faults: {
      syncError: 0.15,
      writeError: 0.1,
      shortWrite: 0.2,
      shortRead: 0.2,
      readError: 0.05,
      eviction: 0.3,
      bitRot: 0.1,
      writeCorruption: 0.05,
      lostWrite: 0.1,
      misdirectedWrite: 0.1,
      errorThoughDone: 0.05,
      interrupted: 0.05,
      nameError: 0.05,
      closeError: 0.05,
    },
  };
}

/** Runs the program on a new disk that `recorder` records. */
export function runProgram(
  seed: number,
  options: MachineOptions,
  program: readonly ProgramStep[],
  recorder: Recorder,
  look: (disk: SimulationDisk, recorded: RecordedDisk) => void,
): SimulationDisk {
  const { disk, timers } = machine(seed, options);
  disk.damageAllowed = () => true;
  let recorded: RecordedDisk | null = null;
  const looking = <Parameters extends unknown[]>(event: (...parameters: Parameters) => void) => {
    return (...parameters: Parameters): void => {
      if (recorded !== null && recorder.steps > 0) look(disk, recorded);
      event(...parameters);
    };
  };
  const inner = recorder.disk;
  const spying: DiskRecorder = {
    ...inner,
    attached(one) {
      recorded = one;
      inner.attached(one);
    },
    call: looking(inner.call),
    completion: looking(inner.completion),
    damage: looking(inner.damage),
    crash: looking(inner.crash),
  };
  disk.recorder = spying;
  let vfs: VFS = disk.mount();
  const open = new Map<number, VFile>();
  for (const step of program) {
    if (step.call === 14) timers.run();
    else if (step.call === 15 && step.at % 3 === 0) {
      disk.crash(step.length % 4 === 0 ? "process-kill" : "power-loss");
      open.clear();
      vfs = disk.mount();
    } else tolerant(() => carryOut(step, vfs, open, disk));
  }
  if (recorded !== null) look(disk, recorded);
  return disk;
}

function carryOut(step: ProgramStep, vfs: VFS, open: Map<number, VFile>, disk: SimulationDisk): void {
  const path = PATHS[step.file % PATHS.length] as string;
  const other = PATHS[step.other % PATHS.length] as string;
  const directory = DIRECTORIES[step.file % DIRECTORIES.length] as string;
  const file = open.get(step.file);
  const bytes = new Uint8Array(step.length).fill(1 + (step.at % 255));
  switch (step.call) {
    case 0:
      open.get(step.file)?.close();
      open.set(step.file, vfs.createFile(path));
      return;
    case 1:
      open.get(step.file)?.close();
      open.set(step.file, vfs.openFile(path, "readWrite"));
      return;
    case 2:
      return vfs.removeFile(path);
    case 3:
      return vfs.rename(path, other);
    case 4:
      return vfs.link(path, other);
    case 5:
      return vfs.makeDirectory(directory);
    case 6:
      return vfs.removeDirectory(directory);
    case 7:
      return vfs.syncDirectory(directory);
    case 8:
      return file?.truncate(step.at);
    case 9:
      return file?.syncData();
    case 10:
      return file?.syncDataLater(() => {});
    case 11:
      file?.read(bytes, 0, bytes.length, step.at);
      return;
    case 12:
      if (step.at % 2 === 0) return disk.dropCaches();
      return rot(step, path, vfs, disk);
    default:
      return file?.write(bytes, 0, bytes.length, step.at);
  }
}

/** A bit of the file flips at rest, in the cache and on the medium. */
function rot(step: ProgramStep, path: string, vfs: VFS, disk: SimulationDisk): void {
  const size = vfs.stat(path)?.size ?? 0;
  if (size > 0) disk.corrupt(path, step.at % size, step.length % 8);
}

function tolerant(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof StillwaterError || error instanceof SimulatedCrash)) throw error;
  }
}
