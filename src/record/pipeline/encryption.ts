/**
 * Encryption of items with AES-256-GCM (NIST SP 800-38D). Every item is bound to its place: the header and the key of the
 * item go into the tag, so that ciphertext moved to another key does not open.
 *
 * Promises: what was changed, moved or written with another key is refused, never half read. A nonce is 96 random bits, so
 * one key is good for 2^32 items (SP 800-38D, 8.3) before it should be rotated.
 * Does not own: where keys come from (`key-providers.ts`); hiding lengths, or the keys of items and indexes, which stay in
 * clear.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { StillwaterError } from "../../platform/errors.js";
import type { Random } from "../../platform/platform.js";

export const KEY_BYTES = 32;
const KEY_ID_BYTES_MAX = 255;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = "aes-256-gcm";

/** A key of 32 bytes and the id under which items name it. */
export interface EncryptionKey {
  /** Stands in the header of what is encrypted with it: 1 to 255 bytes of UTF-8. */
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

/** Gives the key that encrypts now, and any that has. */
export interface KeyProvider {
  /** What new items are encrypted with. Asked for each of them, so it may change. */
  current(): EncryptionKey;
  /** `undefined` for one that this provider does not know. */
  byId(id: string): EncryptionKey | undefined;
}

/** `header` ‖ nonce ‖ ciphertext ‖ tag. */
export function encrypt(
  key: EncryptionKey,
  plain: Uint8Array,
  header: Uint8Array,
  place: Uint8Array,
  random: Random,
): Uint8Array {
  const begin = header.length + NONCE_BYTES;
  const sealed = new Uint8Array(begin + plain.length + TAG_BYTES);
  sealed.set(header);
  const view = new DataView(sealed.buffer);
  for (let at = header.length; at < begin; at += 4) view.setUint32(at, random.nextUint32());
  const nonce = sealed.subarray(header.length, begin);
  const cipher = createCipheriv(CIPHER, key.bytes, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(bound(header, place));
  sealed.set(cipher.update(plain), begin);
  cipher.final();
  sealed.set(cipher.getAuthTag(), begin + plain.length);
  return sealed;
}

/** `sealed`: what `encrypt` gave, with a header of `headerBytes`. Throws `DECRYPTION_FAILED`. */
export function decrypt(
  key: EncryptionKey,
  sealed: Uint8Array,
  headerBytes: number,
  place: Uint8Array,
): Uint8Array {
  const begin = headerBytes + NONCE_BYTES;
  const end = sealed.length - TAG_BYTES;
  if (end < begin) throw failed(key.id);
  const nonce = sealed.subarray(headerBytes, begin);
  const decipher = createDecipheriv(CIPHER, key.bytes, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(bound(sealed.subarray(0, headerBytes), place));
  decipher.setAuthTag(sealed.subarray(end));
  const plain = decipher.update(sealed.subarray(begin, end));
  try {
    decipher.final();
  } catch (cause) {
    throw failed(key.id, cause);
  }
  return plain;
}

/** Throws `INVALID_ARGUMENT`. */
export function checkEncryptionKey({ id, bytes }: EncryptionKey): void {
  const idBytes = typeof id === "string" ? Buffer.byteLength(id) : 0;
  if (idBytes < 1 || idBytes > KEY_ID_BYTES_MAX || !isWellFormed(id)) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `the id of a key has 1 to ${KEY_ID_BYTES_MAX} bytes of UTF-8.`,
    );
  }
  if (bytes instanceof Uint8Array && bytes.length === KEY_BYTES) return;
  throw new StillwaterError("INVALID_ARGUMENT", `the key "${id}" must be ${KEY_BYTES} bytes for AES-256.`);
}

/** Half a surrogate pair has no UTF-8, so the id would come back as another one. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** What the tag vouches for beside the item. The header says where it ends, so the two cannot be taken for others. */
function bound(header: Uint8Array, place: Uint8Array): Uint8Array {
  const both = new Uint8Array(header.length + place.length);
  both.set(header);
  both.set(place, header.length);
  return both;
}

function failed(id: string, cause?: unknown): StillwaterError {
  return new StillwaterError(
    "DECRYPTION_FAILED",
    `an item does not decrypt with the key "${id}": the key is another one, or the item was changed or moved. ` +
      "Check the key provider; then restore the item from a backup.",
    { cause },
  );
}
