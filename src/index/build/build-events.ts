/**
 * What can be seen of builds and states from outside: a callback of one build, and events for whoever listens to the channel. Owns
 * their words; the way to `node:diagnostics_channel` is in `platform/node`.
 */
import type { IndexState } from "../../record/catalogue.js";
import { type BuildState, isComplete } from "../build-progress.js";
import type { IndexEnvironment } from "../environment.js";
import type { BuildPlan, BuildRequest } from "./build-plan.js";
import { fractionAt, type ItemScan } from "./item-scan.js";

export const INDEX_CHANNEL = "stillwater:index";

/** What is told of indexes on `stillwater:index` and to callbacks. */
export type IndexEvent = BuildProgressEvent | IndexStateEvent;

/** A build of an index has come further. */
export interface BuildProgressEvent {
  readonly type: "build-progress";
  readonly collection: string;
  /** The first of those that are built together. */
  readonly index: string;
  readonly indexes: readonly string[];
  /** By this build, whoever has run it. */
  readonly itemsDone: number;
  /** From 0 to 1, as if keys were spread evenly. */
  readonly fraction: number;
  /** Of the last item that was done: the bytes of its key in the order of the build. */
  readonly position: Uint8Array;
}

/** An index has another state. */
export interface IndexStateEvent {
  readonly type: "state-changed";
  readonly collection: string;
  readonly index: string;
  readonly state: IndexState;
  readonly generation: number;
}

export type BuildObserver = (event: BuildProgressEvent) => void;

export class BuildReporter {
  readonly #environment: IndexEnvironment;
  readonly #request: BuildRequest;
  readonly #observer: BuildObserver | undefined;

  constructor(environment: IndexEnvironment, request: BuildRequest, observer: BuildObserver | undefined) {
    this.#environment = environment;
    this.#request = request;
    this.#observer = observer;
  }

  /** Costs two reads when somebody listens, and nothing otherwise. */
  async progressed(state: BuildState, { space }: ItemScan): Promise<void> {
    const { database, events } = this.#environment;
    if (this.#observer === undefined && !events.isHeard) return;
    const { collection, indexes } = this.#request;
    const { position, itemsDone } = state;
    const event: BuildProgressEvent = {
      type: "build-progress",
      collection,
      // At least one was asked for.
      index: indexes[0] as string,
      indexes,
      itemsDone,
      fraction: isComplete(state) ? 1 : await database.read((reader) => fractionAt(reader, space, position)),
      position,
    };
    if (events.isHeard) events.publish(event);
    this.#observer?.(event);
  }

  /** The indexes are readable now; a shadow that is complete changes no state. */
  ended({ targets }: BuildPlan): void {
    const { events } = this.#environment;
    const { collection, copy } = this.#request;
    if (copy === "shadow" || !events.isHeard) return;
    for (const { stored, generation } of targets) {
      events.publish({
        type: "state-changed",
        collection,
        index: stored.name,
        state: "readable",
        generation,
      });
    }
  }
}
