/**
 * How an item becomes bytes and back. Owns the interface and the registry by which an item that was written with one codec
 * is read whatever the default is by then. Does not own: compression, encryption, splitting (`item-pipeline.ts`).
 */
import { StillwaterError } from "../../platform/errors.js";

export interface Codec {
  /** In the header of each item, so it never changes: 1 to 127 are ours, 128 to 255 anybody's. */
  readonly id: number;
  readonly name: string;
  /** Equal items give equal bytes. Throws `INVALID_ITEM` for what it cannot represent, naming the place. */
  encode(item: unknown): Uint8Array;
  /** Throws `ITEM_CORRUPT` for bytes that it has not made. */
  decode(bytes: Uint8Array): unknown;
}

const FIRST_FOREIGN_ID = 128;
const LAST_ID = 255;

/** The codecs that a store knows, by id. */
export class CodecRegistry {
  readonly #codecs = new Map<number, Codec>();

  /** `own` are taken as they are; `foreign` ones must have ids from 128 on. Throws `INVALID_ARGUMENT`. */
  constructor(own: readonly Codec[], foreign: readonly Codec[] = []) {
    for (const codec of own) this.#codecs.set(codec.id, codec);
    for (const codec of foreign) {
      const { id, name } = codec;
      if (!Number.isInteger(id) || id < FIRST_FOREIGN_ID || id > LAST_ID || this.#codecs.has(id)) {
        throw new StillwaterError(
          "INVALID_ARGUMENT",
          `the codec "${name}" has the id ${id}. Give it a free one from ${FIRST_FOREIGN_ID} to ${LAST_ID}.`,
        );
      }
      this.#codecs.set(id, codec);
    }
  }

  /** Throws `UNSUPPORTED_FORMAT`. */
  byId(id: number): Codec {
    const codec = this.#codecs.get(id);
    if (codec !== undefined) return codec;
    const known = [...this.#codecs.values()].map(({ name, id: own }) => `${own} ${name}`).join(", ");
    throw new StillwaterError(
      "UNSUPPORTED_FORMAT",
      `the item was written with codec ${id}, which is not registered. Register it; known are ${known}.`,
    );
  }
}
