/**
 * Which keys a transaction's reads and writes conflict on. A read conflicts where its answer came from the storage: not on
 * keys that the transaction had set or cleared itself, whatever is stored there.
 */
import { mutant } from "../platform/probes.js";
import { keyTextAfter } from "./key-text.js";
import type { RangeSet } from "./range-set.js";
import type { WriteBuffer } from "./write-buffer.js";

/** [begin, end) has been read; `writes` is what the reads saw, or null. */
export function addRead(conflicts: RangeSet, writes: WriteBuffer | null, begin: string, end: string): void {
  if (writes === null || writes.isEmpty) {
    conflicts.add(begin, end);
    return;
  }
  let from = begin;
  while (from < end) {
    const cleared = writes.cleared.rangeOf(from);
    if (cleared !== null) {
      from = cleared[1];
      continue;
    }
    let to = end;
    const clear = writes.cleared.nextAfter(from);
    if (clear !== null && clear[0] < to) to = clear[0];
    from = addOpen(conflicts, writes, from, to);
  }
}

/** As far as nothing is cleared: all but known keys. Returns `to`. */
function addOpen(conflicts: RangeSet, writes: WriteBuffer, from: string, to: string): string {
  let open = from;
  for (let key = writes.nextKey(from); key !== null && key < to; key = writes.nextKey(keyTextAfter(key))) {
    const isOwn = mutant("T14-read-of-own-atomic-spared") || writes.isIndependent(key);
    if (!isOwn || mutant("T13-read-of-own-write-conflicts")) continue;
    conflicts.add(open, key);
    open = keyTextAfter(key);
  }
  conflicts.add(open, to);
  return to;
}

/** Everything that a commit writes, into `conflicts`; but for the keys that its version names, which the storage adds. */
export function addWrites(conflicts: RangeSet, writes: WriteBuffer): void {
  if (!mutant("T16-clear-range-conflicts-with-nobody")) {
    for (const [begin, end] of writes.cleared) conflicts.add(begin, end);
  }
  writes.forEachKey((key) => conflicts.add(key, keyTextAfter(key)));
}
