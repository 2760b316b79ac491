// What a measurement is made of: operations a second, latencies, stalls of the event loop, bytes written, memory, disk.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";

/** Operations a second. */
export async function rate(operations, work) {
  const start = performance.now();
  await work();
  return operations / ((performance.now() - start) / 1000);
}

/** The same for work without a promise, so that none is measured. */
export function rateSync(operations, work) {
  const start = performance.now();
  work();
  return operations / ((performance.now() - start) / 1000);
}

/** Latencies of single calls in milliseconds. */
export class Latencies {
  #times;
  #count = 0;

  constructor(most) {
    this.#times = new Float64Array(most);
  }

  async time(call) {
    const start = performance.now();
    await call();
    this.#times[this.#count++] = performance.now() - start;
  }

  /** `share` between 0 and 1. */
  percentile(share) {
    const sorted = this.#times.subarray(0, this.#count).toSorted();
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  }
}

/** The longest time for which nobody else got a turn while `work` ran, in milliseconds, to about one. */
export async function longestStall(work) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  delay.disable();
  return Math.max(0, delay.max / 1e6 - 1);
}

/** Bytes that this process has sent to the disk or dirtied in mapped pages; null where the system does not tell. */
export function bytesWritten() {
  try {
    const found = /^write_bytes: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"));
    return found === null ? null : Number(found[1]);
  } catch {
    return null;
  }
}

/** Blocks that the files of a directory take up. */
export function diskBytes(directory) {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).blocks * 512;
  return bytes;
}

/** Of the files that are a log, by their names. */
export function logBytes(directory) {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true }))
    if (/\.(log|wal)$|-wal$/.test(entry.name)) bytes += statSync(join(entry.parentPath, entry.name)).size;
  return bytes;
}

export const mebibytes = (bytes) => bytes / 1024 / 1024;

export function peakMemoryMib() {
  return process.resourceUsage().maxRSS / 1024;
}

export { turn };
