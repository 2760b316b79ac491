/** Transactions, snapshots and compaction over HTTP: all or nothing, fixed views that end, one compaction at a time. */
import { describe, expect, it } from "vitest";
import { serving } from "./serving.js";

describe("a transaction", () => {
  it("reads what was there before its writes, and does them in order", async () => {
    await using admin = await serving();
    await admin.ask("PUT", "/v1/rows/a", { value: "1" });
    const answer = await admin.ask("POST", "/v1/transactions", {
      expect: [
        { key: "a", value: "1" },
        { key: "b", value: null },
      ],
      reads: ["a", "b"],
      writes: [
        { type: "put", key: "b", value: "first" },
        { type: "deleteRange", from: "a", to: "z" },
        { type: "put", key: "c", value: "last" },
      ],
    });
    expect([answer.status, answer.body.reads]).toEqual([200, [{ value: "1", valueEncoding: "utf8" }, null]]);
    const { body } = await admin.ask("GET", "/v1/rows");
    expect(body.rows.map(({ key, value }: { key: string; value: string }) => [key, value])).toEqual([
      ["c", "last"],
    ]);
    expect(body.version).toBe(answer.body.version);
  });

  it.each([
    ["PRECONDITION_FAILED", { expect: [{ key: "a", value: "2" }] }],
    ["PRECONDITION_FAILED", { expect: [{ key: "a", value: null }] }],
    ["PRECONDITION_FAILED", { expect: [{ key: "x", value: "1" }] }],
    ["VERSION_TOO_LOW", { requireVersionAtLeast: 1_000_000 }],
  ])("is refused with %s, and then nothing is written", async (code, conditions) => {
    await using admin = await serving();
    await admin.ask("PUT", "/v1/rows/a", { value: "1" });
    const before = admin.database;
    const { version } = (await admin.ask("GET", "/v1/health")).body;
    const writes = [{ type: "put", key: "a", value: "changed" }];
    const answer = await admin.ask("POST", "/v1/transactions", { ...conditions, writes });
    expect([answer.status, answer.body.code]).toEqual([409, code]);
    expect((await admin.ask("GET", "/v1/rows/a")).body.row.value).toBe("1");
    expect((await admin.ask("GET", "/v1/health")).body.version).toBe(version);
    expect(before).toBe(admin.database);
  });

  it("that is sent again under its idempotency key writes once, though its conditions no longer hold", async () => {
    await using admin = await serving();
    const request = {
      idempotencyKey: "order 1",
      expect: [{ key: "n", value: null }],
      writes: [{ type: "put", key: "n", value: "1" }],
    };
    const first = await admin.ask("POST", "/v1/transactions", request);
    await admin.ask("PUT", "/v1/rows/n", { value: "2" });
    const again = await admin.ask("POST", "/v1/transactions", request);
    expect([again.status, again.body.version]).toEqual([200, first.body.version]);
    expect((await admin.ask("GET", "/v1/rows/n")).body.row.value).toBe("2");
  });

  it("of many at once that each move the counter they read, none is lost: the others are told of it", async () => {
    await using admin = await serving();
    await admin.ask("PUT", "/v1/rows/n", { value: "0" });
    let moved = 0;
    const move = async (): Promise<void> => {
      for (;;) {
        const { value } = (await admin.ask("GET", "/v1/rows/n")).body.row;
        const answer = await admin.ask("POST", "/v1/transactions", {
          expect: [{ key: "n", value }],
          writes: [{ type: "put", key: "n", value: String(Number(value) + 1) }],
        });
        if (answer.status === 200) {
          moved++;
          return;
        }
        expect(answer.body.code).toBe("PRECONDITION_FAILED");
      }
    };
    await Promise.all(Array.from({ length: 12 }, move));
    expect(moved).toBe(12);
    expect((await admin.ask("GET", "/v1/rows/n")).body.row.value).toBe("12");
  });
});

describe("a snapshot", () => {
  it("shows what was there when it was taken, until it is deleted", async () => {
    await using admin = await serving();
    await admin.ask("PUT", "/v1/rows/a", { value: "old" });
    const { status, body } = await admin.ask("POST", "/v1/snapshots", { ttlMs: 600_000 });
    expect([status, body.ttlMs]).toEqual([201, 600_000]);
    await admin.ask("PUT", "/v1/rows/a", { value: "new" });
    const seen = await admin.ask("GET", `/v1/rows/a?snapshot=${body.id}`);
    expect([seen.body.row.value, seen.body.version]).toEqual(["old", body.version]);
    expect((await admin.ask("GET", "/v1/status")).body.heldSnapshots).toBe(1);
    expect((await admin.ask("DELETE", `/v1/snapshots/${body.id}`)).status).toBe(200);
    for (const path of [`/v1/rows/a?snapshot=${body.id}`, `/v1/rows?snapshot=${body.id}`])
      expect((await admin.ask("GET", path)).body.code).toBe("NOT_FOUND");
    expect((await admin.ask("GET", "/v1/status")).body.stats.openSnapshots).toBe(0);
  });

  it("is refused beyond 64 of them", async () => {
    await using admin = await serving();
    for (let taken = 0; taken < 64; taken++)
      expect((await admin.ask("POST", "/v1/snapshots", {})).status).toBe(201);
    const refused = await admin.ask("POST", "/v1/snapshots", {});
    expect([refused.status, refused.body.code, refused.headers.get("retry-after")]).toEqual([
      503,
      "BUSY",
      "1",
    ]);
  });
});

describe("a compaction", () => {
  it("leaves one table of what is there", async () => {
    await using admin = await serving();
    for (let at = 0; at < 5; at++) await admin.ask("PUT", "/v1/rows/a", { value: String(at) });
    const done = await admin.ask("POST", "/v1/compaction", { wait: true });
    expect([done.status, done.body.isRunning, done.body.failure]).toEqual([200, false, null]);
    const { levels } = (await admin.ask("GET", "/v1/tables")).body;
    const tables = levels.flatMap((level: { tables: unknown[] }) => level.tables);
    expect(tables).toMatchObject([{ entries: 1, smallest: "a", largest: "a" }]);
    expect((await admin.ask("GET", "/v1/compaction")).body.elapsedMs).toBeGreaterThan(0);
  });
});
