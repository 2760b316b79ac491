/**
 * Rows in another order than they come in, in bounded memory: of one pass over everything the smallest rows behind a place are kept,
 * as many as are wanted and fit; if more are asked for, another pass begins behind the last of them. A row that comes twice is kept
 * once. So a sort is never refused and never spills; what does not fit is paid for by reading again.
 */
import { mutant } from "../platform/probes.js";
import { type Place, Placement, type Row } from "./row.js";

/** What the rows of a pass may take, by the bytes read for them. */
export const SORT_BYTES_MAX = 32 * 1024 * 1024;

export interface MeasuredRow {
  readonly row: Row;
  readonly bytes: number;
}

export async function* sortedRows(
  pass: () => AsyncIterable<MeasuredRow>,
  placement: Placement,
  after: Place | null,
  wanted: number,
  bytesMax: number,
): AsyncGenerator<Row, void, undefined> {
  let behind = after;
  for (;;) {
    const smallest = new SmallestRows(placement, wanted, bytesMax);
    for await (const { row, bytes } of pass()) {
      const place = placement.placeOf(row);
      const limit = mutant("Q1-page-begins-with-the-last-item") ? -1 : 0;
      if (behind === null || placement.compare(place, behind) > limit) smallest.add({ row, place, bytes });
    }
    const kept = smallest.finish();
    for (const { row } of kept) yield row;
    const last = kept.at(-1);
    if (last === undefined || !smallest.hasDropped) return;
    behind = last.place;
  }
}

interface PlacedRow {
  readonly row: Row;
  readonly place: Place;
  readonly bytes: number;
}

class SmallestRows {
  /** Whether there are rows behind those that were kept. */
  hasDropped = false;
  readonly #placement: Placement;
  readonly #wanted: number;
  readonly #bytesMax: number;
  #rows: PlacedRow[] = [];
  #bytes = 0;

  constructor(placement: Placement, wanted: number, bytesMax: number) {
    this.#placement = placement;
    this.#wanted = wanted;
    this.#bytesMax = bytesMax;
  }

  add(row: PlacedRow): void {
    this.#rows.push(row);
    this.#bytes += row.bytes;
    // Twice as many before they are sorted: each row is then moved a few times, not each time.
    if (this.#rows.length >= 2 * this.#wanted + 64 || this.#bytes > 2 * this.#bytesMax) this.#cut();
  }

  finish(): readonly PlacedRow[] {
    this.#cut();
    return this.#rows;
  }

  #cut(): void {
    const kept: PlacedRow[] = [];
    let bytes = 0;
    for (const row of this.#rows.sort((a, b) => this.#placement.compare(a.place, b.place))) {
      const last = kept.at(-1);
      const isRepeated = last !== undefined && this.#placement.compare(last.place, row.place) === 0;
      if (isRepeated && !mutant("Q4-union-gives-a-document-twice")) continue;
      // One at least, however large.
      if (kept.length === this.#wanted || (last !== undefined && bytes + row.bytes > this.#bytesMax)) {
        this.hasDropped = true;
        break;
      }
      kept.push(row);
      bytes += row.bytes;
    }
    this.#rows = kept;
    this.#bytes = bytes;
  }
}
