/**
 * Asynchronous calls in flight: when each completes (S33, S36), in which order (S34), and whether at all (S35). Promise: a
 * call completes at most once, and never after the end of its process. Does not own: what a call does then.
 */
import type { ChoiceStream } from "../choices/choices.js";
import { type DiskState, type Life, TRACE_COMPLETION } from "./disk-state.js";
import type { FileNode } from "./file-node.js";
import { WATCHDOG_MS } from "./life-faults.js";
import type { Path } from "./paths.js";

const LATENCY_STEPS = 1 << 16;

/** An asynchronous call that has not completed. */
export interface Flight {
  readonly submission: number;
  readonly sinceMs: number;
  readonly path: Path;
  /** The file being synced; null for reads. */
  readonly syncs: FileNode | null;
  readonly task: () => void;
}

export class Completions {
  private readonly disk: DiskState;
  private readonly latency: ChoiceStream;
  private submissions = 0;
  private lastCompleted = 0;

  constructor(disk: DiskState, latency: ChoiceStream) {
    this.disk = disk;
    this.latency = latency;
  }

  /** Completes a call after the disk's latency, unless the life has ended by then, or is stuck. */
  later(life: Life, path: Path, syncs: FileNode | null, task: () => void): void {
    const sinceMs = this.disk.timers.nowMs();
    const flight: Flight = { submission: ++this.submissions, sinceMs, path, syncs, task };
    life.flights.add(flight);
    const complete = (): void => this.complete(life, flight);
    this.disk.timers.after(this.drawLatencyMs(life), () => {
      if (this.isStuck(life)) this.keepStuck(life, complete);
      else complete();
    });
  }

  /** S35 ends with the faults: what is stuck completes. */
  release(life: Life): void {
    for (const complete of life.stuck.splice(0)) this.disk.timers.after(0, complete);
  }

  private complete(life: Life, flight: Flight): void {
    // Without reordering the oldest call completes, whichever was to: as many come to their end.
    const [oldest] = life.flights;
    const completed = this.disk.options.reorderCompletions ? flight : oldest;
    if (completed === undefined || !life.flights.delete(completed)) return;
    if (completed.submission < this.lastCompleted) this.disk.counters.faults["S34 reordered completion"]++;
    this.lastCompleted = Math.max(this.lastCompleted, completed.submission);
    this.disk.trace.event(TRACE_COMPLETION, completed.path.id, completed.submission, 0);
    if (this.disk.trace.recording)
      this.disk.trace.line(`completes ${completed.path.text} #${completed.submission}`);
    if (this.disk.recorder !== null) this.disk.recorder.completion(completed.path.text, completed.submission);
    completed.task();
  }

  private isStuck(life: Life): boolean {
    const { stuckFromMs } = life.faults;
    return (
      stuckFromMs !== Number.POSITIVE_INFINITY &&
      this.disk.faultsEnabled &&
      this.disk.timers.nowMs() >= stuckFromMs
    );
  }

  private keepStuck(life: Life, complete: () => void): void {
    this.disk.counters.faults["S35 stuck"]++;
    this.disk.wasStuck = true;
    life.stuck.push(complete);
    if (life.stuck.length > 1) return;
    this.disk.timers.after(WATCHDOG_MS, () => {
      if (life.alive && life.stuck.length > 0) this.disk.onStuck?.(life.faults.stuckEndsIn);
    });
  }

  /** S33: exponential over a minimum, by inversion. */
  private drawLatencyMs(life: Life): number {
    const { minimumMs, meanMs, stallProbability, stallFactor } = this.disk.options.latency;
    const step = this.latency.below(LATENCY_STEPS, "latency.step");
    const stalls = this.latency.chance(this.disk.faultsEnabled ? stallProbability : 0, "latency.stall");
    if (!this.disk.faultsEnabled) return minimumMs;
    let delayMs = minimumMs - Math.log(1 - step / LATENCY_STEPS) * Math.max(0, meanMs - minimumMs);
    const { slowFromMs, slowToMs } = life.faults;
    if (slowFromMs !== Number.POSITIVE_INFINITY) {
      const nowMs = this.disk.timers.nowMs();
      if (nowMs >= slowFromMs && nowMs < slowToMs) {
        this.disk.counters.faults["S36 slow window"]++;
        delayMs *= stallFactor;
      }
    }
    if (!stalls) return delayMs;
    this.disk.counters.faults["S33 stall"]++;
    return delayMs * stallFactor;
  }
}
