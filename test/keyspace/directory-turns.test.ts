/** Turns: order within a transaction, and what becomes of those that wait when one fails. */
import { expect, test } from "vitest";
import { isRoot } from "../../src/keyspace/directory-errors.js";
import { inTurn } from "../../src/keyspace/directory-turns.js";
import type { ReadTransaction } from "../../src/transaction/transaction.js";

const transaction = (): ReadTransaction => ({}) as ReadTransaction;
const settled = async (promises: readonly Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(promises)).map((one) => (one.status === "fulfilled" ? one.value : one.reason));

test("operations of a transaction run one after another in the order of the calls; others do not wait", async () => {
  const [one, other] = [transaction(), transaction()];
  const log: string[] = [];
  const operation = (name: string) => async (): Promise<string> => {
    log.push(`${name} begins`);
    await Promise.resolve();
    log.push(`${name} ends`);
    return name;
  };
  const all = [
    inTurn(one, operation("a")),
    inTurn(one, operation("b")),
    inTurn(other, operation("c")),
    inTurn(one, operation("d")),
  ];
  expect(log).toEqual(["a begins", "c begins"]);
  expect(await settled(all)).toEqual(["a", "b", "c", "d"]);
  expect(log.filter((line) => !line.startsWith("c"))).toEqual(
    ["a", "b", "d"].flatMap((name) => [`${name} begins`, `${name} ends`]),
  );
});

test("misuse is its own affair; any other error fails what waits, and what comes later runs", async () => {
  const one = transaction();
  const misuse = isRoot("removed", []);
  const lost = new Error("lost");
  const ran: string[] = [];
  const run = (name: string, error: Error | null) => async (): Promise<string> => {
    ran.push(name);
    await Promise.resolve();
    if (error !== null) throw error;
    return name;
  };
  expect(await settled([inTurn(one, run("a", misuse)), inTurn(one, run("b", null))])).toEqual([misuse, "b"]);
  const failing = [run("c", lost), run("d", null), run("e", null)].map((each) => inTurn(one, each));
  expect(await settled(failing)).toEqual([lost, lost, lost]);
  expect(await inTurn(one, run("f", null))).toBe("f");
  expect(ran).toEqual(["a", "b", "c", "f"]);
});
