/**
 * The disk at the current step and just before it, as the tree and the byte view need it: both views of names merged
 * into one tree, the parts of a file that are synced, unsynced or lost, and what the step changed, in words.
 */

import { bytesText } from "../../../src/admin/page/dom.js";
import { CHANGE, CHANGE_NUMBERS, MODEL_PAGE_BYTES, type RecordedTrace } from "../trace-model.js";
import { type DiskAtStep, type FileState, TraceReader } from "../trace-reader.js";

export type View = "volatile" | "durable";

/** One name in the merged tree. */
export interface TreeRow {
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  readonly isDirectory: boolean;
  /** Node under this name in each view; 0: none. */
  readonly volatile: number;
  readonly durable: number;
  /** What processes saw here before a step that took it; 0: nothing was taken. */
  readonly lost: number;
  /** The step changed the name or the content. */
  readonly touched: boolean;
}

/** A stretch of a file's bar. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly kind: "synced" | "unsynced" | "durable-only" | "lost";
}

/** Differences closer than this are one stretch. */
const STRETCH_GAP = 32;
const STRETCHES_KEPT = 2000;

export class DiskView {
  readonly reader: TraceReader;
  private readonly reader2: TraceReader;
  after: DiskAtStep;
  before: DiskAtStep;
  step = 0;
  /** Whether the step is a crash, so that what it took is shown as lost. */
  isCrash = false;
  /** Which files the step is about. */
  private paths: readonly string[] = [];
  private readonly root: number;
  private readonly comparisons = new Map<string, readonly (readonly [number, number])[]>();

  constructor(recorded: RecordedTrace) {
    this.reader = new TraceReader(recorded);
    this.reader2 = new TraceReader(recorded);
    this.root = recorded.model.directories[0] ?? 0;
    this.after = this.reader.goTo(0);
    this.before = this.reader2.goTo(-1);
  }

  goTo(step: number, isCrash: boolean, paths: readonly string[]): void {
    this.step = step;
    this.paths = paths;
    this.isCrash = isCrash;
    this.after = this.reader.goTo(step);
    this.before = this.reader2.goTo(step - 1);
  }

  /** The merged tree, parents before what is in them, names in order. */
  tree(): TreeRow[] {
    const rows: TreeRow[] = [];
    const touched = this.touchedNodes();
    const walk = (volatile: number, durable: number, lost: number, path: string, depth: number): void => {
      const seen = this.after.directories.get(volatile)?.volatile ?? NO_NAMES;
      const kept = this.after.directories.get(durable)?.durable ?? NO_NAMES;
      const gone = this.isCrash ? (this.before.directories.get(lost)?.volatile ?? NO_NAMES) : NO_NAMES;
      const names = [...new Set([...seen.keys(), ...kept.keys(), ...gone.keys()])].sort();
      for (const name of names) {
        const a = seen.get(name) ?? 0;
        const b = kept.get(name) ?? 0;
        const c = gone.get(name) ?? 0;
        const node = a || b || c;
        const isDirectory = this.reader.isDirectoryNode(node);
        const here = `${path}/${name}`;
        rows.push({
          path: here,
          name,
          depth,
          isDirectory,
          volatile: a,
          durable: b,
          lost: c !== a ? c : 0,
          touched:
            touched.has(`${volatile} ${name}`) ||
            touched.has(`${durable} ${name}`) ||
            touched.has(String(node)),
        });
        if (isDirectory) walk(a, b, c, here, depth + 1);
      }
    };
    if (this.root !== 0) walk(this.root, this.root, this.root, "", 0);
    return rows;
  }

  /** The row of the file to show: the one that was chosen while there is one, else the one that the step is about. */
  shownFile(chosen: string): TreeRow | null {
    const files = this.tree().filter(({ isDirectory }) => !isDirectory);
    const at = (wanted: string): TreeRow | undefined => files.find(({ path }) => path === wanted);
    return at(chosen) ?? this.paths.map(at).find((row) => row !== undefined) ?? null;
  }

