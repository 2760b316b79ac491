/** O42 fed with broken answers. */
import { describe, expect, test } from "vitest";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import {
  causeOfLevelError,
  checkAnswered,
  checkOneCommit,
  type StoreWrite,
} from "../../../sim/oracles/level.js";
import { LevelError, levelError } from "../../../src/level/errors.js";
import { StillwaterError } from "../../../src/platform/errors.js";

const ledger = new OracleLedger();
const write = (durability: StoreWrite["durability"], version: number | null = 7): StoreWrite => ({
  durability,
  version,
});
const O42 = expect.objectContaining({ oracle: "O42" });

describe("a write of Level", () => {
  test.each([
    [[write("sync")], true],
    [[write("buffered")], false],
    [[write(undefined)], undefined],
  ] as const)("is one commit, as durable as it asks for", (writes, sync) => {
    expect(checkOneCommit(ledger, "a write", writes, sync)).toBe(writes[0]);
  });

  test.each([
    ["none", [], true],
    ["two", [write("sync"), write("sync")], true],
    ["one that is buffered, for sync", [write("buffered")], true],
    ["one by the store's durability, for sync", [write(undefined)], true],
    ["one that is synced, for the store's durability", [write("sync")], undefined],
  ] as const)("is not %s", (_, writes, sync) => {
    expect(() => checkOneCommit(ledger, "a write", writes, sync)).toThrow(O42);
  });

  test("is answered with its version, and not before its commit or after another of its own", () => {
    const one = write("sync");
    expect(checkAnswered(ledger, "a write", one, [one])).toBe(7);
    const early = write("sync", null);
    expect(() => checkAnswered(ledger, "a write", early, [early])).toThrow(O42);
    expect(() => checkAnswered(ledger, "a write", one, [one, write("sync")])).toThrow(O42);
  });
});

describe("an error of Level", () => {
  const cause = new StillwaterError("FAILED_STOP", "stopped");

  test("has the code of its cause, which is given back", () => {
    expect(causeOfLevelError(ledger, levelError(cause), "put")).toBe(cause);
    const opening = Object.assign(new Error("failed to open"), {
      code: "LEVEL_DATABASE_NOT_OPEN",
      cause: levelError(cause),
    });
    expect(causeOfLevelError(ledger, opening, "open")).toBe(cause);
    const closed = new LevelError("LEVEL_DATABASE_NOT_OPEN", "not open");
    expect(causeOfLevelError(ledger, closed, "get")).toBe(closed);
  });

  test("does not have another code, and is not the store's own", () => {
    const wrong = new LevelError("LEVEL_BUSY", "busy", cause);
    expect(() => causeOfLevelError(ledger, wrong, "put")).toThrow(O42);
    expect(() => causeOfLevelError(ledger, cause, "put")).toThrow(O42);
  });
});
