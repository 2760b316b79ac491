/**
 * What a power loss does to names and files (simulation.md B2): of each thing that was not synced, any state it had
 * since its last sync may be on the medium, independent of the others. Pages may be torn at sectors, sizes persist
 * apart from data, names apart from files. Promise: synced bytes, sizes and names stay, unless `powersafeOverwrite`
 * is off and an unsynced write shared their sector; afterwards processes see exactly the medium.
 * Does not own: the decisions (`survival.ts`).
 */
import { assert } from "../../src/platform/assert.js";
import type { ChoiceStream } from "../choices/choices.js";
import type { DiskCounters } from "./counters.js";
import { mix } from "./fault-dice.js";
import type { FileNode, PageVersion } from "./file-node.js";
import type { NameOperation } from "./name-log.js";
import type { Namespace } from "./namespace.js";
import type { DiskOptions } from "./options.js";
import { copyOfPage, PAGE_BYTES, type Page, SECTOR_BYTES, SECTORS_PER_PAGE } from "./page.js";
import { type PowerLossReport, reportOf } from "./power-loss-report.js";
import { decideFates, type Fate, type SurvivalItem, tornBase, tornSectors } from "./survival.js";

export interface PowerLoss {
  readonly options: DiskOptions;
  readonly stream: ChoiceStream;
  readonly counters: DiskCounters;
  /** Pages of files deleted lately, for holes that show stale content. */
  readonly graveyard: readonly Page[];
  /** Different for each crash, so that garbage is not the same twice. */
  readonly salt: number;
  readonly onReport: ((report: PowerLossReport) => void) | null;
  /** S10: whether a rename that survives is split, and how. */
  readonly renames: ChoiceStream;
  /** Called with the name of a file that a split rename has taken away. */
  readonly onSplitRename: (name: string) => void;
}

/** One dirty file with where its items stand in the list of all. */
export interface DirtyFile {
  readonly file: FileNode;
  readonly sizeItem: number;
  readonly pages: readonly { readonly index: number; readonly newest: PageVersion; readonly item: number }[];
}

/** Earliest loss and latest survival, in the order in which things were done. */
interface Order {
  firstLost: number;
  lastKept: number;
}

export function losePower(names: Namespace, files: readonly FileNode[], loss: PowerLoss): void {
  const { pending } = names.log;
  const { items, dirtyFiles } = listItems(pending, files);
  if (items.length > 0) loss.counters.crashStates++;
  const { address } = loss.stream;
  const decided = decideFates(loss.stream, items, loss.options.tearProbability);
  const fates = isJournal(loss.options) ? inOrder(decided, pending.length) : decided;
  if (loss.onReport !== null) loss.onReport(reportOf(names, dirtyFiles, items, fates, address));
  const order: Order = { firstLost: Number.POSITIVE_INFINITY, lastKept: -1 };

  const survivors = settleNames(names, fates, order, loss.counters);
  if (loss.options.splitRenameProbability > 0) splitRenames(survivors, loss);
  const damaged = new Set<FileNode>();
  for (const dirty of dirtyFiles) settleFile(dirty, items, fates, order, damaged, loss);
  for (const operation of survivors) {
    const moved = operation.kind === "rename" ? operation.changes[1]?.after : null;
    if (moved?.kind === "file" && damaged.has(moved)) loss.counters.faults["S9 rename without data"]++;
  }
  if (order.firstLost < order.lastKept) loss.counters.faults["S3 out of order"]++;
}

function isJournal({ personality }: DiskOptions): boolean {
  return personality === "journal-ordered" || personality === "journal-strict";
}

/** A journal is replayed up to its first gap: no name operation survives one that is lost. */
function inOrder(fates: readonly Fate[], names: number): readonly Fate[] {
  const firstLost = fates.findIndex(({ state }, index) => index < names && state > 0);
  if (firstLost < 0) return fates;
  return fates.map((fate, index) => (index > firstLost && index < names ? { state: 1, tear: 0 } : fate));
}

/** S10: both names are there, the new one is missing, or the new one still has the file that it had. Files only. */
function splitRenames(survivors: readonly NameOperation[], loss: PowerLoss): void {
  const { renames, options, counters } = loss;
  for (const { kind, changes } of survivors) {
    const [from, to] = changes;
    if (kind !== "rename" || from === undefined || to === undefined || to.after?.kind !== "file") continue;
    const strikes = !renames.replaying && renames.random.fraction() < options.splitRenameProbability;
    const answer = renames.propose(strikes ? 1 + renames.random.below(3) : 0, "crash.rename");
    // A later operation on one of the names has the last word.
    if (answer === 0 || to.directory.durable.get(to.name) !== to.after) continue;
    if (from.directory.durable.has(from.name)) continue;
    counters.faults["S10 split rename"]++;
    const way = answer % 3;
    if (way === 0) from.directory.durable.set(from.name, to.after);
    else {
      if (way === 1 || to.before === null) to.directory.durable.delete(to.name);
      else to.directory.durable.set(to.name, to.before);
      loss.onSplitRename(to.name);
    }
  }
}