  file(node: number, state: DiskAtStep = this.after): FileState | null {
    return state.files.get(node) ?? null;
  }

  /** Byte ranges that differ between two versions of a file, and where only one has bytes; ascending, joined when close. */
  differences(
    a: FileState | null,
    viewA: View,
    b: FileState | null,
    viewB: View,
  ): (readonly [number, number])[] {
    const sizeA = sizeOf(a, viewA);
    const sizeB = sizeOf(b, viewB);
    const common = Math.min(sizeA, sizeB);
    const found: [number, number][] = [];
    const add = (start: number, end: number): void => {
      const last = found.at(-1);
      if (last !== undefined && start - last[1] <= STRETCH_GAP) last[1] = end;
      else found.push([start, end]);
    };
    for (let index = 0; index * MODEL_PAGE_BYTES < common; index++) {
      const contentA = pagesOf(a, viewA)[index] ?? 0;
      const contentB = pagesOf(b, viewB)[index] ?? 0;
      if (contentA === contentB) continue;
      const offset = index * MODEL_PAGE_BYTES;
      for (const [start, end] of this.comparePages(contentA, contentB)) {
        if (offset + start < common) add(offset + start, Math.min(offset + end, common));
      }
    }
    if (sizeA !== sizeB) add(common, Math.max(sizeA, sizeB));
    return found;
  }

  /** The bar of a tree row: what of it is durable, what is not, and what the power loss took. */
  stretches(row: TreeRow): { readonly size: number; readonly stretches: readonly Stretch[] } {
    if (row.lost !== 0 || (this.isCrash && row.volatile !== 0)) return this.stretchesOfLoss(row);
    const a = this.file(row.volatile);
    const b = this.file(row.durable);
    const sizeA = sizeOf(a, "volatile");
    const sizeB = sizeOf(b, "durable");
    const size = Math.max(sizeA, sizeB);
    const stretches: Stretch[] = [];
    let at = 0;
    for (const [start, end] of this.differences(a, "volatile", b, "durable")) {
      if (start > at) stretches.push({ start: at, end: start, kind: "synced" });
      const split = Math.max(start, Math.min(end, sizeA));
      if (split > start) stretches.push({ start, end: split, kind: "unsynced" });
      if (end > split) stretches.push({ start: split, end, kind: "durable-only" });
      at = end;
    }
    if (at < size) stretches.push({ start: at, end: size, kind: "synced" });
    return { size, stretches };
  }

  /** What the step did to the disk, a line each. */
  effects(): string[] {
    const { model } = this.reader;
    const paths = this.pathsOfNodes();
    const lines: string[] = [];
    const pages = new Map<string, number>();
    const [start, end] = this.reader.changesOf(this.step);
    for (let i = start * CHANGE_NUMBERS; i < end * CHANGE_NUMBERS; i += CHANGE_NUMBERS) {
      const kind = model.changes[i] as number;
      const node = model.changes[i + 1] as number;
      const a = model.changes[i + 2] as number;
      const b = model.changes[i + 3] as number;
      const path = paths.get(node) ?? "a file without a name";
      if (kind === CHANGE.volatileName || kind === CHANGE.durableName) {
        const where = kind === CHANGE.volatileName ? "in memory" : "on the medium";
        const name = `${paths.get(node) === "/" ? "" : path}/${model.strings[a]}`;
        lines.push(b === 0 ? `${name} is gone ${where}` : `${name} is there ${where}`);
      } else if (kind === CHANGE.volatileSize || kind === CHANGE.durableSize) {
        const view = kind === CHANGE.volatileSize ? "volatile" : "durable";
        const size = bytesText(sizeOf(this.file(node, this.before), view));
        lines.push(
          `${path}: ${size} → ${bytesText(a)} ${view === "volatile" ? "in memory" : "on the medium"}`,
        );
      } else if (kind === CHANGE.volatilePage || kind === CHANGE.durablePage) {
        const key = `${path}: other bytes ${kind === CHANGE.volatilePage ? "in memory" : "on the medium"}`;
        pages.set(key, (pages.get(key) ?? 0) + 1);
      } else if (kind === CHANGE.unreadable) {
        lines.push(`${path}: sector ${a} ${b === 1 ? "can no longer be read" : "can be read again"}`);
      }
    }
    for (const [line, times] of pages) lines.push(`${line}, ${times} ${times === 1 ? "page" : "pages"}`);
    return lines;
  }

