/** Any bytes come back as they were, through every encoding, and through the API as key and value. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BYTE_ENCODINGS, beginningOf, bytesOf, decodeUtf8, textOf } from "../../src/admin/byte-text.js";
import { serving } from "./serving.js";

const encoding = fc.constantFrom(...BYTE_ENCODINGS);

describe("bytes as text", () => {
  it("read back as the same bytes, in the encoding that the text says it is in", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), encoding, (bytes, asked) => {
        const { text, encoding: used } = textOf(bytes, asked);
        expect(Uint8Array.from(bytesOf(text, used, "it"))).toEqual(bytes);
        if (asked !== "utf8" || decodeUtf8(bytes) !== null) expect(used).toBe(asked);
      }),
    );
  });

  it("are refused where the text is not what its encoding writes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 12 }), encoding, (text, asked) => {
        let bytes: Uint8Array;
        try {
          bytes = bytesOf(text, asked, "it");
        } catch (error) {
          expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
          return;
        }
        const again = textOf(bytes, asked).text;
        expect(again).toBe(asked === "hex" ? text.toLowerCase() : text);
      }),
    );
  });

  it("are cut between characters where they are text, and where they are told where they are not", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), (text, limit) => {
        const beginning = beginningOf(Buffer.from(text), limit);
        const shown = decodeUtf8(beginning);
        expect(shown).not.toBe(null);
        expect(text.startsWith(shown as string)).toBe(true);
        expect(beginning.length).toBeGreaterThan(Math.min(limit, Buffer.byteLength(text)) - 4);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(20), (bytes, limit) => {
        const beginning = beginningOf(bytes, limit);
        expect(beginning).toEqual(bytes.subarray(0, beginning.length));
        expect(beginning.length).toBeLessThanOrEqual(limit);
      }),
    );
  });
});

describe("rows with any bytes", () => {
  it("come back as they were put, alone, in a list and in a transaction", async () => {
    await using admin = await serving();
    // From 0xFF on keys are the system's.
    const key = fc.uint8Array({ maxLength: 24 }).filter(([first]) => first !== 0xff);
    await fc.assert(
      fc.asyncProperty(
        key,
        fc.uint8Array({ maxLength: 40 }),
        encoding,
        encoding,
        async (bytes, value, keys, values) => {
          const written = textOf(value, values);
          // `fetch` takes "." and ".." out of paths, however they are written: such keys go in another encoding.
          const { text, encoding: used } = textOf(
            bytes,
            /^\.{1,2}$/.test(decodeUtf8(bytes) ?? "") ? "hex" : keys,
          );
          const target = `/v1/rows/${encodeURIComponent(text)}?keyEncoding=${used}&valueEncoding=${written.encoding}`;
          expect((await admin.ask("PUT", target, { value: written.text })).status).toBeLessThan(300);
          const { row } = (await admin.ask("GET", target)).body;
          expect(Uint8Array.from(bytesOf(row.key, row.keyEncoding, "key"))).toEqual(bytes);
          expect(Uint8Array.from(bytesOf(row.value, row.valueEncoding, "value"))).toEqual(value);
          const hex = Buffer.from(bytes).toString("hex");
          const listed = await admin.ask("GET", `/v1/rows?keyEncoding=hex&from=${hex}&to=${hex}00`);
          expect(listed.body.rows).toMatchObject([{ key: hex, value: Buffer.from(value).toString("hex") }]);
          const read = await admin.ask("POST", "/v1/transactions", {
            keyEncoding: "base64url",
            expect: [
              {
                key: Buffer.from(bytes).toString("base64url"),
                value: Buffer.from(value).toString("base64url"),
              },
            ],
          });
          expect(read.status).toBe(200);
        },
      ),
      { numRuns: 25 },
    );
  });
});
