/**
 * How an item becomes bytes and back: the interface of codecs. Does not own: compression, encryption, the header
 * (`item-pipeline.ts`).
 */
import { Registry } from "./registry.js";

/** Turns documents into bytes and back; one of your own has an id from 128. */
export interface Codec {
  /** In the header of each item, so it never changes: 1 to 127 are ours, 128 to 255 anybody's. */
  readonly id: number;
  readonly name: string;
  /** Equal items give equal bytes. Throws `INVALID_ITEM` for what it cannot represent, naming the place. */
  encode(item: unknown): Uint8Array;
  /** As `encode`, behind so many bytes that the caller fills in. Where it is there it saves copying each item once. */
  readonly encodeBehind?: (item: unknown, room: number) => Uint8Array;
  /** Throws `ITEM_CORRUPT`, or anything, for bytes that are no item of its kind. The result shares no memory with `bytes`. */
  decode(bytes: Uint8Array): unknown;
}

/** The codecs that a store knows. */
export class CodecRegistry extends Registry<Codec> {
  /** Throws `INVALID_ARGUMENT`. */
  constructor(own: readonly Codec[], foreign: readonly Codec[] = []) {
    super("codec", own, foreign);
  }
}
