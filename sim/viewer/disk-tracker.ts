/**
 * Follows a simulated disk by looking: `changes` compares it with what it was when last looked at and says what is
 * different, in the numbers of the trace model. Since it reads what is there and not what calls mean, a new kind of
 * fault or call needs nothing here. Looks at every name and at the identity of every page, at bytes only where a page
 * has been replaced. Promise: it changes nothing. Does not own: when to look, the order of steps.
 */
import type { RecordedDisk } from "../disk/disk-recorder.js";
import type { FileNode } from "../disk/file-node.js";
import type { DirectoryNode, TreeNode } from "../disk/name-log.js";
import { type Page, pagesFor } from "../disk/page.js";
import type { ContentStore } from "./content-store.js";
import { CHANGE } from "./trace-model.js";

export type Emit = (kind: number, node: number, a: number, b: number) => void;

/** One view of a page as last seen. */
interface SeenPage {
  /** A write always shows another buffer than before, so its identity tells whether the bytes are the same. */
  page: Page | null;
  content: number;
}

interface SeenFile {
  readonly volatile: SeenPage[];
  readonly durable: SeenPage[];
  /** The content of each page that was looked at last, for patches. */
  readonly latest: { content: number; readonly bytes: Uint8Array }[];
  readonly unreadable: Set<number>;
  volatileSize: number;
  durableSize: number;
  round: number;
}

interface SeenDirectory {
  readonly volatile: Map<string, number>;
  readonly durable: Map<string, number>;
  round: number;
}

export class DiskTracker {
  /** Every directory seen so far. The root is the first. */
  readonly directories = new Set<number>();
  private readonly disk: RecordedDisk;
  private readonly contents: ContentStore;
  private readonly nameNumber: (name: string) => number;
  private readonly seenFiles = new Map<number, SeenFile>();
  private readonly seenDirectories = new Map<number, SeenDirectory>();
  private round = 0;
  private damageSeen = 0;
  private isThorough = false;

  constructor(disk: RecordedDisk, contents: ContentStore, nameNumber: (name: string) => number) {
    this.disk = disk;
    this.contents = contents;
    this.nameNumber = nameNumber;
  }

  /** Says what has changed since the last time. */
  changes(emit: Emit): void {
    this.round++;
    // Damage may change bytes of a page where they are.
    this.isThorough = this.disk.damage.length !== this.damageSeen;
    this.damageSeen = this.disk.damage.length;
    const { root, log } = this.disk.names;
    this.directory(root, emit);
    for (const { changes } of log.pending) {
      for (const { before, after } of changes) {
        if (before !== null) this.node(before, emit);
        if (after !== null) this.node(after, emit);
      }
    }
    for (const [id, seen] of this.seenFiles) this.forgetUnless(seen, id, this.seenFiles, emit);
    for (const [id, seen] of this.seenDirectories) this.forgetUnless(seen, id, this.seenDirectories, emit);
  }

  /** Says everything there was when last looked, as changes from an empty disk. */
  everything(emit: Emit): void {
    for (const [id, { volatile, durable }] of this.seenDirectories) {
      for (const [name, node] of volatile) emit(CHANGE.volatileName, id, this.nameNumber(name), node);
      for (const [name, node] of durable) emit(CHANGE.durableName, id, this.nameNumber(name), node);
    }
    for (const [id, file] of this.seenFiles) {
      emit(CHANGE.volatileSize, id, file.volatileSize, 0);
      if (file.durableSize > 0) emit(CHANGE.durableSize, id, file.durableSize, 0);
      file.volatile.forEach(({ content }, index) => {
        if (content !== 0) emit(CHANGE.volatilePage, id, index, content);
      });
      file.durable.forEach(({ content }, index) => {
        if (content !== 0) emit(CHANGE.durablePage, id, index, content);
      });
      for (const sector of file.unreadable) emit(CHANGE.unreadable, id, sector, 1);
    }
  }

  private node(node: TreeNode, emit: Emit): void {
    if (node.kind === "directory") this.directory(node, emit);
    else this.file(node, emit);
  }

