/**
 * Pages of simulated files: their sizes and the memory they live in. Pages are cut from slabs, since a simulation
 * makes thousands of them and one `ArrayBuffer` each costs ten times as much. Promise: a new page is all zeros.
 * Does not own: who holds a page; slabs go when the last page of them is garbage.
 */

export const PAGE_BYTES = 4096;
export const SECTOR_BYTES = 512;
export const SECTORS_PER_PAGE = PAGE_BYTES / SECTOR_BYTES;

export type Page = Uint8Array;

const PAGES_PER_SLAB = 64;
/** Below this a loop beats the making of a view. */
const LOOP_BYTES_MAX = 64;

let slab = new ArrayBuffer(0);
let slabUsed = 0;

export function createPage(): Page {
  if (slabUsed === slab.byteLength) {
    slab = new ArrayBuffer(PAGES_PER_SLAB * PAGE_BYTES);
    slabUsed = 0;
  }
  const page = new Uint8Array(slab, slabUsed, PAGE_BYTES);
  slabUsed += PAGE_BYTES;
  return page;
}

/** A new page with the bytes of another, or zeros for a hole. */
export function copyOfPage(page: Page | null): Page {
  const copy = createPage();
  if (page !== null) copy.set(page);
  return copy;
}

/** Copies `length` bytes between two arrays that do not overlap. */
export function copyBytes(
  target: Uint8Array,
  targetStart: number,
  source: Uint8Array,
  sourceStart: number,
  length: number,
): void {
  if (length <= LOOP_BYTES_MAX) {
    for (let i = 0; i < length; i++) target[targetStart + i] = source[sourceStart + i] as number;
  } else if (length === source.length) {
    target.set(source, targetStart);
  } else {
    target.set(source.subarray(sourceStart, sourceStart + length), targetStart);
  }
}

/** How many pages hold this many bytes. */
export function pagesFor(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES);
}
