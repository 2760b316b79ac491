/**
 * What a power loss would decide now, described: for explorers, which try every answer, and for lints, which name what
 * is not durable. The order and the alternatives are those of `power-loss.ts`; this file only adds the words.
 */
import { assert } from "../../src/platform/assert.js";
import type { FileNode } from "./file-node.js";
import type { DirectoryNode, NameOperation, NameOperationKind, TreeNode } from "./name-log.js";
import type { Namespace } from "./namespace.js";
import { PAGE_BYTES } from "./page.js";
import { listItems } from "./power-loss.js";

/**
 * One unsynced thing. Answer 0 keeps its newest state, answer `sequences.length` the durable one. `sequences` says when
 * each unsynced state was made, newest first; no two states of a disk's life have the same kind, file and sequence.
 */
export type CrashItem = {
  readonly sequences: readonly number[];
  /** Items that must be kept for this one to be, by their place in the list. */
  readonly needs: readonly number[];
  /** Number of the file, the same under all its names; 0 for name operations. */
  readonly file: number;
} & (
  | {
      readonly kind: "name";
      readonly operation: NameOperationKind;
      readonly path: string;
      readonly from?: string;
    }
  | { readonly kind: "size"; readonly path: string; readonly durableBytes: number; readonly bytes: number }
  | {
      readonly kind: "page";
      readonly path: string;
      readonly page: number;
      /** The bytes of the file that differ between the durable state and the newest one, as far as the file reaches. */
      readonly offset: number;
      readonly length: number;
    }
);

export function describeItems(names: Namespace): CrashItem[] {
  const { pending } = names.log;
  const { items, dirtyFiles } = listItems(pending, names.filesThatMaySurvive());
  const paths = new PathFinder(names);
  const described = pending.map((operation, index) => paths.describe(operation, items[index]?.needs ?? []));
  for (const { file, sizeItem, pages } of dirtyFiles) {
    const path = paths.of(file);
    const sequencesOf = (item: number): readonly number[] => {
      const found = items[item];
      assert(found !== undefined, "each dirty thing is an item");
      return found.sequences;
    };
    described.push({
      kind: "size",
      file: file.id,
      needs: [],
      path,
      durableBytes: file.mediaSize,
      bytes: file.size,
      sequences: sequencesOf(sizeItem),
    });
    for (const { index, item } of pages) {
      const range = changedBytes(file, index);
      described.push({
        kind: "page",
        file: file.id,
        needs: [],
        path,
        page: index,
        ...range,
        sequences: sequencesOf(item),
      });
    }
  }
  return described;
}

/** For people: `bytes 4096 to 4608 of /store/000002.log`, `rename /store/CURRENT.tmp -> /store/CURRENT`. */
export function itemText(item: CrashItem): string {
  if (item.kind === "name") {
    return item.from === undefined
      ? `${item.operation} ${item.path}`
      : `${item.operation} ${item.from} -> ${item.path}`;
  }
  if (item.kind === "size") return `size of ${item.path} from ${item.durableBytes} to ${item.bytes}`;
  return `bytes ${item.offset} to ${item.offset + item.length} of ${item.path}`;
}

/** Finds a path for each node: as processes see it, else by its durable name, else by an operation on it. */
class PathFinder {
  private readonly known = new Map<TreeNode, string>();

  constructor(names: Namespace) {
    this.known.set(names.root, "");
    this.walk(names.root, "", (directory) => directory.entries);
    this.walk(names.root, "", (directory) => directory.durable);
  }

  of(node: TreeNode): string {
    return this.known.get(node) ?? "(a file without a name)";
  }

  describe(operation: NameOperation, needs: readonly number[]): CrashItem {
    const { kind, sequence, changes } = operation;
    const paths = changes.map(({ directory, name, before, after }) => {
      const path = `${this.of(directory)}/${name}`;
      for (const node of [before, after]) {
        if (node !== null && !this.known.has(node)) this.known.set(node, path);
      }
      return path;
    });
    const [first, second] = paths;
    assert(first !== undefined, "an operation is on a name");
    const base = { kind: "name", operation: kind, file: 0, sequences: [sequence], needs } as const;
    return second === undefined ? { ...base, path: first } : { ...base, path: second, from: first };
  }

  private walk(
    directory: DirectoryNode,
    path: string,
    entriesOf: (directory: DirectoryNode) => ReadonlyMap<string, TreeNode>,
  ): void {
    for (const [name, node] of entriesOf(directory)) {
      const below = `${path}/${name}`;
      if (!this.known.has(node)) this.known.set(node, below);
      if (node.kind === "directory") this.walk(node, below, entriesOf);
    }
  }
}

function changedBytes(file: FileNode, index: number): { offset: number; length: number } {
  const durable = file.mediaPage(index);
  const newest = file.cachePage(index);
  let first = 0;
  let last = PAGE_BYTES - 1;
  while (first <= last && (durable?.[first] ?? 0) === (newest?.[first] ?? 0)) first++;
  while (last > first && (durable?.[last] ?? 0) === (newest?.[last] ?? 0)) last--;
  return { offset: index * PAGE_BYTES + first, length: last - first + 1 };
}