  /** How many names and files differ between memory and medium, or lost something to the crash that this step is. */
  unsyncedRows(rows: readonly TreeRow[]): number {
    let differing = 0;
    for (const row of rows) {
      if (row.volatile !== row.durable) differing++;
      else if (!row.isDirectory && this.stretches(row).stretches.some(({ kind }) => kind !== "synced"))
        differing++;
    }
    return differing;
  }

  private stretchesOfLoss(row: TreeRow): { readonly size: number; readonly stretches: readonly Stretch[] } {
    const was = this.file(row.lost === 0 ? row.volatile : row.lost, this.before);
    const is = row.lost === 0 ? this.file(row.volatile) : null;
    const size = Math.max(sizeOf(was, "volatile"), sizeOf(is, "volatile"));
    const stretches: Stretch[] = [];
    let at = 0;
    for (const [start, end] of this.differences(was, "volatile", is, "volatile")) {
      if (start > at) stretches.push({ start: at, end: start, kind: "synced" });
      stretches.push({ start, end, kind: "lost" });
      at = end;
    }
    if (at < size) stretches.push({ start: at, end: size, kind: "synced" });
    return { size, stretches };
  }

  private comparePages(a: number, b: number): readonly (readonly [number, number])[] {
    const key = `${a} ${b}`;
    const known = this.comparisons.get(key);
    if (known !== undefined) return known;
    const left = this.reader.content(a);
    const right = this.reader.content(b);
    const found: [number, number][] = [];
    for (let at = 0; at < MODEL_PAGE_BYTES; at++) {
      if (left[at] === right[at]) continue;
      const last = found.at(-1);
      if (last !== undefined && at - last[1] <= STRETCH_GAP) last[1] = at + 1;
      else found.push([at, at + 1]);
    }
    if (this.comparisons.size >= STRETCHES_KEPT) this.comparisons.clear();
    this.comparisons.set(key, found);
    return found;
  }

  private touchedNodes(): Set<string> {
    const touched = new Set<string>();
    const { model } = this.reader;
    const [start, end] = this.reader.changesOf(this.step);
    for (let i = start * CHANGE_NUMBERS; i < end * CHANGE_NUMBERS; i += CHANGE_NUMBERS) {
      const kind = model.changes[i] as number;
      const node = model.changes[i + 1] as number;
      const isName = kind === CHANGE.volatileName || kind === CHANGE.durableName;
      touched.add(isName ? `${node} ${model.strings[model.changes[i + 2] as number]}` : String(node));
    }
    return touched;
  }

  /** A path for each node that has one, now or before. */
  private pathsOfNodes(): Map<number, string> {
    const paths = new Map<number, string>([[this.root, "/"]]);
    const walk = (state: DiskAtStep, view: View, directory: number, path: string): void => {
      for (const [name, node] of state.directories.get(directory)?.[view] ?? NO_NAMES) {
        if (!paths.has(node)) paths.set(node, `${path}/${name}`);
        if (this.reader.isDirectoryNode(node)) walk(state, view, node, `${path}/${name}`);
      }
    };
    for (const state of [this.after, this.before]) {
      walk(state, "volatile", this.root, "");
      walk(state, "durable", this.root, "");
    }
    return paths;
  }
}

const NO_NAMES: ReadonlyMap<string, number> = new Map();
const NO_PAGES: readonly number[] = [];

export function sizeOf(file: FileState | null, view: View): number {
  if (file === null) return 0;
  return view === "volatile" ? file.volatileSize : file.durableSize;
}

function pagesOf(file: FileState | null, view: View): readonly number[] {
  if (file === null) return NO_PAGES;
  return view === "volatile" ? file.volatilePages : file.durablePages;
}
