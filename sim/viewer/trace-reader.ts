/**
 * The disk at any step of a recorded run, as processes saw it and as the medium held it. Going to a step costs the
 * changes since the key frame before it, or, forwards, only those in between. Promise: `goTo(k)` gives the disk as it
 * was when step k had had all its effects. Runs in the browser too, so it uses nothing but the language.
 */
import {
  CHANGE,
  CHANGE_NUMBERS,
  MODEL_PAGE_BYTES,
  type RecordedTrace,
  type TraceModel,
} from "./trace-model.js";

/** One file, twice. Pages are numbers of contents; missing ones and 0 are zeros. */
export interface FileState {
  readonly id: number;
  volatileSize: number;
  durableSize: number;
  readonly volatilePages: number[];
  readonly durablePages: number[];
  readonly unreadable: Set<number>;
}

/** Names to nodes, twice. */
export interface DirectoryState {
  readonly id: number;
  readonly volatile: Map<string, number>;
  readonly durable: Map<string, number>;
}

export class DiskAtStep {
  readonly files = new Map<number, FileState>();
  readonly directories = new Map<number, DirectoryState>();
}

/** Contents that are kept decoded. */
const CONTENTS_KEPT = 4096;

/** Goes to any step of a recorded run. */
export class TraceReader {
  readonly model: TraceModel;
  readonly steps: number;
  private readonly heap: Uint8Array;
  private readonly isDirectory: ReadonlySet<number>;
  /** Where the changes of each step begin, in changes; one more at the end. */
  private readonly changeStart: Uint32Array;
  private readonly frameStart: number[] = [];
  private readonly contents = new Map<number, Uint8Array>();
  private state = new DiskAtStep();
  private at = -1;

  constructor({ model, heap }: RecordedTrace) {
    this.model = model;
    this.heap = heap;
    this.steps = model.steps.kind.length;
    this.isDirectory = new Set(model.directories);
    this.changeStart = new Uint32Array(this.steps + 1);
    let sum = 0;
    for (let step = 0; step < this.steps; step++) {
      this.changeStart[step] = sum;
      sum += model.steps.changes[step] ?? 0;
    }
    this.changeStart[this.steps] = sum;
    let start = 0;
    for (const count of model.keyFrames.count) {
      this.frameStart.push(start);
      start += count;
    }
  }

  /** The disk after this step. Valid until the next call. */
  goTo(step: number): DiskAtStep {
    const frame = lastAtMost(this.model.keyFrames.step, step);
    const frameStep = frame < 0 ? -1 : (this.model.keyFrames.step[frame] as number);
    if (step < this.at || frameStep > this.at) {
      this.state = new DiskAtStep();
      this.at = frameStep;
      if (frame >= 0) {
        const start = this.frameStart[frame] as number;
        const end = start + (this.model.keyFrames.count[frame] as number);
        this.apply(this.model.keyFrames.changes, start, end);
      }
    }
    this.apply(
      this.model.changes,
      this.changeStart[this.at + 1] as number,
      this.changeStart[step + 1] as number,
    );
    this.at = step;
    return this.state;
  }

  /** Places of the changes of a step in `model.changes`, to be multiplied by `CHANGE_NUMBERS`. */
  changesOf(step: number): readonly [start: number, end: number] {
    return [this.changeStart[step] as number, this.changeStart[step + 1] as number];
  }

  isDirectoryNode(node: number): boolean {
    return this.isDirectory.has(node);
  }

  /** The 4096 bytes of a content; not to be changed. */
  content(number: number): Uint8Array {
    const known = this.contents.get(number);
    if (known !== undefined) return known;
    const { base, start, length } = this.model.contents;
    const chain: number[] = [];
    let from: Uint8Array | undefined;
    for (let link = number; link !== 0 && from === undefined; link = base[link - 1] as number) {
      from = this.contents.get(link);
      if (from === undefined) chain.push(link);
    }
    const bytes = new Uint8Array(MODEL_PAGE_BYTES);
    if (from !== undefined) bytes.set(from);
    for (const link of chain.reverse()) {
      const [heapStart, heapEnd] = this.heapRange(link);
      bytes.set(this.heap.subarray(heapStart, heapEnd), start[link - 1] as number);
      if (heapEnd - heapStart !== length[link - 1])
        throw new Error(`The page's data ends in content ${link}.`);
    }
    if (this.contents.size >= CONTENTS_KEPT) this.contents.clear();
    this.contents.set(number, bytes);
    return bytes;
  }

