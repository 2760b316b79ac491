/**
 * One commit over all its tries: what it knows of etcd, as the transaction to send next, and what the answer to one whose
 * conditions did not hold teaches. Does not own: sending, waiting, giving up.
 */
import type { CommitRequest } from "../../transaction/storage.js";
import { versionstampOf } from "../../transaction/versionstamp.js";
import type { EtcdCompare, EtcdKeyValue, EtcdOperation, EtcdTxn, EtcdTxnResult } from "./client.js";
import { inLane, type Lane } from "./lanes.js";
import type { Layout } from "./layout.js";
import { type Markers, markerOf } from "./markers.js";
import type { ReadConditions } from "./read-conditions.js";
import { mayRemove, writeOperations } from "./write-operations.js";

export class CommitAttempt {
  /** Whether it must know its version beforehand. */
  readonly stamped: boolean;
  readonly removes: boolean;
  readonly #request: CommitRequest;
  readonly #conditions: ReadConditions | null;
  readonly #pending: readonly string[];
  readonly #layout: Layout;
  readonly #marker: Buffer | null;
  readonly #bases = new Map<string, Uint8Array | undefined>();
  readonly #baseRevisions = new Map<string, number>();
  /** Markers up to this revision do not conflict. */
  #markersPassed: number;
  #guessed = 0;

  constructor(
    request: CommitRequest,
    conditions: ReadConditions | null,
    readRevision: number,
    pending: readonly string[],
    stamped: boolean,
    layout: Layout,
  ) {
    this.stamped = stamped;
    this.removes = mayRemove(request.writes);
    this.#request = request;
    this.#conditions = conditions;
    this.#pending = pending;
    this.#layout = layout;
    this.#marker = markerOf(request);
    this.#markersPassed = readRevision;
  }

  /** Whether every other commit that is under way must look at what this one leaves, and the other way round. */
  get isMarked(): boolean {
    return this.#marker !== null && this.#conditions !== null;
  }

  /** The rows of the pending keys, in their order. Returns whether any has changed. */
  knowBases(rows: readonly (EtcdKeyValue | undefined)[]): boolean {
    let hasChanged = false;
    this.#pending.forEach((key, index) => {
      const row = rows[index];
      const revision = Number(row?.mod_revision ?? 0);
      if (this.#baseRevisions.get(key) === revision) return;
      hasChanged = true;
      this.#baseRevisions.set(key, revision);
      this.#bases.set(key, row?.value);
    });
    return hasChanged;
  }

  /** What to send, if `version` is the newest. The first operation is the one that makes the next version. */
  transaction(version: number, lane: Lane, lease: string | null): EtcdTxn {
    const { sequence, markers } = this.#layout;
    const { condition, mark } = inLane(lane);
    this.#guessed = version;
    const compare: EtcdCompare[] = [condition];
    if (this.stamped) compare.push({ target: "Version", result: "Equal", key: sequence, version });
    for (const [key, mod_revision] of this.#baseRevisions) {
      compare.push({ target: "Mod", result: "Equal", key: this.#layout.data(key), mod_revision });
    }
    if (this.#conditions !== null) {
      const mod_revision = this.#markersPassed + 1;
      compare.push({ target: "Mod", result: "Less", key: markers, mod_revision });
      for (const { compares } of this.#conditions.byRange()) compare.push(...compares);
    }
    const success: EtcdOperation[] = [
      { request_put: { key: sequence, value: EMPTY, prev_kv: true } },
      mark,
      ...writeOperations(this.#request, {
        bases: this.#bases,
        stamp: versionstampOf(version + 1),
        lease,
        layout: this.#layout,
      }),
    ];
    if (this.#marker !== null) success.push({ request_put: { key: markers, value: this.#marker } });
    const asked = [sequence, lane.key, markers, ...this.#pending.map((key) => this.#layout.data(key))];
    return { compare, success, failure: asked.map((key) => ({ request_range: { key } })) };
  }

  /**
   * From the answer to a transaction whose conditions did not hold: the newest version, when trying again may help; null when
   * it was what the user has read that has changed. Throws `ConflictError` for a marker.
   */
  async learnFrom({ responses }: EtcdTxnResult, lane: Lane, markers: Markers): Promise<number | null> {
    const [sequence, laneRow, marker, ...bases] = responses.map(
      ({ response_range }) => response_range.kvs[0],
    );
    const version = Number(sequence?.version ?? 0);
    let hasChanged = this.knowBases(bases);
    if (this.stamped && version !== this.#guessed) hasChanged = true;
    const puts = Number(laneRow?.version ?? 0);
    if (puts !== lane.puts) {
      lane.puts = puts;
      hasChanged = true;
    }
    const marked = Number(marker?.mod_revision ?? 0);
    if (this.#conditions !== null && marker !== undefined && marked > this.#markersPassed) {
      await markers.pass(marker, this.#markersPassed, this.#conditions);
      this.#markersPassed = marked;
      hasChanged = true;
    }
    return hasChanged ? version : null;
  }
}

const EMPTY = Buffer.alloc(0);
