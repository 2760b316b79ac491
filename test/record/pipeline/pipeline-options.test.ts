import { describe, expect, test } from "vitest";
import { CBOR_CODEC } from "../../../src/record/pipeline/cbor-codec.js";
import { BROTLI } from "../../../src/record/pipeline/compression.js";
import { JSON_CODEC } from "../../../src/record/pipeline/json-codec.js";
import { RotatingKeys } from "../../../src/record/pipeline/key-providers.js";
import { type ItemStorageOptions, pipelineSettings } from "../../../src/record/pipeline/pipeline-options.js";

const random = { nextUint32: () => 0 };
const settings = (options: ItemStorageOptions) => pipelineSettings(options, random);
const own = { ...JSON_CODEC, id: 128, name: "own" };

describe("options of item storage", () => {
  test("are JSON in clear by default, and all that is ours can be read", () => {
    const { codec, codecs, compression, compressions, keys } = settings({});
    expect([codec, compression, keys]).toEqual([JSON_CODEC, null, null]);
    expect([codecs.names(), compressions.names()]).toEqual([
      ["json", "cbor"],
      ["deflate", "gzip", "brotli"],
    ]);
  });

  test("name what is ours, or hold what is not", () => {
    expect(settings({ codec: "cbor" }).codec).toBe(CBOR_CODEC);
    expect(settings({ compression: "brotli" }).compression).toBe(BROTLI);
    expect(settings({ codec: own }).codecs.byId(128)).toBe(own);
    expect(settings({ codec: own, codecs: [own] }).codec).toBe(own);
    expect(settings({ codec: CBOR_CODEC, compression: BROTLI }).compression).toBe(BROTLI);
  });

  const keys = new RotatingKeys({ id: "k", bytes: new Uint8Array(32) });
  test.each([
    ["an unknown option", { codex: "json" }, "UNKNOWN_OPTION"],
    ["an unknown option of encryption", { encryption: { keys, cipher: "rot13" } }, "UNKNOWN_OPTION"],
    ["no object", "json", "INVALID_ARGUMENT"],
    ["a codec that is not there", { codec: "xml" }, "INVALID_ARGUMENT"],
    ["no codec", { codec: null }, "INVALID_ARGUMENT"],
    ["half a codec", { codec: { id: 128, name: "x", encode: String } }, "INVALID_ARGUMENT"],
    ["a compression that is not there", { compression: "zip" }, "INVALID_ARGUMENT"],
    ["half a compression", { compression: { id: 128, name: "x", compress: String } }, "INVALID_ARGUMENT"],
    ["a codec with an id of ours", { codec: { ...own, id: 127 } }, "INVALID_ARGUMENT"],
    ["a codec with the name of ours", { codecs: [{ ...own, name: "cbor" }] }, "INVALID_ARGUMENT"],
    ["two codecs of one id", { codec: own, codecs: [{ ...own, name: "x" }] }, "INVALID_ARGUMENT"],
    ["an id beyond a byte", { compressions: [{ ...BROTLI, id: 256, name: "x" }] }, "INVALID_ARGUMENT"],
    ["codecs that are no list", { codecs: own }, "INVALID_ARGUMENT"],
    ["encryption without keys", { encryption: {} }, "INVALID_ARGUMENT"],
    ["readUnencrypted that is no flag", { encryption: { keys, readUnencrypted: 1 } }, "INVALID_ARGUMENT"],
    ["no encryption", { encryption: null }, "INVALID_ARGUMENT"],
    [
      "a provider of a bad key",
      { encryption: { keys: { ...keys, current: () => ({ id: "", bytes: own }) } } },
      "INVALID_ARGUMENT",
    ],
  ])("are refused with %s", (_, options, code) => {
    expect(() => settings(options as unknown as ItemStorageOptions)).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });
});
