/**
 * The content of one simulated file, twice: what processes see (the page cache) and what the medium holds. Between
 * the two, for each page written since its last successful sync, a chain of versions, and the sizes the file had: a
 * power loss picks from these (`power-loss.ts`). Pages are shared between cache and medium until one is written.
 * Promises: a page on the medium is never changed in place by a write; a sync moves exactly the versions that it
 * covers; what a fork shares with its origin neither of them changes. Does not own: names, handles, faults, space.
 */
import {
  copyBytes,
  copyOfPage,
  createPage,
  PAGE_BYTES,
  type Page,
  pagesFor,
  SECTORS_PER_PAGE,
} from "./page.js";

/** Versions kept of one unsynced page, and sizes of one file. More only while a sync in flight needs the old ones. */
const VERSIONS_MAX = 4;
const SIZES_MAX = 8;

/** One unsynced state of a page. `page` null is a hole: the page was truncated away. */
export interface PageVersion {
  readonly page: Page | null;
  readonly sequence: number;
  older: PageVersion | null;
}

export interface SizeVersion {
  readonly size: number;
  readonly sequence: number;
}

type Pages = (Page | null | undefined)[];

export class FileNode {
  readonly kind = "file";
  readonly id: number;
  /** Names in the volatile namespace, and open handles: the file is freed when both are 0. */
  links = 0;
  handles = 0;
  /** How many syncs failed; a handle that has seen fewer reports the failure once (Linux's errseq). */
  syncFailures = 0;
  syncsInFlight = 0;
  /** The next sync reports the failure of a former one. */
  failsLate = false;
  /** S28: somebody has the file open until then, by this path. */
  heldUntilMs = 0;
  heldAs = "";
  /** A sync has been confirmed that waits in the cache of a drive. */
  isHeldBack = false;

  size = 0;
  mediaSize = 0;
  /** Newest version of each page that is not as on the medium, for a sync to write. */
  readonly dirty = new Map<number, PageVersion>();
  /** Sizes since the last sync, oldest first; the last is `size`. */
  readonly sizes: SizeVersion[] = [];
  /** Clean pages that differ from the medium because their write-back failed. */
  readonly forsaken = new Set<number>();
  /** Sectors of the medium that give errors (S14). */
  readonly latentSectors = new Set<number>();
  private readonly cache: Pages = [];
  private readonly media: Pages = [];
  private cachedPages = 0;
  /** A fork holds the same pages, so that the memory of none may be used again. */
  private sharesPages = false;

  constructor(id: number) {
    this.id = id;
  }

  /** Pages that take space. */
  get allocatedPages(): number {
    return this.cachedPages;
  }

  get isDirty(): boolean {
    return this.dirty.size > 0 || this.sizes.length > 0;
  }

  cachePage(index: number): Page | null {
    return this.cache[index] ?? null;
  }

  mediaPage(index: number): Page | null {
    return this.media[index] ?? null;
  }

  /** How many pages in [position, position + length) a write would have to allocate. */
  pagesMissing(position: number, length: number): number {
    let missing = 0;
    const last = Math.floor((position + length - 1) / PAGE_BYTES);
    for (let index = Math.floor(position / PAGE_BYTES); index <= last; index++) {
      if (this.cachePage(index) === null) missing++;
    }
    return missing;
  }

  /**
   * A copy of cache, medium and everything between, for a copy of the disk: it has the names that this file has, no
   * handles, and nothing in flight. Shares all pages, so it costs a few words a page.
   */
  fork(): FileNode {
    const fork = new FileNode(this.id);
    this.sharesPages = true;
    fork.sharesPages = true;
    fork.links = this.links;
    fork.syncFailures = this.syncFailures;
    fork.failsLate = this.failsLate;
    fork.heldUntilMs = this.heldUntilMs;
    fork.heldAs = this.heldAs;
    fork.isHeldBack = this.isHeldBack;
    fork.size = this.size;
    fork.mediaSize = this.mediaSize;
    for (const [index, newest] of this.dirty) fork.dirty.set(index, copyOfChain(newest));
    fork.sizes.push(...this.sizes);
    for (const index of this.forsaken) fork.forsaken.add(index);
    for (const sector of this.latentSectors) fork.latentSectors.add(sector);
    fork.cache.push(...this.cache);
    fork.media.push(...this.media);
    fork.cachedPages = this.cachedPages;
    return fork;
  }

