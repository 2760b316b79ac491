/** A document under its primary key, as indexes see it. */
import type { TupleElement } from "../keyspace/tuple-elements.js";

/** A document as the codec keeps it. */
export interface RecordItem {
  /** As an element of a tuple: the last one of every entry of a flat index. */
  readonly primaryKey: TupleElement;
  readonly document: unknown;
}
