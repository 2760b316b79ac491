import { describe, expect, test } from "vitest";
import { DerivedKeys, environmentKeys, RotatingKeys } from "../../../src/record/pipeline/key-providers.js";

const key = (id: string, fill: number) => ({ id, bytes: new Uint8Array(32).fill(fill) });
const text = (fill: number): string => Buffer.alloc(32, fill).toString("base64");
const INVALID = expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error;

describe("keys", () => {
  test("are copies: who gave one may wipe it", () => {
    const given = key("a", 1);
    const keys = new RotatingKeys(given);
    given.bytes.fill(0);
    expect(keys.current()).toEqual(key("a", 1));
    const secret = new Uint8Array(32).fill(5);
    const derived = new DerivedKeys(secret, "a");
    const before = derived.byId("b");
    secret.fill(0);
    expect(new DerivedKeys(new Uint8Array(32).fill(5), "a").byId("b")).toEqual(before);
    for (let i = 0; i < 200; i++) derived.byId(`${i}`);
    expect(derived.byId("b")).toEqual(before);
  });

  test("that rotate keep the former ones, and may go back", () => {
    const keys = new RotatingKeys(key("a", 1));
    keys.rotate(key("b", 2));
    expect([keys.current().id, keys.byId("a"), keys.byId("c")]).toEqual(["b", key("a", 1), undefined]);
    keys.rotate(key("a", 1));
    expect([keys.current().id, keys.byId("b")]).toEqual(["a", key("b", 2)]);
    expect(() => keys.rotate(key("b", 3))).toThrow(INVALID);
    expect(keys.current().id).toBe("a");
  });

  test("that are derived differ by their id and their secret", () => {
    const one = new DerivedKeys(new Uint8Array(32).fill(1), "a");
    const other = new DerivedKeys(new Uint8Array(32).fill(2), "a");
    expect(one.current().bytes).not.toEqual(one.byId("b").bytes);
    expect(one.current().bytes).not.toEqual(other.current().bytes);
  });

  test("come out of an environment, with the one that is current", () => {
    const variables = { STILLWATER_ITEM_KEY_OLD: text(1), STILLWATER_ITEM_KEY_2026: text(2), PATH: "/bin" };
    const keys = environmentKeys({ ...variables, STILLWATER_ITEM_KEY_CURRENT: "2026" });
    expect([keys.current(), keys.byId("OLD"), keys.byId("CURRENT")]).toEqual([
      key("2026", 2),
      key("OLD", 1),
      undefined,
    ]);
    expect(
      environmentKeys({ STILLWATER_ITEM_KEY_A: text(3), STILLWATER_ITEM_KEY_B: undefined }).current().id,
    ).toBe("A");
  });

  test.each([
    ["no key", {}, /there is no key for items/],
    [
      "no current one of two",
      { STILLWATER_ITEM_KEY_A: text(1), STILLWATER_ITEM_KEY_B: text(2) },
      /none of the keys A, B/,
    ],
    [
      "a current one that is not there",
      { STILLWATER_ITEM_KEY_A: text(1), STILLWATER_ITEM_KEY_CURRENT: "B" },
      /none of/,
    ],
    ["a current one and no key", { STILLWATER_ITEM_KEY_CURRENT: "B" }, /there is no key/],
    [
      "a short key",
      { STILLWATER_ITEM_KEY_A: "c2VjcmV0" },
      /^STILLWATER_ITEM_KEY_A must be 32 bytes in base64\.$/,
    ],
    ["what is no base64", { STILLWATER_ITEM_KEY_A: `${text(1).slice(0, -1)} ` }, /in base64\.$/],
    ["a key without id", { STILLWATER_ITEM_KEY_: text(1) }, /1 to 255 bytes/],
  ])("of an environment with %s are refused, and no message tells a key", (_, variables, message) => {
    expect(() => environmentKeys(variables)).toThrow(INVALID);
    expect(() => environmentKeys(variables)).toThrow(message);
  });

  test.each([
    ["an empty id", () => new RotatingKeys(key("", 1))],
    ["an id that is too long", () => new RotatingKeys(key("\u00e9".repeat(128), 1))],
    ["an id that is no text", () => new RotatingKeys(key("\ud800", 1))],
    ["16 bytes", () => new RotatingKeys({ id: "a", bytes: new Uint8Array(16) })],
    ["two of one id", () => new RotatingKeys(key("a", 1), key("a", 2))],
    ["a short secret", () => new DerivedKeys(new Uint8Array(31), "a")],
    ["no id to derive", () => new DerivedKeys(new Uint8Array(32), "a").rotate("")],
  ])("are refused with %s", (_, make) => {
    expect(make).toThrow(INVALID);
  });
});
