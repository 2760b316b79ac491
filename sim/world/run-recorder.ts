/**
 * What a simulated machine and those who drive it tell someone who records the run for people (`sim/viewer`): spans
 * on named lanes, and single moments. Knows nothing of engines or operations, so that a workload of any program can be
 * recorded. Costs one comparison while nobody records. Promise to keep by recorders: looking changes nothing.
 */
import type { DiskRecorder } from "../disk/disk-recorder.js";

export type MomentKind = "life" | "crash-point" | "crash" | "finding" | "note";

export interface RunRecorder {
  /** For the disk of the machine. */
  readonly disk: DiskRecorder;
  /** Something begins on a lane. `id` tells it from others that are open on the same lane. */
  begins(lane: string, id: number, text: string): void;
  /** Nothing happens when no such span is open: a crash has ended it. */
  ends(lane: string, id: number, outcome: string): void;
  happens(kind: MomentKind, text: string): void;
  /** The scheduler is about to run a task. */
  turn(): void;
}
