/**
 * What `prometheusText` makes of a store's own metrics, read back by the rules of the exposition format 0.0.4 and of `promtool check
 * metrics`: a reader that knows nothing of how the text was made.
 */
import { describe, expect, it } from "vitest";
import { Store } from "../../src/engine/store.js";
import { prometheusText } from "../../src/metrics/prometheus.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

/** Throws what a scraper or promtool would object to. */
function read(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  let current = "";
  let help = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (keyword === "HELP") help = rest;
    else if (keyword === "TYPE") {
      if (families.has(name)) throw new Error(`${name} comes twice`);
      families.set(name, { type: rest, help, samples: [] });
      current = name;
      help = "";
    } else {
      const sample = readSample(line);
      const family = families.get(current);
      const suffix = sample.name.slice(current.length);
      const legal = family?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      if (!sample.name.startsWith(current) || !legal.includes(suffix))
        throw new Error(`${sample.name} does not belong to ${current}`);
      family?.samples.push(sample);
    }
  }
  return families;
}

function readSample(line: string): Sample {
  const [, name = "", inBraces = "", value = ""] = SAMPLE.exec(line) ?? [];
  if (name === "") throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  for (let rest = inBraces; rest !== ""; ) {
    const [whole, label = "", text = ""] = LABEL.exec(rest) ?? [];
    if (whole === undefined || label in labels) throw new Error(`bad labels: ${line}`);
    labels[label] = text;
    rest = rest.slice(whole.length);
  }
  const number = value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value);
  if (Number.isNaN(number)) throw new Error(`not a number: ${line}`);
  return { name, labels, value: number };
}

describe("the metrics of a store, as Prometheus reads them", async () => {
  await using store = await Store.open("/store", {}, nodePlatform({ vfs: await createMemoryVFS() }));
  await store.put(Buffer.from("a"), Buffer.from("1"));
  await store.compact();
  const snapshot = store.metrics();
  const families = read(prometheusText(snapshot, { labels: { store: "a b" } }));

  it("are all there, each family once, with help, and every sample once", () => {
    const known = Object.keys({ ...snapshot.counters, ...snapshot.gauges, ...snapshot.histograms });
    expect(families.size).toBe(new Set(known.map((name) => name.replace(/\{.*/, ""))).size);
    for (const [name, { help, samples }] of families) {
      expect(help, name).not.toBe("");
      const places = samples.map((sample) => JSON.stringify([sample.name, sample.labels]));
      expect(new Set(places).size, name).toBe(places.length);
      for (const { labels } of samples) expect(labels["store"]).toBe("a b");
    }
  });

  it("have names as promtool wants them: counters end in _total, nothing else does, times are in seconds", () => {
    for (const [name, { type }] of families) {
      expect(name.endsWith("_total"), name).toBe(type === "counter");
      expect(name).not.toMatch(/_(ms|milliseconds|count|sum|bucket)(_|$)/);
    }
  });

  it("have histograms whose buckets ascend and end with all", () => {
    const histograms = [...families].filter(([, { type }]) => type === "histogram");
    expect(histograms.length).toBeGreaterThan(0);
    for (const [name, { samples }] of histograms) {
      const buckets = samples.filter((sample) => sample.name.endsWith("_bucket"));
      const bounds = buckets.map(({ labels }) => (labels["le"] === "+Inf" ? Infinity : Number(labels["le"])));
      expect(bounds, name).toEqual(bounds.toSorted((a, b) => a - b));
      expect(bounds.at(-1)).toBe(Infinity);
      const counts = buckets.map(({ value }) => value);
      expect(counts, name).toEqual(counts.toSorted((a, b) => a - b));
      expect(counts.at(-1)).toBe(samples.find((sample) => sample.name.endsWith("_count"))?.value);
    }
  });
});
