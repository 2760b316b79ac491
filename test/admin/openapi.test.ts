/** The OpenAPI document is valid by a validator that is not ours, and has every route and operation. */
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { openApiDocument } from "../../src/admin/http/openapi.js";
import { ROUTES } from "../../src/admin/http/routes.js";
import { OPERATIONS } from "../../src/admin/operations.js";
import { serving } from "./serving.js";

type Document = { readonly paths: Record<string, Record<string, { readonly operationId: string }>> };

describe("the OpenAPI document", () => {
  it("is one, of version 3.1", async () => {
    const validator = new Validator();
    const result = await validator.validate(structuredClone(openApiDocument()) as Record<string, unknown>);
    expect(result.errors ?? []).toEqual([]);
    expect([result.valid, validator.version]).toEqual([true, "3.1"]);
  });

  it("has every route once, and each of them an operation of its own", () => {
    const { paths } = openApiDocument() as Document;
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`,
      ),
    );
    expect(documented.sort()).toEqual(
      [
        "GET /metrics getMetricsText",
        ...ROUTES.map(({ method, path, operation }) => `${method} ${path} ${operation.name}`),
      ].sort(),
    );
    expect(ROUTES.map(({ operation }) => operation.name).sort()).toEqual(
      OPERATIONS.map(({ name }) => name).sort(),
    );
  });

  it("has the metrics twice: as JSON, and as text for Prometheus", async () => {
    await using admin = await serving();
    await admin.ask("PUT", "/v1/rows/a", { value: "1" });
    const json = await admin.ask("GET", "/v1/metrics");
    expect(json.body.gauges.version).toBeGreaterThan(0);
    const histograms = Object.values<{ buckets: { le: number | null }[] }>(json.body.histograms);
    expect(histograms.every(({ buckets }) => buckets.at(-1)?.le === null)).toBe(true);
    const text = await admin.ask("GET", "/metrics");
    expect(text.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(text.text).toContain("# TYPE stillwater_version gauge");
    expect((await admin.ask("POST", "/metrics", {})).headers.get("allow")).toBe("GET, HEAD");
  });

  it("is served to whoever asks, also where there is a token", async () => {
    await using admin = await serving({ token: "0123456789abcdef" });
    const answer = await admin.ask("GET", "/openapi.json");
    expect([answer.status, answer.body]).toEqual([200, JSON.parse(JSON.stringify(openApiDocument()))]);
    expect((await admin.ask("GET", "/v1/status")).status).toBe(401);
  });
});