/** For explorers: the number of alternatives of each item that a power loss would decide now, tears apart. */
export function countAlternatives(names: Namespace, files: readonly FileNode[]): number[] {
  return listItems(names.log.pending, files).items.map(({ sequences }) => sequences.length + 1);
}

/** What is to be decided: pending name operations in order of time, then for each file its size and its pages. */
export function listItems(
  pending: readonly NameOperation[],
  files: readonly FileNode[],
): { items: SurvivalItem[]; dirtyFiles: DirtyFile[] } {
  const items: SurvivalItem[] = pending.map(({ sequence, needs }) => ({
    sequences: [sequence],
    needs: needs.filter(({ durable }) => !durable).map((needed) => pending.indexOf(needed)),
    tearable: false,
  }));
  const dirtyFiles: DirtyFile[] = [];
  for (const file of files) {
    if (!file.isDirty && file.forsaken.size === 0) continue;
    const sizeItem = items.length;
    items.push({
      sequences: file.sizes.map(({ sequence }) => sequence).reverse(),
      needs: [],
      tearable: false,
    });
    const pages: { index: number; newest: PageVersion; item: number }[] = [];
    for (const [index, newest] of file.dirty) {
      const sequences: number[] = [];
      for (let version: PageVersion | null = newest; version !== null; version = version.older) {
        sequences.push(version.sequence);
      }
      pages.push({ index, newest, item: items.length });
      items.push({ sequences, needs: [], tearable: true });
    }
    dirtyFiles.push({ file, sizeItem, pages });
  }
  return { items, dirtyFiles };
}

/** A name operation that lost one it needs is lost too: an explicit loss outweighs being kept by default. */
function settleNames(
  names: Namespace,
  fates: readonly Fate[],
  order: Order,
  counters: DiskCounters,
): NameOperation[] {
  const survivors = new Set<NameOperation>();
  names.log.pending.forEach((operation, index) => {
    const kept = fateOf(fates, index).state === 0;
    if (kept && operation.needs.every((needed) => needed.durable || survivors.has(needed))) {
      if (operation.kind === "unlink" && order.firstLost < operation.sequence) {
        counters.faults["S8 unlink before earlier"]++;
      }
      survivors.add(operation);
      order.lastKept = Math.max(order.lastKept, operation.sequence);
      return;
    }
    order.firstLost = Math.min(order.firstLost, operation.sequence);
    if (operation.kind === "rename") counters.faults["S9 undone rename"]++;
    else if (operation.kind === "unlink" || operation.kind === "rmdir") counters.faults["S7 undone unlink"]++;
    else counters.faults["S6 lost create"]++;
  });
  names.log.settle(survivors);
  return [...survivors];
}

function settleFile(
  dirty: DirtyFile,
  items: readonly SurvivalItem[],
  fates: readonly Fate[],
  order: Order,
  damaged: Set<FileNode>,
  loss: PowerLoss,
): void {
  const { file } = dirty;
  const { faults } = loss.counters;
  const sizeFate = fateOf(fates, dirty.sizeItem);
  const oldSize = file.mediaSize;
  const chosenSize = file.sizes[file.sizes.length - 1 - sizeFate.state]?.size ?? oldSize;
  const newSize = isJournal(loss.options) ? sizeAfterData(dirty, fates, chosenSize) : chosenSize;
  noteOrder(order, items[dirty.sizeItem] as SurvivalItem, sizeFate.state);
  if (newSize > file.size) faults["S11 undone truncate"]++;
  if (sizeFate.state > 0) damaged.add(file);

  let dataLostBelowSize = false;
  let dataKeptBeyondSize = false;
  for (const { index, newest, item } of dirty.pages) {
    const fate = fateOf(fates, item);
    const states = statesOf(file, index, newest, newSize, loss);
    const durable = states.length - 1;
    noteOrder(order, items[item] as SurvivalItem, fate.state);
    if (fate.state === durable) {
      faults["S2 lost write"]++;
      if (newSize > Math.max(oldSize, index * PAGE_BYTES)) dataLostBelowSize = true;
    } else {
      if (fate.state > 0) faults["S4 intermediate version"]++;
      if (index * PAGE_BYTES >= newSize && newest.page !== null) dataKeptBeyondSize = true;
    }
    let page = states[fate.state] as Page | null;
    if (fate.tear > 0 && fate.state < durable) {
      faults["S1 torn write"]++;
      page = torn(
        page,
        states[fate.state + tornBase(fate.tear, durable - fate.state)] as Page | null,
        fate.tear,
      );
    }
    if (fate.state > 0 || fate.tear > 0) damaged.add(file);
    page = collateral(page, states[durable] as Page | null, newest.page, loss);
    file.replaceMediaPage(index, page);
  }
  if (dataLostBelowSize || dataKeptBeyondSize) faults["S5 size apart from data"]++;
  file.settle(newSize);
}

