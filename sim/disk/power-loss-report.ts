/**
 * What a power loss found unsynced and what became of it, in words: one item for each decision of the `crash` stream,
 * with the file, the range and the fate. For root causes and for people; made only when somebody listens, from the
 * state just before the loss. Does not own: the decisions (`survival.ts`), carrying them out (`power-loss.ts`).
 */
import { type ChoiceAddress, parseAddress } from "../choices/choices.js";
import type { FileNode } from "./file-node.js";
import type { DirectoryNode, NameOperation } from "./name-log.js";
import type { Namespace } from "./namespace.js";
import { PAGE_BYTES } from "./page.js";
import { type DirtyFile, listItems } from "./power-loss.js";
import type { Fate, SurvivalItem } from "./survival.js";

/** `intermediate`: a state between the newest and the durable one. `torn`: some sectors of it, others older. */
export type ItemFate = "kept" | "lost" | "intermediate" | "torn";

export interface SettledItem {
  /** Where its decision is in the `crash` stream. */
  readonly at: ChoiceAddress;
  readonly kind: "name" | "size" | "page";
  /** "rename /store/a -> /store/b", "page [4096, 8192) of /store/a", "size 0 -> 5000 of /store/a". */
  readonly what: string;
  readonly path: string;
  readonly offset?: number;
  readonly length?: number;
  /** How many unsynced states it has: the answer that loses it. */
  readonly states: number;
  /** When it was last changed, in the order of all changes. */
  readonly sequence: number;
  readonly fate: ItemFate;
}

export interface PowerLossReport {
  /** In the order in which the `crash` stream was asked. */
  readonly items: readonly SettledItem[];
}

/** `first` is the address of the first decision; the others follow it one by one. */
export function reportOf(
  names: Namespace,
  dirtyFiles: readonly DirtyFile[],
  items: readonly SurvivalItem[],
  fates: readonly Fate[],
  first: ChoiceAddress,
): PowerLossReport {
  const { pending } = names.log;
  const paths = pathsOf(names);
  const settled: SettledItem[] = [];
  const add = (item: number, rest: Omit<SettledItem, "at" | "states" | "sequence" | "fate">): void => {
    const { sequences } = items[item] as SurvivalItem; // listed together with what is described
    const [sequence = 0] = sequences;
    const fate = fateOf(items, fates, item);
    settled.push({ at: addressAfter(first, item), ...rest, states: sequences.length, sequence, fate });
  };
  pending.forEach((operation, index) => {
    const shown = operation.changes.map(({ directory, name }) => `${paths.directory(directory)}${name}`);
    const what = `${operation.kind} ${shown.join(" -> ")}`;
    add(index, { kind: "name", what, path: shown[shown.length - 1] ?? "" });
  });
  for (const { file, sizeItem, pages } of dirtyFiles) {
    const path = paths.file(file);
    add(sizeItem, { kind: "size", what: `size ${file.mediaSize} -> ${file.size} of ${path}`, path });
    for (const { index, item } of pages) {
      const offset = index * PAGE_BYTES;
      const what = `page [${offset}, ${offset + PAGE_BYTES}) of ${path}`;
      add(item, { kind: "page", what, path, offset, length: PAGE_BYTES });
    }
  }
  return { items: settled };
}

/** What is unsynced now, as a power loss that keeps everything would report it. */
export function unsyncedItems(names: Namespace): readonly SettledItem[] {
  const { items, dirtyFiles } = listItems(names.log.pending, names.filesThatMaySurvive());
  const kept = items.map((): Fate => ({ state: 0, tear: 0 }));
  return reportOf(names, dirtyFiles, items, kept, 0).items.filter(({ states }) => states > 0);
}

function addressAfter(first: ChoiceAddress, steps: number): ChoiceAddress {
  const parsed = parseAddress(first);
  if (parsed === null || parsed.segment === "") return Number(first) + steps;
  return `${parsed.segment}:${parsed.index + steps}`;
}

/** A name that was to be kept is lost with one that it needs. */
function fateOf(items: readonly SurvivalItem[], fates: readonly Fate[], item: number): ItemFate {
  const { sequences, needs } = items[item] as SurvivalItem;
  const { state, tear } = fates[item] as Fate;
  if (state === sequences.length && sequences.length > 0) return "lost";
  if (needs.some((needed) => fateOf(items, fates, needed) === "lost")) return "lost";
  if (tear > 0) return "torn";
  return state === 0 ? "kept" : "intermediate";
}

interface Paths {
  directory(node: DirectoryNode): string;
  file(node: FileNode): string;
}

/** Paths as processes see them; of what they no longer see, by its durable or its pending name. */
function pathsOf(names: Namespace): Paths {
  const directories = new Map<DirectoryNode, string>([[names.root, "/"]]);
  const files = new Map<FileNode, string>();
  const walk = (directory: DirectoryNode, durable: boolean): void => {
    const prefix = directories.get(directory) ?? "/";
    for (const [name, node] of durable ? directory.durable : directory.entries) {
      if (node.kind === "file") {
        if (!files.has(node)) files.set(node, prefix + name);
        continue;
      }
      if (!directories.has(node)) directories.set(node, `${prefix}${name}/`);
      walk(node, durable);
    }
  };
  walk(names.root, false);
  walk(names.root, true);
  const directory = (node: DirectoryNode): string => directories.get(node) ?? "(removed directory)/";
  const named = ({ changes }: NameOperation, file: FileNode) => changes.find(({ after }) => after === file);
  const file = (node: FileNode): string => {
    const known = files.get(node);
    if (known !== undefined) return known;
    for (const operation of names.log.pending) {
      const change = named(operation, node);
      if (change !== undefined) return directory(change.directory) + change.name;
    }
    return `(file ${node.id} without a name)`;
  };
  return { directory, file };
}
