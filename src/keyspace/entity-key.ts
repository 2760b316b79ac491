/**
 * The keys of tidalDB's storage: `[entity id, 8 bytes big-endian][0x00][tag, 1 byte][suffix]` (features TD-19, TD-20). Bytewise
 * order is the order of ids, then of tags, then of suffixes; so all that belongs to an entity is one range, and each of
 * its categories of data another. Owns the bytes of a key; which keyspace a key is in is said beside it.
 */
import { StillwaterError } from "../platform/errors.js";

/** An unsigned integer of 64 bits. What `parseEntityKey` returns is a `number` where that is exact, else a `bigint`. */
export type EntityId = number | bigint;

/** Categories of an entity's data: events, signals, metadata, relations, materialized views, indexes. */
export const ENTITY_TAGS = { evt: 1, sig: 2, meta: 3, rel: 4, mv: 5, idx: 6 } as const;

/** What a key keeps of an entity. */
export type EntityTag = keyof typeof ENTITY_TAGS;

/** The parts of the key of an entity. */
export interface EntityKey {
  readonly id: EntityId;
  readonly tag: EntityTag;
  /** What comes after the tag; any bytes, none too. */
  readonly suffix: Uint8Array;
}

export const ENTITY_PREFIX_BYTES = 9;
export const ENTITY_TAG_PREFIX_BYTES = 10;

/** Throws `INVALID_ENTITY_KEY` for an id beyond 64 bits or a tag that there is not. */
export function entityKey(id: EntityId, tag: EntityTag, suffix: Uint8Array = NONE): Uint8Array {
  if (!(suffix instanceof Uint8Array)) throw invalid("the suffix is not a Uint8Array");
  const key = new Uint8Array(ENTITY_TAG_PREFIX_BYTES + suffix.length);
  key.set(entityTagPrefix(id, tag));
  key.set(suffix, ENTITY_TAG_PREFIX_BYTES);
  return key;
}

/** Everything of one entity begins with it. Throws `INVALID_ENTITY_KEY`. */
export function entityPrefix(id: EntityId): Uint8Array {
  const prefix = new Uint8Array(ENTITY_PREFIX_BYTES);
  new DataView(prefix.buffer).setBigUint64(0, checkedId(id));
  prefix[SEPARATOR_AT] = SEPARATOR;
  return prefix;
}

/** Everything of one entity and category begins with it. Throws `INVALID_ENTITY_KEY`. */
export function entityTagPrefix(id: EntityId, tag: EntityTag): Uint8Array {
  if (typeof tag !== "string" || !Object.hasOwn(ENTITY_TAGS, tag)) {
    throw invalid(`there is no tag "${String(tag)}". Known: ${Object.keys(ENTITY_TAGS).join(", ")}`);
  }
  const prefix = new Uint8Array(ENTITY_TAG_PREFIX_BYTES);
  prefix.set(entityPrefix(id));
  prefix[TAG_AT] = ENTITY_TAGS[tag];
  return prefix;
}

/** Throws `INVALID_ENTITY_KEY`, naming the byte. The suffix shares the memory of `key`. */
export function parseEntityKey(key: Uint8Array): EntityKey {
  if (!(key instanceof Uint8Array)) throw invalid(`a key is a Uint8Array, not a ${typeof key}`);
  if (key.length < ENTITY_TAG_PREFIX_BYTES) {
    throw invalid(`a key has at least ${ENTITY_TAG_PREFIX_BYTES} bytes, this one ${key.length}`);
  }
  if (key[SEPARATOR_AT] !== SEPARATOR) {
    throw invalid(`after the id comes 0x00, not ${key[SEPARATOR_AT]} (byte ${SEPARATOR_AT})`);
  }
  const tag = TAG_NAMES.get(key[TAG_AT] as number);
  if (tag === undefined) throw invalid(`there is no tag of number ${key[TAG_AT]} (byte ${TAG_AT})`);
  const id = new DataView(key.buffer, key.byteOffset).getBigUint64(0);
  return {
    id: id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : id,
    tag,
    suffix: new Uint8Array(
      key.buffer,
      key.byteOffset + ENTITY_TAG_PREFIX_BYTES,
      key.length - ENTITY_TAG_PREFIX_BYTES,
    ),
  };
}

const NONE = new Uint8Array(0);
const SEPARATOR_AT = 8;
const SEPARATOR = 0x00;
const TAG_AT = 9;
const ID_END = 2n ** 64n;
const TAG_NAMES: ReadonlyMap<number, EntityTag> = new Map(
  Object.entries(ENTITY_TAGS).map(([name, number]) => [number, name as EntityTag]),
);

function checkedId(id: EntityId): bigint {
  const isInteger = typeof id === "bigint" || Number.isSafeInteger(id);
  if (!isInteger || id < 0 || id >= ID_END) {
    throw invalid(
      `an entity id is a whole number from 0 to 2^64 − 1, beyond 2^53 − 1 as a bigint, not ${String(id)}`,
    );
  }
  return BigInt(id);
}

function invalid(what: string): StillwaterError {
  return new StillwaterError("INVALID_ENTITY_KEY", `${what}.`);
}