/** A journal records a size after the bytes below it: where these did not arrive, the file ends. */
function sizeAfterData({ file, pages }: DirtyFile, fates: readonly Fate[], chosen: number): number {
  let size = chosen;
  for (const { index, item } of pages) {
    const { state, tear } = fateOf(fates, item);
    const end = Math.max(file.mediaSize, index * PAGE_BYTES);
    if ((state > 0 || tear > 0) && end < size) size = end;
  }
  return size;
}

/** The states a page may be found in, newest first; the last is what the medium has, or shows in a new hole. */
function statesOf(
  file: FileNode,
  index: number,
  newest: PageVersion,
  newSize: number,
  loss: PowerLoss,
): (Page | null)[] {
  const states: (Page | null)[] = [];
  for (let version: PageVersion | null = newest; version !== null; version = version.older) {
    states.push(version.page);
  }
  states.push(hole(file, index, newSize, loss));
  return states;
}

/** The durable page; where the file grew over blocks that were allocated and not written, what these held (S5). */
function hole(file: FileNode, index: number, newSize: number, loss: PowerLoss): Page | null {
  const page = file.mediaPage(index);
  const start = Math.max(file.mediaSize - index * PAGE_BYTES, 0);
  const end = Math.min(newSize - index * PAGE_BYTES, PAGE_BYTES);
  const { holeContent } = loss.options;
  if (holeContent === "zeros" || isJournal(loss.options) || start >= end) return page;
  const filled = copyOfPage(page);
  const seed = mix(mix(loss.salt, file.id), index);
  const corpse = loss.graveyard[seed % loss.graveyard.length];
  if (holeContent === "stale" && corpse !== undefined) filled.set(corpse.subarray(start, end), start);
  else fillGarbage(filled, start, end, seed);
  return filled;
}

function torn(newer: Page | null, older: Page | null, tear: number): Page {
  const { old, halfNew } = tornSectors(tear);
  const page = copyOfPage(newer);
  for (let sector = 0; sector < SECTORS_PER_PAGE; sector++) {
    if ((old & (1 << sector)) === 0) continue;
    const start = sector * SECTOR_BYTES + (sector === halfNew ? SECTOR_BYTES / 2 : 0);
    const end = (sector + 1) * SECTOR_BYTES;
    if (older === null) page.fill(0, start, end);
    else page.set(older.subarray(start, end), start);
  }
  return page;
}

/** S12: bytes beside the written ones, in a sector that an unsynced write touched, become garbage. */
function collateral(
  page: Page | null,
  durable: Page | null,
  newest: Page | null,
  loss: PowerLoss,
): Page | null {
  const { stream, options } = loss;
  const strikes =
    !stream.replaying &&
    !options.powersafeOverwrite &&
    stream.random.fraction() < options.collateralProbability;
  const answer = stream.propose(strikes ? 1 + stream.random.below(1 << 16) : 0, "crash.collateral");
  if (answer === 0 || options.powersafeOverwrite || durable === null || newest === null) return page;
  const touched: number[] = [];
  for (let at = 0; at < PAGE_BYTES; at++) {
    if (durable[at] === newest[at]) continue;
    touched.push(at);
    at = (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES - 1;
  }
  const first = touched[answer % touched.length];
  if (first === undefined) return page;
  const sectorStart = Math.floor(first / SECTOR_BYTES) * SECTOR_BYTES;
  let last = sectorStart + SECTOR_BYTES - 1;
  while (durable[last] === newest[last]) last--;
  const damaged = copyOfPage(page);
  const before = (answer & 1) === 0;
  fillGarbage(
    damaged,
    before ? sectorStart : last + 1,
    before ? first : sectorStart + SECTOR_BYTES,
    mix(loss.salt, answer),
  );
  loss.counters.faults["S12 collateral sector"]++;
  return damaged;
}

function fillGarbage(page: Page, start: number, end: number, seed: number): void {
  for (let at = start; at < end; at++) page[at] = mix(seed, at);
}

function noteOrder(order: Order, item: SurvivalItem, state: number): void {
  const kept = item.sequences[state];
  const lost = item.sequences[state - 1];
  if (kept !== undefined) order.lastKept = Math.max(order.lastKept, kept);
  if (lost !== undefined) order.firstLost = Math.min(order.firstLost, lost);
}

function fateOf(fates: readonly Fate[], item: number): Fate {
  const fate = fates[item];
  assert(fate !== undefined, "each item has a fate");
  return fate;
}
