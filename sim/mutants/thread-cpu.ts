/**
 * CPU time of the calling thread, which is what a kill costs on a machine that does other things as well. Linux tells
 * it by thread; elsewhere wall time stands in for it.
 */
import { readFileSync } from "node:fs";

/** Milliseconds since some moment in the past. */
export function threadCpuMs(): number {
  try {
    // "on-CPU waiting slices": nanoseconds first.
    const [onCpuNs] = readFileSync("/proc/thread-self/schedstat", "utf8").split(" ");
    return Number(onCpuNs) / 1e6;
  } catch {
    return performance.now();
  }
}
