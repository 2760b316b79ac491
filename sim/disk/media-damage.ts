/**
 * Damage to bytes at rest: sectors that cannot be read (S14) and bits that flip (S15). Strikes only clean pages of
 * the medium and only where the runner's budget (B4) allows it. Promise: damage is part of the medium, so that repeated
 * reads agree until the sector is rewritten. Does not own: damage on the way (`transfer-damage.ts`, `lost-write.ts`).
 */
import { assert } from "../../src/platform/assert.js";
import type { DiskState } from "./disk-state.js";
import { mix } from "./fault-dice.js";
import type { FileNode } from "./file-node.js";
import { copyOfPage, PAGE_BYTES, type Page, SECTOR_BYTES } from "./page.js";
import type { Path } from "./paths.js";

/** One rot in this many is worse than a flipped bit: a run of bytes, up to the whole sector. */
const RUNS_AMONG_ROTS = 8;

/** S14: one of the sectors in the range becomes unreadable, if it may. */
export function damageLatentSector(
  disk: DiskState,
  path: Path,
  node: FileNode,
  position: number,
  length: number,
  detail: number,
): void {
  const offset = pickSector(disk, path, node, position, length, detail);
  if (offset === null || node.latentSectors.has(offset / SECTOR_BYTES)) return;
  node.latentSectors.add(offset / SECTOR_BYTES);
  disk.durableVersion++;
  disk.counters.faults["S14 latent sector"]++;
  disk.recordDamage("latent-sector", path.text, offset, SECTOR_BYTES);
}

/** S15: one of the sectors in the range rots, if it may. Where in the sector follows from its content. */
export function damageBits(
  disk: DiskState,
  path: Path,
  node: FileNode,
  position: number,
  length: number,
  detail: number,
): void {
  const offset = pickSector(disk, path, node, position, length, detail);
  if (offset === null) return;
  const index = Math.floor(offset / PAGE_BYTES);
  const page = node.mediaPage(index);
  if (page === null) return;
  const rotten = copyOfPage(page);
  rotSector(rotten, offset % PAGE_BYTES, detail);
  node.replaceMediaPage(index, rotten);
  disk.durableVersion++;
  disk.counters.faults["S15 bit rot"]++;
  disk.recordDamage("bit-rot", path.text, offset, SECTOR_BYTES);
}

/** Flips one bit, on the medium and in the cache, whatever any budget says. */
export function flipBit(disk: DiskState, path: Path, node: FileNode, offset: number, bit: number): void {
  assert(offset >= 0 && offset < Math.max(node.size, node.mediaSize), "the byte to corrupt is in the file");
  assert(bit >= 0 && bit < 8, "the bit to flip is in a byte");
  const index = Math.floor(offset / PAGE_BYTES);
  const flipped = (page: Page | null): Page => {
    const copy = copyOfPage(page);
    copy[offset % PAGE_BYTES] = (copy[offset % PAGE_BYTES] as number) ^ (1 << bit);
    return copy;
  };
  const onMedium = node.mediaPage(index);
  const inCache = node.cachePage(index);
  if (offset < node.mediaSize) disk.accounting(node, () => node.replaceMediaPage(index, flipped(onMedium)));
  if (inCache !== null && inCache !== onMedium) node.replaceCachePage(index, flipped(inCache));
  disk.durableVersion++;
  disk.damage.push({ kind: "bit-rot", path: path.text, offset, length: 1 });
}

/** Where a read of the range meets a sector that is unreadable. Dirty pages come from the cache, unless `fromMedium`. */
export function unreadableOffset(
  node: FileNode,
  position: number,
  length: number,
  fromMedium: boolean,
): number | null {
  if (node.latentSectors.size === 0) return null;
  const last = Math.floor((position + length - 1) / SECTOR_BYTES);
  for (let sector = Math.floor(position / SECTOR_BYTES); sector <= last; sector++) {
    const offset = sector * SECTOR_BYTES;
    if (!node.latentSectors.has(sector)) continue;
    if (fromMedium || !node.dirty.has(Math.floor(offset / PAGE_BYTES))) return offset;
  }
  return null;
}

/** Offset of a sector in the range that is on the medium and that the budget gives free, or null. */
export function pickSector(
  disk: DiskState,
  path: Path,
  node: FileNode,
  position: number,
  length: number,
  detail: number,
): number | null {
  const first = Math.floor(position / SECTOR_BYTES);
  const count = Math.floor((position + length - 1) / SECTOR_BYTES) - first + 1;
  const offset = (first + (detail % count)) * SECTOR_BYTES;
  if (offset >= node.mediaSize || node.dirty.has(Math.floor(offset / PAGE_BYTES))) return null;
  return isAllowed(disk, path.text, offset, SECTOR_BYTES) ? offset : null;
}

/** Whether the budget (B4) lets faults of class D strike there. */
export function isAllowed(disk: DiskState, path: string, offset: number, length: number): boolean {
  return disk.damageAllowed !== null && disk.damageAllowed(path, offset, length);
}

/** Flips a bit of a sector, or spoils a run of bytes in it; which follows from its content. */
export function rotSector(page: Page, start: number, detail: number): void {
  let content = detail;
  for (let at = start; at < start + SECTOR_BYTES; at++) content = mix(content, page[at] as number);
  const first = start + (content % SECTOR_BYTES);
  // Not of `detail` itself: its low bits have chosen the sector.
  if (mix(detail, 0) % RUNS_AMONG_ROTS !== 0) {
    page[first] = (page[first] as number) ^ (1 << (content >>> 29));
    return;
  }
  const end = Math.min(first + 1 + (mix(content, 1) % SECTOR_BYTES), start + SECTOR_BYTES);
  for (let at = first; at < end; at++) page[at] = (page[at] as number) ^ (1 + (mix(content, at) % 255));
}
