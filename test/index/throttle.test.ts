/** The throttle alone: what it is told, and what it asks for then. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mayPass, THROTTLE_PRESETS, Throttle, throttleSettings } from "../../src/index/throttle.js";
import { StillwaterError } from "../../src/platform/errors.js";
import { ConflictError, TransactionError } from "../../src/transaction/errors.js";

const conflict = new ConflictError();

describe("a throttle", () => {
  test("begins with a hundred items and no wait, and takes half as many more after three successes", () => {
    const throttle = new Throttle(throttleSettings());
    const items: number[] = [];
    for (let i = 0; i < 9; i++) {
      items.push(throttle.items);
      throttle.succeeded();
    }
    expect(items).toEqual([100, 100, 100, 150, 150, 150, 225, 225, 225]);
    expect(throttle.delayMs).toBe(0);
  });

  test("takes half as many and waits twice as long after a failure, and comes back slowly", () => {
    const throttle = new Throttle(throttleSettings());
    throttle.failed(conflict);
    expect([throttle.items, throttle.delayMs]).toEqual([50, 10]);
    throttle.failed(conflict);
    expect([throttle.items, throttle.delayMs]).toEqual([25, 20]);
    throttle.succeeded();
    expect([throttle.items, throttle.delayMs]).toEqual([25, 18]);
  });

  test("tries a single item when seven tries in a row have failed, and gives up after a hundred", () => {
    const throttle = new Throttle(throttleSettings());
    for (let i = 0; i < 6; i++) throttle.failed(conflict);
    expect(throttle.items).toBe(10);
    throttle.failed(conflict);
    expect(throttle.items).toBe(1);
    throttle.succeeded();
    expect(throttle.items).toBe(10);
    for (let i = 0; i < 99; i++) throttle.failed(conflict);
    expect(() => throttle.failed(conflict)).toThrow(conflict);
  });

  test("ends at once with an error that does not pass", () => {
    const error = new StillwaterError("CORRUPTION", "rotten");
    expect(() => new Throttle(throttleSettings()).failed(error)).toThrow(error);
    expect(mayPass(new TransactionError("TRANSACTION_TOO_LARGE", "large"))).toBe(true);
    expect(mayPass(new TransactionError("COMMIT_UNKNOWN_RESULT", "who knows"))).toBe(true);
    expect(mayPass(new TransactionError("TRANSACTION_CANCELLED", "over"))).toBe(false);
    expect(mayPass(new Error("ours"))).toBe(false);
  });

  test("never leaves the bounds of its preset, whatever happens", () => {
    const presets = fc.constantFrom(...Object.values(THROTTLE_PRESETS));
    fc.assert(
      fc.property(presets, fc.array(fc.boolean(), { maxLength: 90 }), (settings, outcomes) => {
        const throttle = new Throttle(settings);
        for (const isSuccess of outcomes) {
          if (isSuccess) throttle.succeeded();
          else throttle.failed(conflict);
          const { items, delayMs } = throttle;
          expect(items === 1 || (items >= settings.minItems && items <= settings.maxItems)).toBe(true);
          expect(delayMs >= settings.minDelayMs && delayMs <= settings.maxDelayMs).toBe(true);
        }
      }),
    );
  });

  test.each([
    [{ firstItems: 0 }],
    [{ firstItems: 10, maxItems: 5 }],
    [{ shrinkage: 1 }],
    [{ growth: 0.5 }],
    [{ minDelayMs: 5, maxDelayMs: 1 }],
    [{ items: 5 }],
    ["fast"],
  ])("refuses %j", (given) => {
    expect(() => throttleSettings(given as never)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });
});
