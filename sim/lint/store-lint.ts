/**
 * The durability lint of the store (simulation.md N10): at each moment at which something was promised to be durable it
 * keeps a copy of the disk, and afterwards asks of each copy whether the promise would have survived the loss of power
 * right then, and if not, for want of which bytes, sizes and names. No crash need happen.
 * Moments: a commit acknowledged as `sync`, a flush or checkpoint resolved, a clean close, and CURRENT switched.
 * Does not own: over-long syncs (the sync advisor), promises that time alone fulfils (`buffered`).
 */
import { Store } from "../../src/engine/store.js";
import { Choices } from "../choices/choices.js";
import { type CrashItem, itemText } from "../disk/crash-items.js";
import type { SimulationDisk } from "../disk/simulation-disk.js";
import { exploreWorld } from "../explore/setting.js";
import type { Model } from "../model/model.js";
import { checkCheckpoint } from "../oracles/checkpoint.js";
import { OracleLedger } from "../oracles/failure.js";
import { judgeRecovery } from "../oracles/recovery.js";
import { readAll } from "../run/checks.js";
import { type PromiseMade, type Session, STORE_DIRECTORY } from "../run/session.js";
import { Trace } from "../trace/trace.js";
import type { SimulationOptions } from "../workload/options.js";
import { CALM_WORLD } from "../world/faults.js";
import { findMissing } from "./unsynced.js";

export type AcknowledgementKind = PromiseMade["kind"] | "CURRENT";

/** One acknowledgement that was given too early. Plain data. */
export interface LintFinding {
  readonly kind: AcknowledgementKind;
  /** What was acknowledged, in words. */
  readonly what: string;
  /** What it stands on that was not durable, in words; with place and file kind for grouping. */
  readonly missing: readonly { readonly place: string; readonly text: string }[];
}

interface Moment {
  readonly kind: AcknowledgementKind;
  readonly what: string;
  readonly disk: SimulationDisk;
  readonly model: Model;
  readonly promise: PromiseMade | null;
}

/** With so many findings a run has said enough: its later moments are not looked at. */
const FINDINGS_MAX = 40;

/** Looks for what is acknowledged while it is not durable. */
export class StoreLint {
  /** Acknowledgements looked at, by kind. */
  readonly looked = new Map<AcknowledgementKind, number>();
  readonly #session: Session;
  readonly #options: SimulationOptions;
  readonly #moments: Moment[] = [];
  #currentReplaced = false;
  #currentIsNew = false;

  /** Listens to a run that has not begun. The run's own look at the durable state is off: it would end the run first. */
  constructor(session: Session) {
    this.#session = session;
    this.#options = { ...session.options, schedule: "fifo", buggify: false, world: CALM_WORLD };
    session.onPromise = (promise) => this.#keep(promise.kind, promise.what, promise);
    session.world.observer = (operation, path) => this.#onCall(operation, path);
    session.world.beforeTask = null;
  }

  /** To be called after the run: judges every moment. */
  async examine(): Promise<LintFinding[]> {
    const findings: LintFinding[] = [];
    for (const moment of this.#moments) {
      if (findings.length >= FINDINGS_MAX) break;
      this.looked.set(moment.kind, (this.looked.get(moment.kind) ?? 0) + 1);
      const missing = await findMissing(moment.disk, (crashed) => this.#holds(moment, crashed));
      if (missing === null) continue;
      const { kind, what } = moment;
      findings.push({
        kind,
        what,
        missing: missing.map((item) => ({ place: placeOf(item), text: itemText(item) })),
      });
    }
    return findings;
  }

  /** CURRENT is switched when the sync of its directory, after the rename, has returned: at the next call. */
  #onCall(operation: string, path: string): void {
    if (this.#currentIsNew) {
      this.#currentIsNew = false;
      this.#keep("CURRENT", "CURRENT names another manifest", null);
    }
    if (operation === "syncDirectory" && path === STORE_DIRECTORY && this.#currentReplaced) {
      this.#currentReplaced = false;
      this.#currentIsNew = true;
    }
    if (operation === "rename" && path.startsWith(`${STORE_DIRECTORY}/`)) this.#currentReplaced = true;
  }

  #keep(kind: AcknowledgementKind, what: string, promise: PromiseMade | null): void {
    const { disk, model } = this.#session;
    const copy = disk.fork(Choices.fromLog("lint", {}), new Trace(), { after: () => {}, nowMs: () => 0 });
    this.#moments.push({ kind, what, disk: copy, model: model.copy(), promise });
  }

  async #holds({ promise, model }: Moment, crashed: SimulationDisk): Promise<boolean> {
    const world = exploreWorld(this.#options, [], crashed);
    const checkpoint = promise?.checkpoint;
    const directory = checkpoint?.target ?? STORE_DIRECTORY;
    const end = await world.live(async (life) => {
      // Before the first promise there need not be a store.
      const createIfMissing = checkpoint === undefined && model.submitted === 0;
      const store = await Store.open(directory, { ...this.#options.store, createIfMissing }, life.platform);
      const rows = readAll(store);
      if (checkpoint === undefined) judgeRecovery(new OracleLedger(), model, rows, true);
      else checkCheckpoint(new OracleLedger(), model, checkpoint.span, rows);
    });
    return end.kind === "finished";
  }
}

/** Kind of thing and of file: `bytes of *.wal`, `create of *.sst`. */
function placeOf(item: CrashItem): string {
  const file = item.path.slice(item.path.lastIndexOf("/") + 1).replaceAll(/\d{6,}/g, "*");
  if (item.kind === "name") return `${item.operation} of ${file}`;
  return item.kind === "size" ? `size of ${file}` : `bytes of ${file}`;
}
