/** How the store is, at a glance: what stands still as figures, what moves as plots, and the levels. */
import type { MetricsSnapshot, Status, Tables } from "./answers.js";
import { byId, count, el } from "./dom.js";
import { gaugeOf, History, type Measure, quantileOf, rateOf, shareOf } from "./history.js";
import type { LevelsPicture } from "./levels.js";
import { amountText, durationText, millisecondsText, shareText, sizeText } from "./numbers.js";
import { Plot, type PlotOptions } from "./plot.js";

const MEASURES: Readonly<Record<string, Measure>> = {
  commits: rateOf("commits_total"),
  puts: rateOf("puts_total", "deletes_total"),
  reads: rateOf("gets_total"),
  scanned: rateOf("rows_scanned_total"),
  median: quantileOf("commit_latency_ms", 0.5),
  slow: quantileOf("commit_latency_ms", 0.99),
  flushed: rateOf("bytes_flushed_total"),
  compacted: rateOf("bytes_compacted_total"),
  memtable: gaugeOf("memtable_bytes"),
  cache: gaugeOf("cache_bytes"),
  debt: gaugeOf("debt_bytes"),
  wal: gaugeOf("wal_bytes"),
  hits: shareOf("cache_hits_total", "cache_misses_total"),
};

const perSecond = (value: number): string => `${amountText(value)} /s`;
const sizePerSecond = (value: number): string => `${sizeText(value)}/s`;

const PLOTS: readonly PlotOptions[] = [
  {
    title: "Commits",
    series: [
      { key: "commits", label: "commits" },
      { key: "puts", label: "rows written" },
    ],
    format: perSecond,
  },
  {
    title: "Reads",
    series: [
      { key: "reads", label: "gets" },
      { key: "scanned", label: "rows scanned" },
    ],
    format: perSecond,
  },
  {
    title: "Commit latency",
    series: [
      { key: "median", label: "median" },
      { key: "slow", label: "99 %" },
    ],
    format: millisecondsText,
  },
  {
    title: "Written to tables",
    series: [
      { key: "flushed", label: "flush" },
      { key: "compacted", label: "compaction" },
    ],
    format: sizePerSecond,
    isBytes: true,
  },
  {
    title: "Memory",
    series: [
      { key: "memtable", label: "memtables" },
      { key: "cache", label: "cache" },
    ],
    format: sizeText,
    isBytes: true,
  },
  {
    title: "Log and debt",
    series: [
      { key: "wal", label: "log" },
      { key: "debt", label: "compaction debt" },
    ],
    format: sizeText,
    isBytes: true,
  },
];

const WINDOWS_MIN = [2, 10, 30];
const GAP_POLLS = 3;

type Figure = readonly [name: string, value: string, more: string, isBad?: boolean];

/** Before the first answer. */
const UNKNOWN_FIGURES: readonly Figure[] = [
  "Data",
  "Tables",
  "Memtables",
  "Log",
  "Compaction debt",
  "Cache",
  "Held open",
  "Background",
].map((name): Figure => [name, "–", "\u00a0"]);

export class Overview {
  private readonly history: History;
  private readonly levels: LevelsPicture;
  private readonly plots: readonly Plot[];
  private readonly figures = byId("figures", HTMLDListElement);
  private windowMin = 2;
  private cursor: number | null = null;
  private hitShare: number | null = null;

  constructor(levels: LevelsPicture, pollMs: number) {
    this.levels = levels;
    this.history = new History(MEASURES, pollMs * GAP_POLLS);
    const choose = (cursor: number | null): void => {
      this.cursor = cursor;
      this.draw();
    };
    this.plots = PLOTS.map((options) => new Plot(options, choose));
    byId("plots", HTMLDivElement).append(...this.plots.map(({ element }) => element));
    this.fillFigures(UNKNOWN_FIGURES);
    this.fillWindows();
  }

  addMetrics(metrics: MetricsSnapshot, atMs: number): void {
    this.history.add(metrics, atMs);
    this.hitShare = this.history.points.at(-1)?.values["hits"] ?? this.hitShare;
    this.draw();
  }

  showStatus(status: Status): void {
    const { stats, wal } = status;
    const sum = (of: (level: (typeof stats.levels)[number]) => number): number =>
      stats.levels.reduce((total, level) => total + of(level), 0);
    const damaged = stats.damagedTables.length;
    const hits = stats.cacheHits + stats.cacheMisses;
    const items: readonly Figure[] = [
      ["Data", sizeText(sum(({ bytes }) => bytes)), `${count(sum(({ entries }) => entries))} entries`],
      [
        "Tables",
        count(sum(({ tables }) => tables)),
        damaged > 0 ? `${damaged} damaged` : `${stats.openTables} open`,
        damaged > 0,
      ],
      ["Memtables", sizeText(stats.memtableBytes), `${stats.immutableMemtables} waiting for a flush`],
      ["Log", count(wal.segments.length), wal.segments.length === 1 ? "segment" : "segments"],
      [
        "Compaction debt",
        sizeText(stats.debtBytes),
        stats.debtBytes === 0 ? "nothing to do" : "to be compacted",
      ],
      [
        "Cache",
        hits === 0 ? "–" : shareText(this.hitShare ?? stats.cacheHits / hits),
        this.hitShare === null ? "hits since the start" : "hits lately",
      ],
      ["Held open", count(stats.openSnapshots), `snapshots, ${stats.openIterators} iterators`],
      [
        "Background",
        count(stats.flushes + stats.compactions),
        stats.jobFailures > 0 ? `jobs, ${stats.jobFailures} failed` : "jobs, none failed",
        stats.jobFailures > 0,
      ],
    ];
    this.fillFigures(items);
  }

  private fillFigures(figures: readonly Figure[]): void {
    this.figures.replaceChildren(
      ...figures.map(([name, value, more, isBad = false]) =>
        el(
          "div",
          {},
          el("dt", {}, name),
          el("dd", {}, el("strong", {}, value), el("span", { class: isBad ? "bad" : "muted" }, more)),
        ),
      ),
    );
  }

  showTables(tables: Tables): void {
    this.levels.show(tables);
  }

  private draw(): void {
    for (const plot of this.plots) plot.draw(this.history.points, this.windowMin * 60_000, this.cursor);
  }

  private fillWindows(): void {
    const buttons = WINDOWS_MIN.map((minutes) => {
      const button = el(
        "button",
        { type: "button", "aria-pressed": String(minutes === this.windowMin) },
        durationText(minutes * 60_000).replace(" 0 s", ""),
      );
      button.addEventListener("click", () => {
        this.windowMin = minutes;
        for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
        this.draw();
      });
      return button;
    });
    byId("windows", HTMLDivElement).append(...buttons);
  }
}
