/**
 * O19, of crash loops (simulation.md T8). Verifies: when opening crashes again and again at the same site, what is left of
 * the attempts does not pile up. Beyond what the first four crashes left, the store's directory comes to hold no more
 *
 * - pages of tables than two attempts write: one in the making, one in the quarantine;
 * - temporary files, and manifests that CURRENT has not come to name, than the few whose removal a power loss may undo;
 * - manifests of any sort than one for each attempt. Of those between a manifest's getting its name in CURRENT and the
 *   removal of the one before it nobody knows which a power loss would leave, so that these may add up.
 *
 * Does not verify: how much a store takes when it runs.
 */
import { CURRENT_NAME, parseFileName } from "../../src/engine/files.js";
import { readUint64 } from "../../src/engine/format/frame.js";
import type { DirectoryNode } from "../disk/name-log.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** Crashes after which everything that is cleared away late has had its turn. */
const SETTLED_AFTER = 4;
const UNDONE_REMOVALS = 4;

/** What is in a store's directory, its quarantine included. */
export interface DirectoryUse {
  readonly manifests: number;
  /** Of these, manifests that are newer than the one that CURRENT names, so that no open has got as far as to use them. */
  readonly unusedManifests: number;
  readonly temporaries: number;
  readonly logs: number;
  readonly logPages: number;
  /** Of everything else. */
  readonly otherPages: number;
}

/** What must not pile up. */
const COUNTED = ["otherPages", "manifests", "unusedManifests", "temporaries"] as const;
type Counted = Pick<DirectoryUse, (typeof COUNTED)[number]>;

/** As processes see it; null is a directory that is not there. */
export function useOf(directory: DirectoryNode | null): DirectoryUse {
  const use = { manifests: 0, unusedManifests: 0, temporaries: 0, logs: 0, logPages: 0, otherPages: 0 };
  const named = directory === null ? 0 : manifestNamed(directory);
  for (const [name, node] of directory?.entries ?? []) {
    const { kind, number } = parseFileName(name);
    if (node.kind === "directory") use.otherPages += pagesBelow(node);
    else if (kind === "manifest") {
      use.manifests++;
      if (number > named) use.unusedManifests++;
    } else if (kind === "temporary") use.temporaries++;
    else if (kind === "wal") {
      use.logs++;
      use.logPages += node.allocatedPages;
    } else use.otherPages += node.allocatedPages;
  }
  return use;
}

export class CrashLoop {
  readonly #ledger: OracleLedger;
  /** After each crash since the last recovery. */
  readonly #uses: DirectoryUse[] = [];
  #openings = 0;

  constructor(ledger: OracleLedger) {
    this.#ledger = ledger;
  }

  /** Crashes in a row without a recovery that was completed. */
  get length(): number {
    return this.#uses.length;
  }

  /** The store is being opened: an attempt that fails may leave as much as one that is cut off. */
  opening(): void {
    this.#openings++;
  }

  recovered(): void {
    this.#uses.length = 0;
    this.#openings = 0;
  }

  crashed(use: DirectoryUse): void {
    this.#uses.push(use);
    if (this.#uses.length <= SETTLED_AFTER) return;
    this.#ledger.count("O19");
    const allowed = this.#allowed(this.#uses.slice(0, SETTLED_AFTER));
    if (COUNTED.every((count) => use[count] <= allowed[count])) return;
    throw new OracleFailure(
      "O19",
      `${this.#uses.length} crashes in a row while opening have filled the disk: ${this.#uses.map(shown).join(", ")}, ` +
        `where at most ${shown(allowed)} was to be expected (pages of tables + manifests + those not in use yet + temporary files)`,
    );
  }

  #allowed(first: readonly DirectoryUse[]): Counted {
    const most = (of: (use: DirectoryUse) => number): number => Math.max(...first.map(of));
    // The tables of one attempt are no larger than the log, but for the end of a page and what is added to each.
    const attemptPages = most(({ logPages, logs }) => logPages + 2 * logs);
    return {
      otherPages: most(({ otherPages }) => otherPages) + 2 * attemptPages,
      manifests: most(({ manifests }) => manifests) + this.#openings,
      unusedManifests: most(({ unusedManifests }) => unusedManifests) + UNDONE_REMOVALS,
      temporaries: most(({ temporaries }) => temporaries) + UNDONE_REMOVALS,
    };
  }
}

function shown(use: Counted): string {
  return COUNTED.map((count) => use[count]).join("+");
}

/** 0 when there is no CURRENT. */
function manifestNamed(directory: DirectoryNode): number {
  const current = directory.entries.get(CURRENT_NAME);
  const page = current?.kind === "file" ? current.cachePage(0) : null;
  return page === null ? 0 : readUint64(page, 16);
}

function pagesBelow(directory: DirectoryNode): number {
  let pages = 0;
  for (const node of directory.entries.values())
    pages += node.kind === "directory" ? pagesBelow(node) : node.allocatedPages;
  return pages;
}
