/**
 * What commits do to conflicts that the keys themselves do not show: ranges that count as written although perhaps nothing
 * changed there, cleared ones among them, and keys that were written and count as not. Such a commit puts the marker key, with the list as its
 * value, so that the key's history is the list of all of them; a reader looks at it only when it has changed since.
 */
import { ConflictError, TransactionError } from "../../transaction/errors.js";
import { keyTextAfter } from "../../transaction/key-text.js";
import { RangeSet } from "../../transaction/range-set.js";
import type { CommitRequest } from "../../transaction/storage.js";
import type { EtcdKeyValue } from "./client.js";
import type { EtcdCluster } from "./cluster.js";
import type { Layout } from "./layout.js";
import type { ReadConditions } from "./read-conditions.js";
import { rangesOutside } from "./read-record.js";

interface Marker {
  /** Ranges that count as written. */
  readonly conflicts: readonly (readonly [begin: string, end: string])[];
  /** Written keys that do not. */
  readonly silent: readonly string[];
}

/** The marker that a commit has to put; null when its keys show everything. */
export function markerOf({ writes, writeConflicts }: CommitRequest): Buffer | null {
  const shown = new RangeSet();
  for (const key of writes.writes.keys()) shown.add(key, keyTextAfter(key));
  const conflicts = [...writeConflicts].flatMap(([begin, end]) => rangesOutside(shown, begin, end));
  const silent = [...writes.writes.keys()].filter((key) => !writeConflicts.has(key));
  if (conflicts.length === 0 && silent.length === 0) return null;
  return Buffer.from(JSON.stringify({ conflicts, silent } satisfies Marker));
}

/** Many more than there are within the life of one transaction, as a rule. */
const REMEMBERED_MAX = 1_024;

/** The markers that this client has looked at: no commit asks for one that another has seen. */
export class Markers {
  readonly #layout: Layout;
  readonly #cluster: EtcdCluster;
  /** By revision: the marker before. */
  readonly #before = new Map<number, Promise<EtcdKeyValue | undefined>>();

  constructor(layout: Layout, cluster: EtcdCluster) {
    this.#layout = layout;
    this.#cluster = cluster;
  }

  /**
   * Goes through the markers from `newest` back to the revision `since`. Throws `ConflictError` when one of them conflicts
   * with the reads; tells `conditions` of the silent writes among them.
   */
  async pass(newest: EtcdKeyValue, since: number, conditions: ReadConditions): Promise<void> {
    const markers: { readonly revision: number; readonly marker: Marker }[] = [];
    for (let row: EtcdKeyValue | undefined = newest; row !== undefined; ) {
      const revision = Number(row.mod_revision);
      if (revision <= since) break;
      markers.push({ revision, marker: JSON.parse(row.value.toString()) as Marker });
      row = await this.#rowBefore(revision);
    }
    const hit = markers.flatMap(({ marker }) =>
      marker.conflicts.flatMap(([begin, end]) => overlapping(conditions.conflicts, begin, end)),
    );
    if (hit.length > 0) throw new ConflictError(hit);
    for (const { revision, marker } of markers.reverse()) {
      for (const key of marker.silent) {
        if (!conditions.conflicts.has(key)) continue;
        const stored = this.#layout.data(key);
        const before = await rowAt(this.#cluster, stored, revision - 1);
        // Something else has written it before.
        if (Number(before?.mod_revision ?? 0) !== conditions.expected(key)) return;
        const after = await rowAt(this.#cluster, stored, revision);
        conditions.allow(key, Number(after?.mod_revision ?? 0));
      }
    }
  }

  #rowBefore(revision: number): Promise<EtcdKeyValue | undefined> {
    const known = this.#before.get(revision);
    if (known !== undefined) return known;
    const row = rowAt(this.#cluster, this.#layout.markers, revision - 1);
    this.#before.set(revision, row);
    row.catch(() => this.#before.delete(revision));
    for (const old of this.#before.keys()) {
      if (this.#before.size <= REMEMBERED_MAX) break;
      this.#before.delete(old);
    }
    return row;
  }
}

async function rowAt(cluster: EtcdCluster, key: Buffer, revision: number): Promise<EtcdKeyValue | undefined> {
  try {
    return (await cluster.range({ key, revision, serializable: true })).kvs[0];
  } catch (error) {
    // Compacted: what there was cannot be told any more.
    if (error instanceof TransactionError && error.code === "TRANSACTION_TOO_OLD") throw new ConflictError();
    throw error;
  }
}

function overlapping(set: RangeSet, begin: string, end: string): (readonly [string, string])[] {
  return [...set].filter(([from, to]) => from < end && begin < to);
}
