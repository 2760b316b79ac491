/**
 * The range tombstones of a table as bytes. They are few and read once, at open. They stand fragmented: ranges that do
 * not overlap, in key order, each with the versions that delete all of it, newest first. Whoever builds the table has
 * cut them to the table's own key range before (an uncut one would later delete what moved in beside it).
 *
 * Payload, in varints (7 bits a byte, low first, high bit says more):
 *
 *     number of fragments; for each:
 *       length of begin, begin (inclusive); length of end, end (exclusive)
 *       number of versions; the newest; then for each further one the difference to the one before
 */
import { assert } from "../../platform/assert.js";
import { ByteReader, ByteWriter } from "../format/byte-io.js";
import { compareKeys } from "../format/bytes.js";
import type { RangeFragment } from "../memtable/range-tombstones.js";

export function encodeRangeTombstones(fragments: readonly RangeFragment[]): Uint8Array {
  const writer = new ByteWriter().uint(fragments.length);
  for (const { begin, end, versions } of fragments) {
    writer.bytes(begin).bytes(end).uint(versions.length);
    let newer = 0;
    for (const [i, version] of versions.entries()) {
      writer.uint(i === 0 ? version : newer - version);
      newer = version;
    }
  }
  return writer.finish();
}

/** The fragments of a payload, or null when it holds none that are in order. */
export function decodeRangeTombstones(payload: Uint8Array): RangeFragment[] | null {
  const fragments: RangeFragment[] = [];
  try {
    const reader = new ByteReader(payload);
    const count = reader.uint();
    for (let i = 0; i < count; i++) {
      const begin = reader.bytes();
      const end = reader.bytes();
      const versions: number[] = [];
      const versionCount = reader.uint();
      for (let v = 0; v < versionCount; v++) {
        const number = reader.uint();
        versions.push(v === 0 ? number : (versions[v - 1] as number) - number);
      }
      fragments.push({ begin, end, versions });
    }
    return reader.atEnd && fragmentsAreSound(fragments) ? fragments : null;
  } catch (error) {
    // Reading past the end is how a payload that is no tombstone block shows itself.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Tombstones in all fragments together. */
export function countRangeTombstones(fragments: readonly RangeFragment[]): number {
  let count = 0;
  for (const fragment of fragments) count += fragment.versions.length;
  return count;
}

/** Asserts, before the bytes are written, what `decodeRangeTombstones` asks of them. */
export function assertFragments(fragments: readonly RangeFragment[]): void {
  assert(fragmentsAreSound(fragments), "range tombstones are fragmented, in key order, newest version first");
}

function fragmentsAreSound(fragments: readonly RangeFragment[]): boolean {
  let before: Uint8Array | null = null;
  for (const { begin, end, versions } of fragments) {
    if (compareKeys(begin, end) >= 0 || (before !== null && compareKeys(before, begin) > 0)) return false;
    if (versions.length === 0 || (versions[versions.length - 1] as number) < 0) return false;
    for (let i = 1; i < versions.length; i++) {
      if ((versions[i] as number) >= (versions[i - 1] as number)) return false;
    }
    before = end;
  }
  return true;
}
