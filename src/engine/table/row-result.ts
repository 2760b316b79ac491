/** Out-parameter of point reads: one object per reader, filled in place, so that a read allocates nothing. */
import { EMPTY_BYTES } from "../format/bytes.js";
import { KIND_NONE } from "../format/operation.js";

export class RowResult {
  version = 0;
  kind: number = KIND_NONE;
  /** The value, where the source keeps it: readable until the next call on that source or on its cache. */
  valueBytes: Uint8Array = EMPTY_BYTES;
  valueStart = 0;
  valueLength = 0;
}
