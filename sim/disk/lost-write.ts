/**
 * Writes that a sync has confirmed and that the medium never got: a page stays as it was (S20), or a sector lands
 * somewhere else in the file or in one beside it (S18), so that its own place keeps the old bytes and another place loses
 * its own. The page cache shows what was written until it is evicted. Strikes only where the runner's budget (B4) allows
 * it, S18 with at most one pair of places at a time.
 */
import type { DiskState } from "./disk-state.js";
import { mix } from "./fault-dice.js";
import type { FileNode } from "./file-node.js";
import { isAllowed } from "./media-damage.js";
import type { TreeNode } from "./name-log.js";
import { copyOfPage, PAGE_BYTES, type Page, SECTOR_BYTES, SECTORS_PER_PAGE } from "./page.js";
import type { Path } from "./paths.js";

/** S20: a successful sync that leaves out one page. */
export function commitWithout(
  disk: DiskState,
  path: Path,
  node: FileNode,
  covered: number,
  detail: number,
): void {
  const index = pickPage(disk, path, node, covered, detail);
  if (index === null) {
    node.commit(covered);
    return;
  }
  const fresh = node.mediaPage(index) === null ? disk.graveyard[detail % disk.graveyard.length] : undefined;
  node.commitPartly(covered, (at) => at === index, false);
  node.commit(covered);
  // The block is a new one for this file: it holds what its last owner wrote, valid checksums included.
  if (fresh !== undefined && disk.options.holeContent === "stale")
    node.setMediaPage(index, copyOfPage(fresh));
  disk.counters.faults["S20 write never made"]++;
  disk.recordDamage("lost-write", path.text, index * PAGE_BYTES, PAGE_BYTES);
}

/** S18: a successful sync that puts one sector in the wrong place. */
export function commitMisdirected(
  disk: DiskState,
  path: Path,
  node: FileNode,
  covered: number,
  detail: number,
): void {
  const index = isPairAlive(disk) ? null : pickPage(disk, path, node, covered, detail);
  const newer = index === null ? null : node.cachePage(index);
  if (index === null || newer === null) {
    node.commit(covered);
    return;
  }
  const before = node.mediaPage(index);
  node.commitPartly(covered, (at) => at === index, false);
  node.commit(covered);
  const sectorAt = (mix(detail, 1) % SECTORS_PER_PAGE) * SECTOR_BYTES;
  const target = pickTarget(disk, path, node, index * PAGE_BYTES + sectorAt, detail);
  const missing = copyOfPage(newer);
  if (before === null) missing.fill(0, sectorAt, sectorAt + SECTOR_BYTES);
  else missing.set(before.subarray(sectorAt, sectorAt + SECTOR_BYTES), sectorAt);
  node.setMediaPage(index, missing);
  disk.counters.faults["S18 misdirected write"]++;
  disk.recordDamage("misdirected-write", path.text, index * PAGE_BYTES + sectorAt, SECTOR_BYTES);
  if (target === null) return;
  overwrite(disk, target.node, target.offset, newer.subarray(sectorAt, sectorAt + SECTOR_BYTES));
  disk.recordDamage("misdirected-write", target.path, target.offset, SECTOR_BYTES);
  disk.misdirected = { from: node, to: target.node };
}

/** A page that the sync is to write and may lose. */
function pickPage(
  disk: DiskState,
  path: Path,
  node: FileNode,
  covered: number,
  detail: number,
): number | null {
  const pages = [...node.dirty].filter(([, { page, sequence }]) => page !== null && sequence <= covered);
  const [index] = pages[mix(detail, 0) % Math.max(1, pages.length)] ?? [];
  if (index === undefined || !isAllowed(disk, path.text, index * PAGE_BYTES, PAGE_BYTES)) return null;
  return index;
}

interface Place {
  readonly node: FileNode;
  readonly path: string;
  readonly offset: number;
}

/** A durable sector that may be overwritten: in this file, or in another one of its directory. */
function pickTarget(
  disk: DiskState,
  path: Path,
  node: FileNode,
  offset: number,
  detail: number,
): Place | null {
  const directoryPath = path.text.slice(0, path.text.lastIndexOf("/"));
  const directory = disk.names.peek(disk.paths.intern(directoryPath === "" ? "/" : directoryPath));
  const files: { readonly node: FileNode; readonly path: string }[] = [{ node, path: path.text }];
  if (directory?.kind === "directory") {
    for (const [name, other] of directory.entries) addFile(files, other, node, `${directoryPath}/${name}`);
  }
  const chosen = files[mix(detail, 2) % files.length];
  if (chosen === undefined) return null;
  const sectors = Math.floor(chosen.node.mediaSize / SECTOR_BYTES);
  if (sectors === 0) return null;
  const at = (mix(detail, 3) % sectors) * SECTOR_BYTES;
  const isSame = chosen.node === node && at === offset;
  const isDirty = chosen.node.dirty.has(Math.floor(at / PAGE_BYTES));
  if (isSame || isDirty || !isAllowed(disk, chosen.path, at, SECTOR_BYTES)) return null;
  return { ...chosen, offset: at };
}

function addFile(
  files: { readonly node: FileNode; readonly path: string }[],
  other: TreeNode,
  own: FileNode,
  path: string,
): void {
  if (other.kind === "file" && other !== own) files.push({ node: other, path });
}

function overwrite(disk: DiskState, node: FileNode, offset: number, bytes: Uint8Array): void {
  const index = Math.floor(offset / PAGE_BYTES);
  const page: Page = copyOfPage(node.mediaPage(index));
  page.set(bytes, offset % PAGE_BYTES);
  disk.accounting(node, () => node.replaceMediaPage(index, page));
  disk.durableVersion++;
}

/** Until one of the two files is gone. */
function isPairAlive(disk: DiskState): boolean {
  const { misdirected } = disk;
  return misdirected !== null && [misdirected.from, misdirected.to].every(({ links }) => links > 0);
}
