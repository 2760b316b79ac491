/**
 * Bytes that are damaged on their way: one read gives wrong bytes (S16) or those of another sector (S19), or a write
 * stores wrong ones (S17). Strikes only where the runner's budget (B4) allows it. Promise: S16 and S19 change nothing
 * but the answer, and never one that comes from a dirty page, which no device was asked for.
 */
import type { DiskState } from "./disk-state.js";
import { mix } from "./fault-dice.js";
import type { FileNode } from "./file-node.js";
import { isAllowed, pickSector } from "./media-damage.js";
import { SECTOR_BYTES } from "./page.js";
import type { Path } from "./paths.js";

/** Where `target[start, start + length)` got the bytes of a file from. */
export interface ReadRange {
  readonly target: Uint8Array;
  readonly start: number;
  readonly length: number;
  readonly position: number;
}

/** S16: one byte of the answer is wrong. */
export function spoilAnswer(
  disk: DiskState,
  path: Path,
  node: FileNode,
  read: ReadRange,
  detail: number,
): void {
  const { target, start, length, position } = read;
  const at = mix(detail, length) % length;
  if (pickSector(disk, path, node, position + at, 1, 0) === null) return;
  target[start + at] = (target[start + at] as number) ^ (1 << (detail % 8));
  disk.counters.faults["S16 wrong bytes read"]++;
  disk.recordDamage("wrong-read", path.text, position + at, 1);
}

/** S19: where a sector's bytes should be are those of another sector of the file. */
export function swapSector(
  disk: DiskState,
  path: Path,
  node: FileNode,
  read: ReadRange,
  detail: number,
): void {
  const { target, start, length, position } = read;
  const offset = pickSector(disk, path, node, position, length, detail);
  const sectors = Math.floor(node.mediaSize / SECTOR_BYTES);
  if (offset === null || sectors < 2) return;
  const wanted = offset / SECTOR_BYTES;
  const other = (wanted + 1 + (mix(detail, sectors) % (sectors - 1))) % sectors;
  const sector = new Uint8Array(SECTOR_BYTES);
  node.readMedia(sector, 0, SECTOR_BYTES, other * SECTOR_BYTES);
  const from = Math.max(offset, position);
  const to = Math.min(offset + SECTOR_BYTES, position + length);
  const wrong = sector.subarray(from - offset, to - offset);
  const at = start + from - position;
  if (Buffer.compare(wrong, target.subarray(at, at + wrong.length)) === 0) return;
  target.set(wrong, at);
  disk.counters.faults["S19 misdirected read"]++;
  disk.recordDamage("misdirected-read", path.text, from, wrong.length);
}

/** S17: a copy of what is to be written with one bit flipped, or null where that is not allowed. */
export function spoiltCopy(
  disk: DiskState,
  path: Path,
  source: Uint8Array,
  position: number,
  detail: number,
): Uint8Array | null {
  const at = mix(detail, source.length) % source.length;
  if (!isAllowed(disk, path.text, position + at, 1)) return null;
  const copy = source.slice();
  copy[at] = (copy[at] as number) ^ (1 << (detail % 8));
  disk.counters.faults["S17 wrong bytes written"]++;
  disk.recordDamage("wrong-write", path.text, position + at, 1);
  return copy;
}
