/** Rows over HTTP: what is put is what is got, pages are the whole in order, and a page token is its own query's alone. */
import { describe, expect, it } from "vitest";
import { serving } from "./serving.js";

describe("a row", () => {
  it("is there after it was put, replaced by the next, and gone after it was deleted", async () => {
    await using admin = await serving();
    const created = await admin.ask("PUT", "/v1/rows/a%2Fb", { value: "first" });
    expect([created.status, created.body.created]).toEqual([201, true]);
    expect(created.headers.get("location")).toBe("/v1/rows/a%2Fb?keyEncoding=utf8");
    const replaced = await admin.ask("PUT", "/v1/rows/a%2Fb", { value: "second" });
    expect([replaced.status, replaced.body]).toEqual([
      200,
      { created: false, version: created.body.version + 1 },
    ]);
    const found = await admin.ask("GET", created.headers.get("location") as string);
    expect(found.body.row).toEqual({
      key: "a/b",
      keyEncoding: "utf8",
      value: "second",
      valueEncoding: "utf8",
      valueBytes: 6,
      isTruncated: false,
    });
    expect((await admin.ask("DELETE", "/v1/rows/a%2Fb")).status).toBe(200);
    for (const method of ["GET", "DELETE"]) {
      const gone = await admin.ask(method, "/v1/rows/a%2Fb");
      expect([gone.status, gone.body.code]).toEqual([404, "NOT_FOUND"]);
    }
  });
});

describe("pages", () => {
  it("hold every row once, in order, forwards and backwards", async () => {
    await using admin = await serving();
    const keys = Array.from({ length: 25 }, (_, at) => `k${String(at).padStart(2, "0")}`);
    await admin.database.transact((transaction) => {
      for (const key of keys) transaction.set(Buffer.from(key), Buffer.from(`value of ${key}`));
    });
    for (const reverse of [false, true]) {
      const found: string[] = [];
      for (let token: string | undefined, pages = 0; pages === 0 || token !== undefined; pages++) {
        const page = await admin.ask(
          "GET",
          `/v1/rows?prefix=k&limit=10&reverse=${reverse}${token === undefined ? "" : `&pageToken=${token}`}`,
        );
        expect(page.status).toBe(200);
        found.push(...page.body.rows.map(({ key }: { readonly key: string }) => key));
        token = page.body.nextPageToken;
      }
      expect(found).toEqual(reverse ? keys.toReversed() : keys);
    }
  });
});
