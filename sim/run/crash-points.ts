/**
 * The catalogue of crash points, read from the `CRASH_POINT(id: …)` annotations in the sources that are running, so that
 * it cannot lag behind them. A point that no run ever reaches is a test that never tests (O26).
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface CrashPointSite {
  readonly id: string;
  /** Path below the sources, and line. */
  readonly places: readonly string[];
}

/** Every annotated crash point below `src`, by id. O(size of the sources). */
export function readCrashPoints(): CrashPointSite[] {
  const root = fileURLToPath(new URL("../../src", import.meta.url));
  const places = new Map<string, string[]>();
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" }).sort()) {
    if (!/\.[jt]s$/.test(name) || name.endsWith(".d.ts")) continue;
    readFileSync(`${root}/${name}`, "utf8")
      .split("\n")
      .forEach((line, index) => {
        const id = /^\s*\/\/ CRASH_POINT\(id: ([\w.-]+)\)\s*$/.exec(line)?.[1];
        if (id !== undefined) places.set(id, [...(places.get(id) ?? []), `${name}:${index + 1}`]);
      });
  }
  return [...places].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, at]) => ({ id, places: at }));
}
