/**
 * Which versions a compaction may drop. The snapshots that were open when the job began cut the versions into stripes:
 * stripe 0 up to and including the oldest snapshot, and so on; the last stripe is everything newer than the newest.
 * Within a stripe only the newest state of a key can be seen by anybody; across stripes nothing collapses.
 * Pure; `test/engine/compaction/stripes.test.ts` tries every short history (features: FS-12, engine.md D29–D31).
 */
import { mutant, sometimes } from "../../platform/probes.js";
import { KIND_DELETE } from "../format/operation.js";

export class StripeRule {
  readonly #snapshots: readonly number[];
  #shadowedStripe = -1;

  /** `snapshots` ascending, without repeats: a frozen copy, never the live list. */
  constructor(snapshots: readonly number[]) {
    this.#snapshots = snapshots;
  }

  /** Number of snapshots older than `version`: the index of the stripe it belongs to. */
  stripeOf(version: number): number {
    const snapshots = this.#snapshots;
    let low = mutant("C8-oldest-snapshot-ignored") && snapshots.length > 0 ? 1 : 0;
    let high = snapshots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((snapshots[middle] as number) < version) low = middle + 1;
      else high = middle;
    }
    return mutant("R2-snapshot-off-by-one") && low < snapshots.length && snapshots[low] === version
      ? low + 1
      : low;
  }

  /** Newest version that belongs to a stripe. */
  stripeEnd(stripe: number): number {
    return this.#snapshots[stripe] ?? Number.MAX_SAFE_INTEGER;
  }

  /** To be called when the rows of another user key begin. */
  beginKey(): void {
    this.#shadowedStripe = -1;
  }

  /**
   * Decides on the next row of the current key; rows come newest first. `coveringVersion` is the newest range tombstone
   * over the key within the row's stripe, 0 for none. `isBaseLevel`: no older data of this key exists outside the job.
   */
  keeps(version: number, kind: number, coveringVersion: number, isBaseLevel: boolean): boolean {
    const stripe = this.stripeOf(version);
    if (stripe === this.#shadowedStripe) return false;
    this.#shadowedStripe = stripe;
    if (
      coveringVersion > version ||
      (coveringVersion === version && mutant("C22-range-delete-beats-own-batch"))
    )
      return false;
    sometimes("compaction.version-kept-for-a-snapshot", stripe < this.#snapshots.length);
    sometimes("compaction.tombstone-dropped", kind === KIND_DELETE && stripe === 0 && isBaseLevel);
    return !(kind === KIND_DELETE && stripe === 0 && isBaseLevel);
  }

  /** Of the versions of one range tombstone fragment (newest first), those that must be kept. */
  keptTombstones(versions: readonly number[], isBaseLevel: boolean): number[] {
    const kept: number[] = [];
    let stripeBefore = -1;
    for (const version of versions) {
      const stripe = this.stripeOf(version);
      if (stripe === stripeBefore) continue;
      stripeBefore = stripe;
      sometimes("compaction.range-tombstone-dropped", stripe === 0 && isBaseLevel);
      if (stripe === 0 && (isBaseLevel || mutant("R13-range-delete-dropped-above-data"))) continue;
      kept.push(version);
    }
    return kept;
  }
}
