/**
 * O19, of crash loops (simulation.md T8). Verifies: when opening crashes again and again at the same site, what is left of
 * the attempts does not pile up. Beyond what the first four crashes left, the store's directory comes to hold no more
 *
 * - tables than two attempts write, each of which makes at most one of each log segment: some in the making, some in the
 *   quarantine. In number, since a table may be several times as large as its log: keys are repeated in its index and its
 *   bounds (seed 3002945 of the workloads of the store);
 * - temporary files and manifests than the few whose removal a power loss may undo.
 *
 * Does not verify: how much a store takes when it runs.
 */
import { parseFileName } from "../../src/engine/files.js";
import type { DirectoryNode } from "../disk/name-log.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** Crashes after which everything that is cleared away late has had its turn. */
const SETTLED_AFTER = 4;
const UNDONE_REMOVALS = 4;

/** What is in a store's directory, its quarantine included. */
export interface DirectoryUse {
  readonly manifests: number;
  readonly temporaries: number;
  readonly logs: number;
  /** Tables, and the few files that there is one of. */
  readonly others: number;
}

/** What must not pile up. */
const COUNTED = ["others", "manifests", "temporaries"] as const;
type Counted = Pick<DirectoryUse, (typeof COUNTED)[number]>;

/** As processes see it; null is a directory that is not there. */
export function useOf(directory: DirectoryNode | null): DirectoryUse {
  const use = { manifests: 0, temporaries: 0, logs: 0, others: 0 };
  for (const [name, node] of directory?.entries ?? []) {
    const { kind } = parseFileName(name);
    if (node.kind === "directory") use.others += filesBelow(node);
    else if (kind === "manifest") use.manifests++;
    else if (kind === "temporary") use.temporaries++;
    else if (kind === "wal") use.logs++;
    else use.others++;
  }
  return use;
}

export class CrashLoop {
  readonly #ledger: OracleLedger;
  /** After each crash since the last recovery. */
  readonly #uses: DirectoryUse[] = [];

  constructor(ledger: OracleLedger) {
    this.#ledger = ledger;
  }

  /** Crashes in a row without a recovery that was completed. */
  get length(): number {
    return this.#uses.length;
  }

  recovered(): void {
    this.#uses.length = 0;
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
        `where at most ${shown(allowed)} was to be expected (tables and others + manifests + temporary files)`,
    );
  }

  #allowed(first: readonly DirectoryUse[]): Counted {
    const most = (of: (use: DirectoryUse) => number): number => Math.max(...first.map(of));
    return {
      others: most(({ others }) => others) + 2 * most(({ logs }) => logs),
      manifests: most(({ manifests }) => manifests) + UNDONE_REMOVALS,
      temporaries: most(({ temporaries }) => temporaries) + UNDONE_REMOVALS,
    };
  }
}

function shown(use: Counted): string {
  return COUNTED.map((count) => use[count]).join("+");
}

function filesBelow(directory: DirectoryNode): number {
  let files = 0;
  for (const node of directory.entries.values()) files += node.kind === "directory" ? filesBelow(node) : 1;
  return files;
}
