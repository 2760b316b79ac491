/** The bridge to OpenTelemetry, with its SDK and exporters in memory. */
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { activeContext, type Instrumentation, instrument } from "../../src/otel/index.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { engineStoreOf, openEngineDatabase } from "../../src/transaction/engine-database.js";

const KEY = Buffer.from("key");

let spans: InMemorySpanExporter;
let exporter: InMemoryMetricExporter;
let reader: PeriodicExportingMetricReader;
let tracerProvider: BasicTracerProvider;
let database: StorageDatabase;
let instrumentation: Instrumentation;

beforeEach(async () => {
  spans = new InMemorySpanExporter();
  tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const platform = nodePlatform({ vfs: await createMemoryVFS() });
  database = await openEngineDatabase("/store", {}, platform);
  instrumentation = instrument({ sources: { main: database }, tracerProvider, meterProvider });
});

afterEach(async () => {
  instrumentation.disable();
  await database.close();
  await reader.shutdown();
});

const named = (name: string): ReadableSpan[] =>
  spans.getFinishedSpans().filter((span) => span.attributes["db.operation.name"] === name);

describe("spans", () => {
  test("are of transactions, with their commits and spans of one's own below them", async () => {
    await database.transact((transaction) => {
      tracerProvider.getTracer("test").startSpan("mine", {}, activeContext()).end();
      transaction.set(KEY, KEY);
    });
    await database.read((reading) => reading.get(KEY));
    const [transaction] = named("transaction");
    const [commit] = named("commit");
    const mine = spans.getFinishedSpans().find(({ name }) => name === "mine");
    expect(commit?.parentSpanContext?.spanId).toBe(transaction?.spanContext().spanId);
    expect(mine?.parentSpanContext?.spanId).toBe(transaction?.spanContext().spanId);
    expect(commit?.attributes).toMatchObject({
      "db.system.name": "stillwater",
      "db.namespace": "/store",
      "stillwater.commit.durability": "sync",
      "stillwater.commit.version": 10,
    });
    expect(named("read")).toHaveLength(1);
  });

  test("are of flushes and compactions too, which belong to no transaction", async () => {
    const store = engineStoreOf(database);
    for (const value of ["1", "2"]) {
      await store?.put(KEY, Buffer.from(value));
      await store?.flush();
    }
    await store?.compact();
    expect(named("flush")).toHaveLength(2);
    const [compaction] = named("compaction");
    expect(compaction?.attributes).toMatchObject({
      "stillwater.job.tables_read": 2,
      "stillwater.job.rows_written": 1,
    });
    expect(compaction?.parentSpanContext).toBeUndefined();
  });

  test("of what failed have the error, by its code", async () => {
    await expect(
      database.transact(
        async (transaction) => {
          await transaction.get(KEY);
          await database.transact((other) => other.set(KEY, KEY));
          transaction.set(KEY, KEY);
        },
        { retryLimit: 0 },
      ),
    ).rejects.toMatchObject({ code: "NOT_COMMITTED" });
    const failed = named("transaction").filter(({ status }) => status.code === 2);
    expect(failed.map(({ attributes }) => attributes["error.type"])).toEqual(["NOT_COMMITTED"]);
  });

  test("end when the bridge is disabled", async () => {
    instrumentation.disable();
    await database.transact((transaction) => transaction.set(KEY, KEY));
    expect(spans.getFinishedSpans()).toEqual([]);
  });
});

test("metrics are those of the source, in seconds, with labels as attributes", async () => {
  await database.transact((transaction) => transaction.set(KEY, KEY));
  await reader.forceFlush();
  const [collected] = exporter.getMetrics();
  const found = new Map(
    collected?.scopeMetrics[0]?.metrics.map((metric) => [metric.descriptor.name, metric] as const),
  );
  const point = (name: string) => found.get(name)?.dataPoints[0];
  expect(point("stillwater.puts")).toMatchObject({ value: 1, attributes: { "stillwater.source": "main" } });
  expect(found.get("stillwater.level_bytes")?.dataPoints).toHaveLength(7);
  expect(found.get("stillwater.level_bytes")?.descriptor.unit).toBe("By");
  expect(point("stillwater.level_bytes")?.attributes).toEqual({
    "stillwater.source": "main",
    "stillwater.level": "0",
  });
  expect(point("stillwater.commit_latency.count")?.value).toBe(1);
  const { sum } = database.metrics().histograms["commit_latency_ms"] ?? {};
  expect(point("stillwater.commit_latency.sum")?.value).toBeCloseTo((sum ?? 0) / 1000);
  expect(found.get("db.client.operation.duration")?.dataPoints).toHaveLength(2);
});

test("bad options are refused", () => {
  expect(() => instrument({ source: {} } as never)).toThrow(/no option "source"/);
  expect(() => instrument({ sources: { main: {} } } as never)).toThrow(/something with metrics\(\)/);
});
