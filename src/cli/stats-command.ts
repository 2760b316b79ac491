/**
 * `stats`: a store at a glance, for a person, a program (`--json`) or Prometheus (`--prometheus`). Owns the picture and what is worth
 * a look. Rates, hits and write amplification are of the process that works with the store; its `metrics()` tell of them, a command
 * that has just opened it cannot.
 */
import type { Command } from "commander";
import { type ReadOnlyStats, ReadOnlyStore } from "../engine/readonly/read-only-store.js";
import type { StoreStats } from "../engine/store-types.js";
import { prometheusText } from "../metrics/prometheus.js";
import type { MetricsSnapshot } from "../metrics/snapshot.js";
import { StillwaterError } from "../platform/errors.js";
import { type ReadOption, withReader, withReadOnly } from "./read-session.js";
import { count, JSON_FLAG, printResult } from "./session.js";
import { writeOutput } from "./terminal.js";

interface StatsOption extends ReadOption {
  readonly prometheus?: true;
}

export function addStatsCommand(program: Command): void {
  withReadOnly(program.command("stats <dir>"))
    .summary("show sizes and the shape of the tree")
    .description("show versions, sizes, the shape of the tree, and what is worth a look")
    .option(...JSON_FLAG)
    .option("--prometheus", "print metrics in the text format of Prometheus, for a textfile collector")
    .action(stats);
}

type Stats = StoreStats | ReadOnlyStats;

async function stats(directory: string, options: StatsOption): Promise<void> {
  if (options.prometheus === true && options.json === true)
    throw new StillwaterError("INVALID_ARGUMENT", "choose one of --json and --prometheus.");
  const { result, readOnly } = await withReader(directory, options, {}, async (store) =>
    store instanceof ReadOnlyStore
      ? { found: store.stats(), recovery: null, metrics: readMetrics(store.stats()) }
      : { found: store.stats(), recovery: store.recovery, metrics: store.metrics() },
  );
  const { found, recovery, metrics } = result;
  if (options.prometheus === true) await writeOutput(prometheusText(metrics));
  else await printResult(options, { directory, readOnly, recovery, ...found, metrics }, picture(found));
}

/** What can be told without owning the store: gauges of what its files hold. */
function readMetrics({ version, levels, memtableBytes, logSegments }: ReadOnlyStats): MetricsSnapshot {
  const gauges: Record<string, number> = { version, wal_bytes: memtableBytes, wal_segments: logSegments };
  levels.forEach(({ tables, bytes, entries }, level) => {
    gauges[`level_tables{level="${level}"}`] = tables;
    gauges[`level_bytes{level="${level}"}`] = bytes;
    gauges[`level_entries{level="${level}"}`] = entries;
  });
  return { counters: {}, gauges, histograms: {} };
}

function picture(found: Stats): string[] {
  const rows = found.levels.map((level, depth) => ({ level: String(depth), ...level }));
  const all = totalOf(found);
  const hints = worthALook(found);
  return [
    `version           ${found.version}`,
    "",
    ...tableLines(
      rows.filter(({ tables }) => tables > 0),
      all,
    ),
    "",
    ...("debtBytes" in found ? ownerLines(found) : readerLines(found)),
    "",
    ...(hints.length === 0
      ? ["nothing needs a look"]
      : ["worth a look:", ...hints.map((hint) => `  ${hint}`)]),
  ];
}

function ownerLines(found: StoreStats): string[] {
  const lines = [
    `waiting to be compacted: ${count(found.debtBytes, "byte")}`,
    `in memory: ${count(found.memtableBytes, "byte")} of memtables, ${count(found.tableMemoryBytes, "byte")} of ${count(found.openTables, "open table")}`,
  ];
  if (found.bytesFlushed > 0)
    lines.push(`moved from the log into tables by opening: ${count(found.bytesFlushed, "byte")}`);
  return lines;
}

function readerLines({ memtableBytes, logSegments }: ReadOnlyStats): string[] {
  return [
    `in the log, not in tables yet: ${count(memtableBytes, "byte")} of ${count(logSegments, "segment")}`,
  ];
}

/** Level-0 tables from which reads are slower than they need to be: twice what starts a compaction. */
const LEVEL0_MANY = 8;

function worthALook(found: Stats): string[] {
  const hints: string[] = [];
  if ("debtBytes" in found) {
    const { damagedTables, failure, debtBytes } = found;
    if (damagedTables.length > 0)
      hints.push(
        `damaged tables: ${damagedTables.join(", ")}. Run stillwater verify, then restore a backup.`,
      );
    if (failure !== null) hints.push(`background work fails: ${failure}`);
    const { bytes } = totalOf(found);
    if (debtBytes > bytes / 2 && debtBytes > 0)
      hints.push("more than half of the data waits to be compacted. Run stillwater compact at a quiet hour.");
  }
  const level0 = found.levels[0]?.tables ?? 0;
  if (level0 >= LEVEL0_MANY)
    hints.push(`level 0 has ${level0} tables, and each read asks all of them. Compaction is behind.`);
  return hints;
}

export interface Total {
  readonly tables: number;
  readonly bytes: number;
  /** Rows: every version, deletes included. */
  readonly entries: number;
}

export function totalOf({ levels }: Pick<StoreStats, "levels">): Total {
  const sum = (name: keyof Total): number => levels.reduce((total, level) => total + level[name], 0);
  return { tables: sum("tables"), bytes: sum("bytes"), entries: sum("entries") };
}

const BAR_CELLS = 30;

function tableLines(rows: readonly (Total & { readonly level: string })[], all: Total): string[] {
  const body = rows.map((row) => {
    const share = all.bytes === 0 ? 0 : row.bytes / all.bytes;
    const bar = "█".repeat(Math.max(1, Math.round(share * BAR_CELLS)));
    return `${cells(row.level, row)}  ${bar} ${Math.round(share * 100)} %`;
  });
  return [tableLine(["level", "tables", "rows", "bytes"]), ...body, cells("all", all)];
}

function cells(level: string, { tables, entries, bytes }: Total): string {
  return tableLine([level, grouped(tables), grouped(entries), grouped(bytes)]);
}

function tableLine(texts: readonly string[]): string {
  return texts.map((text, i) => (i === 0 ? text.padEnd(6) : text.padStart(16))).join("");
}

function grouped(number: number): string {
  return number.toLocaleString("en-US");
}
