import { expect, test } from "vitest";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { checkOnceStored } from "../../../sim/oracles/once-stored.js";
import { valueBytes } from "../../../sim/workload/bytes.js";
import type { Operation } from "../../../sim/workload/operation.js";

const put = (key: string, writer: number): Operation => ({
  kind: "write",
  call: "batch",
  mutations: [["put", key, writer, 10]],
});
const OPERATIONS = [put("a", 1), put("b", 2), put("a", 3), { kind: "settle" } as const];
const check = (key: string, value: Uint8Array) => () =>
  checkOnceStored(new OracleLedger(), OPERATIONS, [{ key, value }], "fresh", () => false);

test("after a loss nobody could prevent, any value that a key ever had is right", () => {
  for (const writer of [1, 3]) expect(check("a", valueBytes(writer, 10))).not.toThrow();
  expect(check("fresh", valueBytes(7, 10))).not.toThrow();
});

test("another key's value, a changed byte, a cut one and an unknown key are not", () => {
  const changed = valueBytes(1, 10);
  changed[9] = (changed[9] as number) ^ 1;
  for (const value of [valueBytes(2, 10), changed, valueBytes(1, 9)]) {
    expect(check("a", value)).toThrow(/^O23.*"a"/);
  }
  expect(check("c", valueBytes(1, 10))).toThrow(/^O23.*"c"/);
});