  /** Fills `target` from `position` of a file; what lies beyond its size stays as it is. Returns how many bytes there are. */
  read(file: FileState, view: "volatile" | "durable", target: Uint8Array, position: number): number {
    const size = view === "volatile" ? file.volatileSize : file.durableSize;
    const pages = view === "volatile" ? file.volatilePages : file.durablePages;
    const length = Math.max(0, Math.min(target.length, size - position));
    for (let done = 0; done < length; ) {
      const index = Math.floor((position + done) / MODEL_PAGE_BYTES);
      const offset = (position + done) % MODEL_PAGE_BYTES;
      const part = Math.min(length - done, MODEL_PAGE_BYTES - offset);
      target.set(this.content(pages[index] ?? 0).subarray(offset, offset + part), done);
      done += part;
    }
    return length;
  }

  private heapStarts: Uint32Array | null = null;

  private heapRange(content: number): [start: number, end: number] {
    if (this.heapStarts === null) {
      const { length } = this.model.contents;
      this.heapStarts = new Uint32Array(length.length + 1);
      for (let i = 0; i < length.length; i++) {
        this.heapStarts[i + 1] = (this.heapStarts[i] as number) + (length[i] as number);
      }
    }
    const start = this.heapStarts[content - 1] as number;
    const end = Math.min(this.heapStarts[content] as number, this.heap.length);
    return [start, end];
  }

  private apply(changes: readonly number[], start: number, end: number): void {
    const { state } = this;
    for (let i = start * CHANGE_NUMBERS; i < end * CHANGE_NUMBERS; i += CHANGE_NUMBERS) {
      const kind = changes[i] as number;
      const node = changes[i + 1] as number;
      const a = changes[i + 2] as number;
      const b = changes[i + 3] as number;
      if (kind === CHANGE.forget) {
        state.files.delete(node);
        state.directories.delete(node);
      } else if (kind === CHANGE.volatileName || kind === CHANGE.durableName) {
        const directory = directoryOf(state, node);
        const names = kind === CHANGE.volatileName ? directory.volatile : directory.durable;
        const name = this.model.strings[a] as string;
        if (b === 0) names.delete(name);
        else names.set(name, b);
      } else applyToFile(fileOf(state, node), kind, a, b);
    }
  }
}

function applyToFile(file: FileState, kind: number, a: number, b: number): void {
  if (kind === CHANGE.volatilePage) setPage(file.volatilePages, a, b);
  else if (kind === CHANGE.durablePage) setPage(file.durablePages, a, b);
  else if (kind === CHANGE.volatileSize) file.volatileSize = a;
  else if (kind === CHANGE.durableSize) file.durableSize = a;
  else if (b === 1) file.unreadable.add(a);
  else file.unreadable.delete(a);
}

/** Without holes, which make arrays slow. */
function setPage(pages: number[], index: number, content: number): void {
  while (pages.length < index) pages.push(0);
  pages[index] = content;
}

function directoryOf(state: DiskAtStep, id: number): DirectoryState {
  let directory = state.directories.get(id);
  if (directory === undefined) {
    directory = { id, volatile: new Map(), durable: new Map() };
    state.directories.set(id, directory);
  }
  return directory;
}

function fileOf(state: DiskAtStep, id: number): FileState {
  let file = state.files.get(id);
  if (file === undefined) {
    file = {
      id,
      volatileSize: 0,
      durableSize: 0,
      volatilePages: [],
      durablePages: [],
      unreadable: new Set(),
    };
    state.files.set(id, file);
  }
  return file;
}

/** The place of the last of the ascending values that is at most `limit`; -1 when none is. */
export function lastAtMost(values: ArrayLike<number>, limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
