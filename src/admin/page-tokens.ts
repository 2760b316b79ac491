/**
 * Where a listing goes on, as a text that its reader need not understand and cannot change: a signed note of the query that it
 * belongs to, the version that the listing began at and the last key given out. Signed with a key that is drawn anew by every
 * admin, so a token of another process, query or snapshot is refused, whoever made it.
 *
 * A token is not secret: it says what its holder has read.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { StillwaterError } from "../platform/errors.js";
import type { Random } from "../platform/platform.js";

export interface PagePosition {
  /** The version that the first page was read at. */
  readonly version: number;
  /** The next page begins behind it, in the direction of the listing. */
  readonly lastKey: Uint8Array;
}

const KEY_WORDS = 8;
const DIGEST_BYTES = 32;
const VERSION_BYTES = 8;
/** Digest of the query, version, key. */
const HEAD_BYTES = DIGEST_BYTES + VERSION_BYTES;

export class PageTokens {
  readonly #key: Uint8Array;

  constructor(random: Random) {
    const words = Uint32Array.from({ length: KEY_WORDS }, () => random.nextUint32());
    this.#key = new Uint8Array(words.buffer);
  }

  /** `query` is everything that decides which rows are listed, and in which order. */
  create(query: unknown, { version, lastKey }: PagePosition): string {
    const note = Buffer.alloc(HEAD_BYTES + lastKey.length);
    note.set(digestOf(query));
    note.writeBigUInt64BE(BigInt(version), DIGEST_BYTES);
    note.set(lastKey, HEAD_BYTES);
    return Buffer.concat([this.#sign(note), note]).toString("base64url");
  }

  /** Throws `INVALID_PAGE_TOKEN` for any text that `create` has not given out for this query. */
  open(query: unknown, token: string): PagePosition {
    const bytes = Buffer.from(token, "base64url");
    // Node passes over what is not base64url: only one text stands for a token.
    if (bytes.length < DIGEST_BYTES + HEAD_BYTES || bytes.toString("base64url") !== token) throw refused();
    const note = bytes.subarray(DIGEST_BYTES);
    if (!timingSafeEqual(this.#sign(note), bytes.subarray(0, DIGEST_BYTES))) throw refused();
    if (!digestOf(query).equals(note.subarray(0, DIGEST_BYTES))) throw refused();
    return {
      version: Number(note.readBigUInt64BE(DIGEST_BYTES)),
      lastKey: Uint8Array.from(note.subarray(HEAD_BYTES)),
    };
  }

  #sign(note: Uint8Array): Buffer {
    return createHmac("sha256", this.#key).update(note).digest();
  }
}

/** One answer to all of them: what exactly is wrong is of use only to who tries to make one. */
function refused(): StillwaterError {
  return new StillwaterError(
    "INVALID_PAGE_TOKEN",
    "the page token is none of this query's. Take it unchanged from the page before, with the same parameters, or begin without one.",
  );
}

function digestOf(query: unknown): Buffer {
  return createHash("sha256").update(JSON.stringify(query)).digest();
}
