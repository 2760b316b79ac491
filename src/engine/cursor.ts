/**
 * The internal cursor over rows: user key ascending, then version descending. Every source (memtable, table, level,
 * merge) is one class that extends this one, so that fields sit at the same place and hot loops stay monomorphic or
 * nearly so. No allocation per row.
 *
 * Contract: positioning calls set `valid`; while `valid`, the row's fields may be read. Key and value bytes stay
 * readable until the cursor is moved or closed, no longer. `next` and `previous` require `valid`. A cursor that throws
 * (I/O, corruption) is left invalid.
 */
import { EMPTY_BYTES } from "./format/bytes.js";

export abstract class Cursor {
  valid = false;
  keyBytes: Uint8Array = EMPTY_BYTES;
  keyStart = 0;
  keyLength = 0;
  version = 0;
  kind = 0;
  valueBytes: Uint8Array = EMPTY_BYTES;
  valueStart = 0;
  valueLength = 0;

  abstract seekFirst(): void;
  abstract seekLast(): void;
  /** To the first row whose key is >= the given one (so, of an equal key, to its newest version). */
  abstract seekAtOrAfter(key: Uint8Array): void;
  /** To the last row whose key is < the given one (so to the oldest version of that key). */
  abstract seekBefore(key: Uint8Array): void;
  abstract next(): void;
  abstract previous(): void;
  /** Gives back what the cursor pins. Idempotent. */
  abstract close(): void;

  /** Shows the current row of `source`, which must be valid: for cursors made of others. */
  protected showRowOf(source: Cursor): void {
    this.valid = true;
    this.keyBytes = source.keyBytes;
    this.keyStart = source.keyStart;
    this.keyLength = source.keyLength;
    this.version = source.version;
    this.kind = source.kind;
    this.valueBytes = source.valueBytes;
    this.valueStart = source.valueStart;
    this.valueLength = source.valueLength;
  }
}
