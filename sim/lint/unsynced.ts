/**
 * What an acknowledgement stands on, and which of it is not durable. Two ways to ask, for a store or any other program:
 * `lintAcknowledgement` goes by paths that the caller names, `findMissing` by trial: which unsynced things, lost, break
 * the promise. Neither needs a crash to happen, and neither changes the disk.
 * Does not own: when something is acknowledged, or what was promised.
 */
import type { CrashItem } from "../disk/crash-items.js";
import type { SimulationDisk } from "../disk/simulation-disk.js";

/**
 * The unsynced things among what `dependsOn` stands on. A file stands on its bytes, its size, its name and the names of
 * the directories above it; a directory (ending in "/") on all names in it and its own. Empty: all of it is durable.
 */
export function lintAcknowledgement(disk: SimulationDisk, dependsOn: readonly string[]): CrashItem[] {
  const items = disk.crashItems();
  const found = new Set<number>();
  items.forEach((item, index) => {
    if (dependsOn.some((path) => standsOn(disk, path, item))) withNeeds(items, index, found);
  });
  return [...found].sort((a, b) => a - b).flatMap((index) => items[index] ?? []);
}

function standsOn(disk: SimulationDisk, path: string, item: CrashItem): boolean {
  const isDirectory = path.endsWith("/");
  const own = isDirectory ? path.slice(0, -1) : path;
  if (item.kind !== "name") return !isDirectory && item.file === disk.fileNumberAt(path);
  for (const name of item.from === undefined ? [item.path] : [item.path, item.from]) {
    if (name === own || own.startsWith(`${name}/`)) return true;
    if (isDirectory && name.startsWith(path) && !name.slice(path.length).includes("/")) return true;
  }
  return false;
}

function withNeeds(items: readonly CrashItem[], index: number, found: Set<number>): void {
  if (found.has(index)) return;
  found.add(index);
  for (const needed of items[index]?.needs ?? []) withNeeds(items, needed, found);
}

/**
 * Null when the promise holds on what a power loss leaves that takes everything unsynced. Else the unsynced things that
 * it stands on: each of which, lost alone, breaks it; or, when it takes several, a set of them of which none can be
 * spared. `holds` is asked with crashed copies, at most three times for each unsynced thing.
 */
export async function findMissing(
  disk: SimulationDisk,
  holds: (crashed: SimulationDisk) => Promise<boolean>,
): Promise<CrashItem[] | null> {
  const items = disk.crashItems();
  const lost = items.map(({ sequences }) => sequences.length);
  if (await holds(disk.crashedCopy(lost))) return null;
  const alone: CrashItem[] = [];
  for (const [index, item] of items.entries()) {
    const answers = items.map((_, other) => (other === index ? (lost[other] ?? 0) : 0));
    if (!(await holds(disk.crashedCopy(answers)))) alone.push(item);
  }
  if (alone.length > 0) return alone;
  // Together they break it, so things are kept one after the other as long as it stays broken.
  let answers: readonly number[] = lost;
  for (let index = 0; index < items.length; index++) {
    const spared = answers.with(index, 0);
    if (!(await holds(disk.crashedCopy(spared)))) answers = spared;
  }
  return items.filter((_, index) => answers[index] !== 0);
}
