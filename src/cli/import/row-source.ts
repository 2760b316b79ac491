/** Where rows come from that another database holds. */
export type SourceRow = readonly [key: Uint8Array, value: Uint8Array];

export interface RowSource {
  /** "level" or "sqlite". */
  readonly kind: string;
  /** Path of what is read. */
  readonly path: string;
  /** How many rows there are; null where counting would take as long as reading. */
  readonly total: number | null;
  /** Every row, the same ones in the same order each time. */
  rows(): AsyncIterable<SourceRow> | Iterable<SourceRow>;
  /** What of the source a row is, for messages: its number is that of the row, from 1. */
  describe(row: number): string;
  close(): Promise<void>;
}
