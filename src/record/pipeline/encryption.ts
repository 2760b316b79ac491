/**
 * Encryption of items with AES-256-GCM (NIST SP 800-38D), and where keys come from. Every item is bound to its place: the
 * header and the key of the item go into the tag, so that ciphertext moved to another key does not open.
 *
 * Promises: what was changed, moved or written with another key is refused, never half read. A nonce is 96 random bits, so
 * one key is good for 2^32 items (SP 800-38D, 8.3) before it should be rotated.
 * Does not own: keeping keys secret; hiding lengths, or the keys of items and indexes, which stay in clear.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { StillwaterError } from "../../platform/errors.js";
import type { Random } from "../../platform/platform.js";

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_BYTES_MAX = 255;

export interface EncryptionKey {
  /** Stands in the header of what is encrypted with it: 1 to 255 bytes of UTF-8. */
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

export interface KeyProvider {
  /** What new items are encrypted with. */
  current(): EncryptionKey;
  /** `undefined` for one that this provider does not know. */
  byId(id: string): EncryptionKey | undefined;
}

/** Keys as given: the first encrypts, all of them decrypt. For rotation put the new one first. */
export function staticKeys(current: EncryptionKey, ...former: readonly EncryptionKey[]): KeyProvider {
  const keys = new Map<string, EncryptionKey>();
  for (const key of [current, ...former]) {
    checkEncryptionKey(key);
    if (keys.has(key.id)) {
      throw new StillwaterError("INVALID_ARGUMENT", `two keys have the id "${key.id}". Give each its own.`);
    }
    keys.set(key.id, { id: key.id, bytes: Uint8Array.from(key.bytes) });
  }
  // Set above.
  const first = keys.get(current.id) as EncryptionKey;
  return { current: () => first, byId: (id) => keys.get(id) };
}

/**
 * Keys derived from one secret of at least 32 bytes with HKDF-SHA-256 (RFC 5869), a different one for each id. Rotating is
 * another `currentId`; all former ones stay derivable.
 */
export function derivedKeys(secret: Uint8Array, currentId: string): KeyProvider {
  if (!(secret instanceof Uint8Array) || secret.length < KEY_BYTES) {
    throw new StillwaterError("INVALID_ARGUMENT", `the secret must have at least ${KEY_BYTES} bytes.`);
  }
  const own = Uint8Array.from(secret);
  const derived = new Map<string, EncryptionKey>();
  const byId = (id: string): EncryptionKey => {
    let key = derived.get(id);
    if (key === undefined) {
      const info = Buffer.from(`stillwater item ${id}`, "utf8");
      key = { id, bytes: new Uint8Array(hkdfSync("sha256", own, new Uint8Array(0), info, KEY_BYTES)) };
      checkEncryptionKey(key);
      derived.set(id, key);
    }
    return key;
  };
  const current = byId(currentId);
  return { current: () => current, byId };
}

/** `nonce` ‖ ciphertext ‖ tag. */
export function encrypt(
  key: EncryptionKey,
  plain: Uint8Array,
  bound: Uint8Array,
  random: Random,
): Uint8Array {
  const sealed = new Uint8Array(NONCE_BYTES + plain.length + TAG_BYTES);
  const view = new DataView(sealed.buffer);
  for (let at = 0; at < NONCE_BYTES; at += 4) view.setUint32(at, random.nextUint32());
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(bound);
  sealed.set(cipher.update(plain), NONCE_BYTES);
  cipher.final();
  sealed.set(cipher.getAuthTag(), NONCE_BYTES + plain.length);
  return sealed;
}

/** Throws `DECRYPTION_FAILED`. */
export function decrypt(key: EncryptionKey, sealed: Uint8Array, bound: Uint8Array): Uint8Array {
  const end = sealed.length - TAG_BYTES;
  if (end < NONCE_BYTES) throw failed(key.id);
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key.bytes, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(bound);
  decipher.setAuthTag(sealed.subarray(end));
  const plain = decipher.update(sealed.subarray(NONCE_BYTES, end));
  try {
    decipher.final();
  } catch (cause) {
    throw failed(key.id, cause);
  }
  return plain;
}

export function checkEncryptionKey({ id, bytes }: EncryptionKey): void {
  const idBytes = typeof id === "string" ? Buffer.byteLength(id) : 0;
  if (idBytes < 1 || idBytes > KEY_ID_BYTES_MAX) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `the id of a key has 1 to ${KEY_ID_BYTES_MAX} bytes of UTF-8.`,
    );
  }
  if (bytes instanceof Uint8Array && bytes.length === KEY_BYTES) return;
  throw new StillwaterError("INVALID_ARGUMENT", `the key "${id}" must be ${KEY_BYTES} bytes for AES-256.`);
}

function failed(id: string, cause?: unknown): StillwaterError {
  return new StillwaterError(
    "DECRYPTION_FAILED",
    `an item does not decrypt with the key "${id}": the key is another one, or the item was changed or moved. ` +
      "Check the key provider; then restore the item from a backup.",
    { cause },
  );
}