  private directory(directory: DirectoryNode, emit: Emit): void {
    const { id } = directory;
    let seen = this.seenDirectories.get(id);
    if (seen === undefined) {
      seen = { volatile: new Map(), durable: new Map(), round: 0 };
      this.seenDirectories.set(id, seen);
      this.directories.add(id);
    }
    if (seen.round === this.round) return;
    seen.round = this.round;
    this.names(directory.entries, seen.volatile, CHANGE.volatileName, id, emit);
    this.names(directory.durable, seen.durable, CHANGE.durableName, id, emit);
    for (const node of directory.entries.values()) this.node(node, emit);
    for (const node of directory.durable.values()) this.node(node, emit);
  }

  private names(
    now: ReadonlyMap<string, TreeNode>,
    seen: Map<string, number>,
    kind: number,
    directory: number,
    emit: Emit,
  ): void {
    for (const [name, { id }] of now) {
      if (seen.get(name) === id) continue;
      seen.set(name, id);
      emit(kind, directory, this.nameNumber(name), id);
    }
    if (seen.size === now.size) return;
    for (const name of seen.keys()) {
      if (now.has(name)) continue;
      seen.delete(name);
      emit(kind, directory, this.nameNumber(name), 0);
    }
  }

  private file(file: FileNode, emit: Emit): void {
    const { id } = file;
    let seen = this.seenFiles.get(id);
    if (seen === undefined) {
      seen = {
        volatile: [],
        durable: [],
        latest: [],
        unreadable: new Set(),
        // So that an empty file is told of, too.
        volatileSize: -1,
        durableSize: 0,
        round: 0,
      };
      this.seenFiles.set(id, seen);
    }
    if (seen.round === this.round) return;
    seen.round = this.round;
    if (file.size !== seen.volatileSize) {
      seen.volatileSize = file.size;
      emit(CHANGE.volatileSize, id, file.size, 0);
    }
    if (file.mediaSize !== seen.durableSize) {
      seen.durableSize = file.mediaSize;
      emit(CHANGE.durableSize, id, file.mediaSize, 0);
    }
    const pages = Math.max(pagesFor(file.size), pagesFor(file.mediaSize), seen.volatile.length);
    for (let index = 0; index < pages; index++) {
      this.page(seen, "volatile", index, file.cachePage(index), id, emit);
      this.page(seen, "durable", index, file.mediaPage(index), id, emit);
    }
    this.sectors(file, seen, emit);
  }

  private page(
    file: SeenFile,
    view: "volatile" | "durable",
    index: number,
    page: Page | null,
    id: number,
    emit: Emit,
  ): void {
    let seen = file[view][index];
    if (seen === undefined) {
      seen = { page: null, content: 0 };
      file[view][index] = seen;
    }
    if (seen.page === page && !this.isThorough) return;
    const isVolatile = view === "volatile";
    if (isVolatile) seen.page = null;
    const content = page === null ? 0 : this.contentOf(file, index, page);
    seen.page = page;
    if (content === seen.content) return;
    seen.content = content;
    emit(isVolatile ? CHANGE.volatilePage : CHANGE.durablePage, id, index, content);
  }

  private contentOf(file: SeenFile, index: number, page: Page): number {
    const shared = file.volatile[index];
    // A page that has just been synced is the same one in both views.
    if (shared?.page === page && shared.content !== 0 && !this.isThorough) return shared.content;
    const before = file.latest[index];
    const content = this.contents.add(page, before?.content ?? 0, before?.bytes ?? null);
    if (before === undefined) file.latest[index] = { content, bytes: page.slice() };
    else {
      before.content = content;
      before.bytes.set(page);
    }
    return content;
  }

  private sectors(file: FileNode, seen: SeenFile, emit: Emit): void {
    if (file.latentSectors.size === 0 && seen.unreadable.size === 0) return;
    for (const sector of file.latentSectors) {
      if (seen.unreadable.has(sector)) continue;
      seen.unreadable.add(sector);
      emit(CHANGE.unreadable, file.id, sector, 1);
    }
    for (const sector of seen.unreadable) {
      if (file.latentSectors.has(sector)) continue;
      seen.unreadable.delete(sector);
      emit(CHANGE.unreadable, file.id, sector, 0);
    }
  }

  private forgetUnless(
    seen: { readonly round: number },
    id: number,
    all: Map<number, unknown>,
    emit: Emit,
  ): void {
    if (seen.round === this.round) return;
    all.delete(id);
    emit(CHANGE.forget, id, 0, 0);
  }
}
