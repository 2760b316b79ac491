/**
 * Looks through the indexes of a store in turn, one every so often, and mends what it finds (features FS-21): few rows one by one,
 * where that is asked for; an index with more damage than a threshold is built anew beside itself and swapped. Tells an observer what
 * it does, and goes on whatever an index throws. Owns the timer and the scrub under way; `close` leaves neither behind.
 */
import { refuseUnknownOptions } from "../../engine/options.js";
import { hasCode } from "../../platform/errors.js";
import type { Timer } from "../../platform/platform.js";
import { RecordError, shown } from "../../record/record-error.js";
import { OnlineBuilder } from "../build/online-builder.js";
import type { IndexEnvironment } from "../environment.js";
import { beginShadow, swapShadow } from "../index-changes.js";
import { type ScrubPreset, type ScrubSettings, scrubSettings } from "./scrub-options.js";
import { Scrubber, type ScrubResult } from "./scrubber.js";

/** How often indexes are verified, and when one is built anew. */
export interface VerificationOptions {
  /** From the end of one scrub to the begin of the next. */
  readonly intervalMs: number;
  /** An index with more wrong rows than this is built anew. Default 100. */
  readonly rebuildAbove?: number;
  /** How each scrub goes about it; default conservative. With `repair`, damage up to the threshold is repaired row by row. */
  readonly scrub?: Partial<ScrubSettings> & { readonly preset?: ScrubPreset };
  /** What it throws is given to `failed`, and what that throws to nobody. */
  readonly observer?: VerificationObserver;
}

export interface VerifiedIndex {
  readonly collection: string;
  readonly index: string;
}

/** What happened, as it happens. */
export interface VerificationObserver {
  verified?(index: VerifiedIndex, result: ScrubResult): void;
  rebuilt?(index: VerifiedIndex, result: ScrubResult): void;
  /** The next index is next all the same. */
  failed?(index: VerifiedIndex | null, error: unknown): void;
}

const REBUILD_ABOVE = 100;

/** The verification of all indexes that runs every so often, until it is closed. */
export class IndexVerification implements AsyncDisposable {
  readonly #environment: IndexEnvironment;
  readonly #options: VerificationOptions;
  readonly #stop = new AbortController();
  #timer: Timer | null = null;
  #running: Promise<void> = Promise.resolve();
  /** The last one that was scrubbed, by its place in the order of names. */
  #last = "";

  /** Begins with the first index after `intervalMs`. Throws `UNKNOWN_OPTION`, `INVALID_ARGUMENT`. */
  constructor(environment: IndexEnvironment, options: VerificationOptions) {
    refuseUnknownOptions(options, ["intervalMs", "rebuildAbove", "scrub", "observer"], "verification");
    const { intervalMs, rebuildAbove = REBUILD_ABOVE, scrub = {} } = options;
    for (const [name, value, least] of [
      ["intervalMs", intervalMs, 1],
      ["rebuildAbove", rebuildAbove, 0],
    ] as const) {
      if (Number.isSafeInteger(value) && value >= least) continue;
      throw new RecordError(
        "INVALID_ARGUMENT",
        `"${name}" of the verification is a whole number of at least ${least}, not ${shown(value)}.`,
      );
    }
    scrubSettings(scrub);
    this.#environment = environment;
    this.#options = options;
    this.#wait();
  }

  /** After the transaction that is under way. A scrub that is cut off goes on when it is its index's turn again. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#timer?.cancel();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #wait(): void {
    if (this.#stop.signal.aborted) return;
    this.#timer = this.#environment.world.scheduler.after(this.#options.intervalMs, () => {
      this.#running = this.#next().then(() => this.#wait());
    });
  }

  /** Never rejects. */
  async #next(): Promise<void> {
    let target: VerifiedIndex | null = null;
    try {
      target = await this.#turn();
      if (target !== null) await this.#verify(target);
    } catch (error) {
      if (this.#stop.signal.aborted && hasCode(error, "OPERATION_CANCELLED")) return;
      try {
        this.#options.observer?.failed?.(target, error);
      } catch {
        // Told to nobody: who should be told is the one that threw.
      }
    }
  }

  /** The next readable index in the order of names. Null: there is none. */
  async #turn(): Promise<VerifiedIndex | null> {
    const { catalogues, database, maintenance } = this.#environment;
    const catalogue = await database.read((reader) => catalogues.peek(reader));
    const all = [...catalogue.collections.values()]
      .flatMap(({ stored, indexes }) =>
        indexes
          .filter(({ state, declaration }) => {
            const { structure } = maintenance.kinds.byIdentifier(declaration.kind);
            return state === "readable" && structure !== "hierarchical";
          })
          .map(({ name }) => ({ place: `${stored.name}\0${name}`, collection: stored.name, index: name })),
      )
      .sort((a, b) => (a.place < b.place ? -1 : 1));
    const next = all.find(({ place }) => place > this.#last) ?? all[0];
    if (next === undefined) return null;
    this.#last = next.place;
    return { collection: next.collection, index: next.index };
  }

  async #verify(target: VerifiedIndex): Promise<void> {
    const { observer, rebuildAbove = REBUILD_ABOVE, scrub = {} } = this.#options;
    const { signal } = this.#stop;
    const options = { preset: "conservative", ...scrub, signal } as const;
    const result = await new Scrubber(this.#environment, target, options).run();
    observer?.verified?.(target, result);
    const left = result.dangling + result.missing + result.wrong;
    // An aggregation that was repaired has been built anew already.
    if (left <= rebuildAbove) return;
    const { collection, index } = target;
    await beginShadow(this.#environment, collection, index);
    const request = { collection, indexes: [index], copy: "shadow", from: null, isMutual: false } as const;
    await new OnlineBuilder(this.#environment, request, { signal }).run();
    await swapShadow(this.#environment, collection, index);
    observer?.rebuilt?.(target, result);
  }
}
