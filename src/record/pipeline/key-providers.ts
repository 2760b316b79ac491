/**
 * Where the keys of items come from: given, given and rotated, derived from one secret, or out of variables. All of them
 * promise that items under a former key stay readable, and take copies, so that a caller may wipe what it gave. Does not own:
 * keeping keys secret; encrypting (`encryption.ts`); the process's environment, which the caller hands in.
 */
import { hkdfSync } from "node:crypto";
import { StillwaterError } from "../../platform/errors.js";
import { checkEncryptionKey, type EncryptionKey, KEY_BYTES, type KeyProvider } from "./encryption.js";

/** Keys as given: the first encrypts, all of them decrypt. Another may become the current one while the store is open. */
export class RotatingKeys implements KeyProvider {
  readonly #keys = new Map<string, EncryptionKey>();
  #current: EncryptionKey;

  /** Throws `INVALID_ARGUMENT`. */
  constructor(current: EncryptionKey, ...former: readonly EncryptionKey[]) {
    this.#current = this.#added(current);
    for (const key of former) this.#added(key);
  }

  current(): EncryptionKey {
    return this.#current;
  }

  byId(id: string): EncryptionKey | undefined {
    return this.#keys.get(id);
  }

  /**
   * New items are encrypted with `next` from now on; all keys until now stay readable. One of them may become current again.
   * Throws `INVALID_ARGUMENT`, also for an id that another key has.
   */
  rotate(next: EncryptionKey): void {
    checkEncryptionKey(next);
    const known = this.#keys.get(next.id);
    if (known === undefined) this.#current = this.#added(next);
    else if (Buffer.compare(known.bytes, next.bytes) === 0) this.#current = known;
    else throw twoWithOneId(next.id);
  }

  #added(key: EncryptionKey): EncryptionKey {
    checkEncryptionKey(key);
    if (this.#keys.has(key.id)) throw twoWithOneId(key.id);
    const own = { id: key.id, bytes: Uint8Array.from(key.bytes) };
    this.#keys.set(own.id, own);
    return own;
  }
}

/** A damaged header may name any id, so no more than this many keys are remembered. */
const DERIVED_KEYS_MAX = 64;

/** Keys derived from one secret with HKDF-SHA-256 (RFC 5869), a different one for each id; so it knows every id. */
export class DerivedKeys implements KeyProvider {
  readonly #secret: Uint8Array;
  readonly #derived = new Map<string, EncryptionKey>();
  #current: EncryptionKey;

  /** `secret`: at least 32 bytes. Throws `INVALID_ARGUMENT`. */
  constructor(secret: Uint8Array, currentId: string) {
    if (!(secret instanceof Uint8Array) || secret.length < KEY_BYTES) {
      throw new StillwaterError("INVALID_ARGUMENT", `the secret must have at least ${KEY_BYTES} bytes.`);
    }
    this.#secret = Uint8Array.from(secret);
    this.#current = this.byId(currentId);
  }

  current(): EncryptionKey {
    return this.#current;
  }

  byId(id: string): EncryptionKey {
    const known = this.#derived.get(id);
    if (known !== undefined) return known;
    const info = Buffer.from(`stillwater item ${id}`, "utf8");
    const bytes = new Uint8Array(hkdfSync("sha256", this.#secret, new Uint8Array(0), info, KEY_BYTES));
    const key = { id, bytes };
    checkEncryptionKey(key);
    if (this.#derived.size === DERIVED_KEYS_MAX) this.#derived.clear();
    this.#derived.set(id, key);
    return key;
  }

  /** New items are encrypted with the key of this id from now on. Throws `INVALID_ARGUMENT`. */
  rotate(nextId: string): void {
    this.#current = this.byId(nextId);
  }
}

const VARIABLE = "STILLWATER_ITEM_KEY_";
const CURRENT = `${VARIABLE}CURRENT`;

/**
 * Keys out of variables as an environment has them, read once:
 *
 *     STILLWATER_ITEM_KEY_<ID>      32 bytes in base64
 *     STILLWATER_ITEM_KEY_CURRENT   the id of the one that encrypts; may be left out where there is one only
 *
 * Throws `INVALID_ARGUMENT`; no message has any part of a key.
 */
export function environmentKeys(variables: Readonly<Record<string, string | undefined>>): RotatingKeys {
  const keys: EncryptionKey[] = [];
  for (const [name, value] of Object.entries(variables)) {
    if (!name.startsWith(VARIABLE) || name === CURRENT || value === undefined) continue;
    const bytes = Buffer.from(value, "base64");
    if (bytes.length !== KEY_BYTES || bytes.toString("base64") !== value) {
      throw new StillwaterError("INVALID_ARGUMENT", `${name} must be ${KEY_BYTES} bytes in base64.`);
    }
    keys.push({ id: name.slice(VARIABLE.length), bytes });
  }
  const [only, another] = keys;
  const currentId = variables[CURRENT] ?? (another === undefined ? only?.id : undefined);
  const current = keys.find(({ id }) => id === currentId);
  if (current !== undefined) return new RotatingKeys(current, ...keys.filter((key) => key !== current));
  const problem =
    only === undefined
      ? `there is no key for items. Set ${VARIABLE}<ID> to ${KEY_BYTES} bytes in base64`
      : `${CURRENT} names none of the keys ${keys.map(({ id }) => id).join(", ")}. Set it to one of them`;
  throw new StillwaterError("INVALID_ARGUMENT", `${problem}.`);
}

function twoWithOneId(id: string): StillwaterError {
  return new StillwaterError("INVALID_ARGUMENT", `two keys have the id "${id}". Give each its own.`);
}
