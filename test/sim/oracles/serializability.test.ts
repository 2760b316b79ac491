import { describe, expect, test } from "vitest";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { checkSameHistory } from "../../../sim/oracles/metamorphic.js";
import { CommitOrder } from "../../../sim/oracles/serializability.js";

function order(): CommitOrder {
  const made = new CommitOrder(new OracleLedger());
  made.newLife(10);
  return made;
}

describe("O5", () => {
  test("a commit that was handed in after another was acknowledged has the higher version", () => {
    const one = order();
    const early = one.now;
    one.committed("first", early, 12, undefined);
    expect(() => one.committed("beside it", early, 11, undefined)).not.toThrow();
    const late = one.now;
    expect(() => one.committed("later", late, 13, undefined)).not.toThrow();
    expect(() => one.committed("later", late, 12, undefined)).toThrow(/^O5.*12 was acknowledged before/);
  });

  test("a read that begins after an acknowledgement sees it, and no read goes back behind another", () => {
    const one = order();
    one.readAt("a read", 10);
    one.committed("first", one.now, 11, undefined);
    expect(() => one.readAt("a read", 10)).toThrow(/^O5.*11 was acknowledged before it began/);
    one.readAt("a read", 13);
    expect(() => one.readAt("a read", 12)).toThrow(/^O5.*after a read at 13/);
  });

  test("a required version refuses exactly the commits that come too early", () => {
    const one = order();
    expect(() => one.required("a commit", 10, 11, true)).not.toThrow();
    expect(() => one.required("a commit", 11, 11, false)).not.toThrow();
    expect(() => one.required("a commit", 10, 11, false)).toThrow(/^O5.*taken/);
    expect(() => one.required("a commit", 11, 11, true)).toThrow(/^O5.*refused/);
    expect(() => one.committed("a commit", one.now, 11, 11)).toThrow(/^O5.*required 11/);
  });

  test("in a new life only what recovery found is known", () => {
    const one = order();
    one.committed("lost", one.now, 20, undefined);
    one.newLife(15);
    expect(() => one.readAt("a read", 15)).not.toThrow();
    expect(() => one.readAt("a read", 14)).toThrow(/^O5/);
  });
});

describe("O21", () => {
  const check = (one: string[], other: string[]) => () =>
    checkSameHistory(new OracleLedger(), one, other, "x");

  test("the same answers pass; another answer, a missing one or one too many fail and are shown", () => {
    expect(check(["0 get: absent", "1 write: 10"], ["0 get: absent", "1 write: 10"])).not.toThrow();
    expect(check(["0 get: absent"], ["0 get: 3:ab"])).toThrow(
      /^O21.*under x.*0 get: absent, but 0 get: 3:ab/,
    );
    expect(check(["a"], [])).toThrow(/^O21.*no answer/);
    expect(check([], ["a"])).toThrow(/^O21.*no answer/);
  });
});
