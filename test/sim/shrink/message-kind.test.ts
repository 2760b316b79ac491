/** Which findings count as the same. */
import { expect, test } from "vitest";
import { OracleFailure, type OracleId } from "../../../sim/oracles/failure.js";
import { kindOfMessage } from "../../../sim/shrink/message-kind.js";

const kind = (oracle: OracleId, detail: string) =>
  kindOfMessage(oracle, new OracleFailure(oracle, detail).message);

test("the same words about other keys and numbers are the same finding", () => {
  expect(kind("O9", "MANIFEST-000001 is about to be removed though it is live")).toBe(
    kind("O9", "MANIFEST-000017 is about to be removed though it is live"),
  );
  expect(kind("O7", 'commit 18 (operation 35) of "a b" has version 25')).toBe(
    kind("O7", 'commit 2 (operation 3) of "z" has version 7'),
  );
  expect(kind("O7", "the version went back")).not.toBe(kind("O7", "an edit number is used twice"));
});

test("what failed counts, not which call came upon it", () => {
  const failed = (call: string, what: string) =>
    kind("O16", `${call} failed by a bug: internal assertion failed: ${what}. This is a bug in Stillwater`);
  expect(failed("compact", "level 3 is sorted")).toBe(
    failed("commit 7 (operation 3, sync)", "level 1 is sorted"),
  );
  expect(failed("compact", "level 3 is sorted")).not.toBe(failed("compact", "rows come in order"));
});

test("wrong content is one finding for each promise, however it is read", () => {
  expect(kind("O6", 'get: "a" is absent, not a value of 3 bytes')).toBe(kind("O6", 'a scan: row 0 is "a"'));
  expect(kind("O6", 'get: "a" is absent')).not.toBe(kind("O12", 'get: "a" is absent'));
});