  /** Copies from the cache. The range must lie below the size. */
  read(target: Uint8Array, targetStart: number, length: number, position: number): void {
    copyOut(this.cache, target, targetStart, length, position);
  }

  /** Copies from the medium. The range must lie below the medium's size. */
  readMedia(target: Uint8Array, targetStart: number, length: number, position: number): void {
    copyOut(this.media, target, targetStart, length, position);
  }

  write(source: Uint8Array, sourceStart: number, length: number, position: number, sequence: number): void {
    let done = 0;
    while (done < length) {
      const index = Math.floor((position + done) / PAGE_BYTES);
      const start = (position + done) % PAGE_BYTES;
      const part = Math.min(length - done, PAGE_BYTES - start);
      copyBytes(this.newVersion(index, sequence), start, source, sourceStart + done, part);
      done += part;
    }
    if (position + length > this.size) this.setSize(position + length, sequence);
  }

  truncate(size: number, sequence: number): void {
    if (size === this.size) return;
    if (size < this.size) {
      const keep = pagesFor(size);
      const tail = size % PAGE_BYTES;
      if (tail !== 0 && this.cachePage(keep - 1) !== null) this.newVersion(keep - 1, sequence).fill(0, tail);
      for (let index = keep; index < this.cache.length; index++) {
        if (this.cachePage(index) === null) continue;
        this.cachedPages--;
        this.dirty.set(index, { page: null, sequence, older: this.dirty.get(index) ?? null });
        this.forsaken.delete(index);
      }
      if (keep < this.cache.length) this.cache.length = keep;
    }
    this.setSize(size, sequence);
  }

  /** A successful sync of everything up to `sequence`. */
  commit(sequence: number): void {
    for (const [index, newest] of this.dirty) this.commitPage(index, newest, sequence);
    let covered = 0;
    while (covered < this.sizes.length && (this.sizes[covered] as SizeVersion).sequence <= sequence)
      covered++;
    if (covered > 0) {
      this.mediaSize = (this.sizes[covered - 1] as SizeVersion).size;
      this.sizes.splice(0, covered);
      const keep = pagesFor(this.mediaSize);
      if (keep < this.media.length) this.media.length = keep;
    }
  }

  /**
   * A failed sync: pages for which `fails` is false reached the medium, the others did not, and are dirty no more
   * unless `keepDirty`. The size stays to be synced.
   */
  commitPartly(sequence: number, fails: (index: number) => boolean, keepDirty: boolean): void {
    for (const [index, newest] of this.dirty) {
      if (!fails(index)) this.commitPage(index, newest, sequence);
      else if (!keepDirty && this.dropVersions(index, newest, sequence) !== null) this.forsaken.add(index);
    }
  }

  /** Cache and size fall back to the medium. */
  revert(): void {
    this.dirty.clear();
    this.sizes.length = 0;
    this.forsaken.clear();
    this.size = this.mediaSize;
    this.cache.length = 0;
    this.cachedPages = 0;
    for (let index = 0; index < this.media.length; index++) {
      const page = this.mediaPage(index);
      if (page === null) continue;
      this.cache[index] = page;
      this.cachedPages++;
    }
  }

  /** The cache lets go of the clean pages that differ from the medium, so that the old bytes show. */
  evictForsaken(): void {
    for (const index of this.forsaken) {
      if (!this.dirty.has(index)) this.setCache(index, this.mediaPage(index));
    }
    this.forsaken.clear();
  }

  /**
   * Replaces a page of the medium, as a power loss or rot does. The cache follows only where it shows the medium;
   * `page` then belongs to both.
   */
  replaceMediaPage(index: number, page: Page | null): void {
    const shared = this.cachePage(index) === this.mediaPage(index) && !this.dirty.has(index);
    this.media[index] = page;
    if (shared) this.setCache(index, page);
  }

  /** Replaces a page of the cache that differs from the medium, as rot in memory does; its versions stay as they are. */
  replaceCachePage(index: number, page: Page): void {
    const newest = this.dirty.get(index);
    if (newest !== undefined) this.dirty.set(index, { page, sequence: newest.sequence, older: newest.older });
    this.setCache(index, page);
  }

