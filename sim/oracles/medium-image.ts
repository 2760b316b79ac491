/**
 * The durable bytes of one simulated file in one array, kept up to date page by page. Rests on the disk's promise that a
 * page of the medium is replaced, never changed in place, so that the same page means the same bytes.
 */
import type { FileNode } from "../disk/file-node.js";
import { PAGE_BYTES, type Page, pagesFor } from "../disk/page.js";

export class MediumImage {
  /** The file from its start; what lies beyond `size` means nothing. */
  bytes = new Uint8Array(PAGE_BYTES);
  /** Of the file, without the holes at its end. */
  size = 0;
  /** Whether the last refresh found nothing new at all. */
  unchanged = false;
  readonly #node: FileNode;
  #pages: (Page | null)[] = [];

  constructor(node: FileNode) {
    this.#node = node;
  }

  /** Looks at the medium again. False when one of the first `known` bytes is not what it was. O(pages). */
  refresh(known: number): boolean {
    const node = this.#node;
    let size = node.mediaSize;
    let count = pagesFor(size);
    while (count > 0 && node.mediaPage(count - 1) === null) count--;
    size = Math.min(size, count * PAGE_BYTES);
    let isSame = size >= known;
    this.unchanged = size === this.size;
    if (count * PAGE_BYTES > this.bytes.length) this.#grow(count * PAGE_BYTES);
    for (let index = 0; index < count; index++) {
      const page = node.mediaPage(index);
      if (index < this.#pages.length && page === this.#pages[index]) continue;
      this.unchanged = false;
      const at = index * PAGE_BYTES;
      if (at < known && isSame) isSame = this.#startsSame(page, at, Math.min(known - at, PAGE_BYTES));
      if (page === null) this.bytes.fill(0, at, at + PAGE_BYTES);
      else this.bytes.set(page, at);
      this.#pages[index] = page;
    }
    this.#pages.length = count;
    this.size = size;
    return isSame;
  }

  #startsSame(page: Page | null, at: number, length: number): boolean {
    const before = this.bytes.subarray(at, at + length);
    if (page === null) return before.every((byte) => byte === 0);
    return Buffer.compare(before, page.subarray(0, length)) === 0;
  }

  #grow(bytes: number): void {
    const grown = new Uint8Array(Math.max(bytes, this.bytes.length * 2));
    grown.set(this.bytes);
    this.bytes = grown;
  }
}
