/**
 * What a user says about how items are stored, checked, with its defaults: the one place where it becomes the settings of a
 * pipeline. Settings hold for what is written; items that other settings wrote stay readable, as long as what they were
 * written with is registered. Does not own: what is done with them (`item-pipeline.ts`).
 */
import { refuseUnknownOptions } from "../../engine/options.js";
import { StillwaterError } from "../../platform/errors.js";
import type { Random } from "../../platform/platform.js";
import { CBOR_CODEC } from "./cbor-codec.js";
import { type Codec, CodecRegistry } from "./codec.js";
import { BROTLI, type Compression, CompressionRegistry, DEFLATE, GZIP } from "./compression.js";
import { checkEncryptionKey, type KeyProvider } from "./encryption.js";
import type { PipelineSettings } from "./item-pipeline.js";
import { JSON_CODEC } from "./json-codec.js";

/** How items become bytes: codec, compression, encryption. */
export interface ItemStorageOptions {
  /** Default `json`, the fastest; `cbor` is shorter where items hold numbers and bytes. */
  readonly codec?: "json" | "cbor" | Codec;
  /** Codecs of your own that items may have been written with. The one of `codec` need not be here. */
  readonly codecs?: readonly Codec[];
  /**
   * Default `none`. Small items gain little: a document of 350 bytes becomes a quarter shorter, for seven times the
   * processor time to write and four times to read. The store's own `compression` does better, for it sees many
   * neighbours at once, and in the background. It is worth it for large items, and for encrypted ones, which nothing can
   * compress later.
   */
  readonly compression?: "none" | "deflate" | "gzip" | "brotli" | Compression;
  /** Compressions of your own that items may have been written with. The one of `compression` need not be here. */
  readonly compressions?: readonly Compression[];
  /** Default: items are stored in clear. Keys of items and index entries always are. */
  readonly encryption?: EncryptionOptions;
}

/** Which keys encrypt items, and whether items in clear may be read. */
export interface EncryptionOptions {
  readonly keys: KeyProvider;
  /**
   * Whether items in clear are read as well: for a store that was there before it was encrypted, until all are written anew.
   * Default false, for whoever may write to the store could put one in place of an encrypted one.
   */
  readonly readUnencrypted?: boolean;
}

/** Throws `UNKNOWN_OPTION`, `INVALID_ARGUMENT`. */
export function pipelineSettings(options: ItemStorageOptions, random: Random): PipelineSettings {
  refuseUnknownOptions(
    options,
    ["codec", "codecs", "compression", "compressions", "encryption"],
    "item storage",
  );
  const { codec = "json", compression = "none", encryption } = options;
  const ownCodec = typeof codec === "object" ? [checkedCodec(codec)] : [];
  const foreignCodecs = listOf("codecs", options.codecs, checkedCodec);
  const codecs = new CodecRegistry([JSON_CODEC, CBOR_CODEC], [...ownCodec, ...foreignCodecs]);
  const ownCompression = typeof compression === "object" ? [checkedCompression(compression)] : [];
  const foreignCompressions = listOf("compressions", options.compressions, checkedCompression);
  const compressions = new CompressionRegistry(
    [DEFLATE, GZIP, BROTLI],
    [...ownCompression, ...foreignCompressions],
  );
  return {
    codec: ownCodec[0] ?? named("codec", codec, codecs),
    codecs,
    compression:
      compression === "none" ? null : (ownCompression[0] ?? named("compression", compression, compressions)),
    compressions,
    keys: encryption === undefined ? null : checkedKeys(encryption),
    readUnencrypted: encryption?.readUnencrypted ?? false,
    random,
  };
}

interface Names<One> {
  byName(name: string): One | undefined;
  names(): string[];
}

function named<One>(option: string, name: unknown, registry: Names<One>): One {
  const found = typeof name === "string" ? registry.byName(name) : undefined;
  if (found !== undefined) return found;
  throw invalid(option, `one of ${registry.names().join(", ")}, or one of your own`);
}

function listOf<One>(option: string, list: readonly One[] | undefined, check: (one: One) => One): One[] {
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw invalid(option, "an array");
  return list.map(check);
}

function checkedCodec(codec: Codec): Codec {
  if (hasMethods(codec, ["encode", "decode"])) return codec;
  throw invalid("codec", "an object with id, name, encode and decode");
}

function checkedCompression(compression: Compression): Compression {
  if (hasMethods(compression, ["compress", "decompress"])) return compression;
  throw invalid("compression", "an object with id, name, compress and decompress");
}

function checkedKeys(encryption: EncryptionOptions): KeyProvider {
  refuseUnknownOptions(encryption, ["keys", "readUnencrypted"], "encryption");
  const { keys, readUnencrypted = false } = encryption;
  if (typeof readUnencrypted !== "boolean") throw invalid("encryption.readUnencrypted", "true or false");
  if (!hasMethods(keys, ["current", "byId"])) throw invalid("encryption.keys", "a key provider");
  // A key that cannot encrypt is better found now than at the first item.
  checkEncryptionKey(keys.current());
  return keys;
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  return names.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === "function");
}

function invalid(option: string, wanted: string): StillwaterError {
  return new StillwaterError("INVALID_ARGUMENT", `the option "${option}" must be ${wanted}.`);
}