  /** Replaces a page of the medium, and leaves the cache as it is. */
  setMediaPage(index: number, page: Page | null): void {
    this.media[index] = page;
  }

  /** The end of a power loss: the medium has this size, what lies beyond is gone, and the cache shows the medium. */
  settle(size: number): void {
    this.mediaSize = size;
    const keep = pagesFor(size);
    if (keep < this.media.length) this.media.length = keep;
    const tail = size % PAGE_BYTES;
    const last = tail === 0 ? null : this.mediaPage(keep - 1);
    if (last !== null && !isZero(last, tail)) {
      const trimmed = copyOfPage(last);
      trimmed.fill(0, tail);
      this.media[keep - 1] = trimmed;
    }
    this.revert();
    this.syncsInFlight = 0;
  }

  /** Makes and returns a new version of a page for the caller to change. */
  private newVersion(index: number, sequence: number): Page {
    const current = this.cachePage(index);
    const newest = this.dirty.get(index) ?? null;
    const spare = this.syncsInFlight === 0 ? withoutOneVersion(newest, sequence) : null;
    const page = spare === null || this.sharesPages ? createPage() : spare;
    if (current !== null) page.set(current);
    else page.fill(0);
    this.dirty.set(index, { page, sequence, older: newest });
    this.forsaken.delete(index);
    this.setCache(index, page);
    return page;
  }

  private setCache(index: number, page: Page | null): void {
    const before = this.cachePage(index);
    if (page === null) {
      if (before !== null) this.cachedPages--;
      if (index < this.cache.length) this.cache[index] = null;
    } else {
      if (before === null) this.cachedPages++;
      this.cache[index] = page;
    }
  }

  private setSize(size: number, sequence: number): void {
    this.size = size;
    if (this.sizes.length === SIZES_MAX && this.syncsInFlight === 0) {
      this.sizes.splice(sequence % (SIZES_MAX - 1), 1);
    }
    this.sizes.push({ size, sequence });
  }

  private commitPage(index: number, newest: PageVersion, sequence: number): void {
    const version = this.dropVersions(index, newest, sequence);
    if (version === null) return;
    this.media[index] = version.page;
    if (this.latentSectors.size > 0) {
      const first = index * SECTORS_PER_PAGE;
      for (let sector = first; sector < first + SECTORS_PER_PAGE; sector++) this.latentSectors.delete(sector);
    }
  }

  /** Cuts the versions up to `sequence` off the chain of a page. Returns the newest of them, or null when none is. */
  private dropVersions(index: number, newest: PageVersion, sequence: number): PageVersion | null {
    if (newest.sequence <= sequence) {
      this.dirty.delete(index);
      return newest;
    }
    let later = newest;
    while (later.older !== null && later.older.sequence > sequence) later = later.older;
    const covered = later.older;
    later.older = null;
    return covered;
  }
}

/** Takes one of the older versions out of a chain that is full, and returns its page. */
function withoutOneVersion(newest: PageVersion | null, sequence: number): Page | null {
  let length = 0;
  for (let version = newest; version !== null; version = version.older) length++;
  if (newest === null || length < VERSIONS_MAX) return null;
  let later = newest;
  // Which one goes must vary, so that old and recent versions both stay possible.
  for (let skip = sequence % (length - 1); skip > 0; skip--) later = later.older as PageVersion;
  const victim = later.older as PageVersion;
  later.older = victim.older;
  return victim.page;
}

function copyOfChain(newest: PageVersion): PageVersion {
  const older = newest.older === null ? null : copyOfChain(newest.older);
  return { page: newest.page, sequence: newest.sequence, older };
}

function copyOut(
  pages: Pages,
  target: Uint8Array,
  targetStart: number,
  length: number,
  position: number,
): void {
  let done = 0;
  while (done < length) {
    const index = Math.floor((position + done) / PAGE_BYTES);
    const start = (position + done) % PAGE_BYTES;
    const part = Math.min(length - done, PAGE_BYTES - start);
    const page = pages[index] ?? null;
    if (page === null) target.fill(0, targetStart + done, targetStart + done + part);
    else copyBytes(target, targetStart + done, page, start, part);
    done += part;
  }
}

function isZero(page: Page, from: number): boolean {
  for (let i = from; i < page.length; i++) if (page[i] !== 0) return false;
  return true;
}
