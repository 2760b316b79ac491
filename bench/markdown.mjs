// Writes docs/BENCHMARKS.md out of what main.mjs and growth.mjs have measured; what is missed and why is told by hand.
//   node bench/markdown.mjs bench/results/bench.json bench/results/growth.json docs/BENCHMARKS.md
import { readFileSync, writeFileSync } from "node:fs";
import { ROWS } from "./rows.mjs";

const [benchFile, growthFile, target] = process.argv.slice(2);
const bench = JSON.parse(readFileSync(benchFile, "utf8"));
const growth = JSON.parse(readFileSync(growthFile, "utf8"));
const engines = Object.keys(bench.medians);
const { machine } = bench;

const number = (value, unit) => {
  if (value === undefined) return "";
  if (unit === "/s" && value >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
};
const row = (cells) => `| ${cells.join(" | ")} |`;
/** The first column is text, the others are numbers. */
const table = (head, rows) =>
  [row(head), row(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(row)].join("\n");
const spread = (numbers) => {
  if (numbers === undefined || numbers.length < 2) return "";
  return `±${((100 * (Math.max(...numbers) - Math.min(...numbers))) / 2 / median(numbers)).toFixed(0)} %`;
};
function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

const shown = Object.entries(ROWS).filter(([name]) =>
  engines.some((engine) => bench.medians[engine][name] !== undefined),
);
const main = table(
  ["workload", "unit", ...engines, "spread of ours"],
  shown.map(([name, { unit }]) => [
    name,
    unit,
    ...engines.map((engine) => number(bench.medians[engine][name], unit)),
    spread(bench.results.stillwater[name]),
  ]),
);
const VERDICTS = { aim: "aim reached", floor: "above its floor", missed: "**below its floor**" };
const goals = table(
  ["workload", "beside", "ratio", "floor", "aim", ""],
  bench.goals.map(({ row: name, against, ratio, floor, aim, verdict }) => [
    name,
    against,
    ratio.toFixed(2),
    floor,
    Number(aim.toFixed(2)),
    VERDICTS[verdict],
  ]),
);
const count = (verdict) => bench.goals.filter((goal) => goal.verdict === verdict).length;
const settings = table(
  ["engine", "version", "durable rows", "all other rows"],
  engines.map((engine) => [
    engine,
    machine.versions[engine] ?? "this tree",
    bench.settings[engine].durable ?? "none",
    bench.settings[engine].buffered,
  ]),
);
const grown = table(
  ["µs an operation", ...growth.sizes.map((size) => size.toLocaleString("en-US"))],
  Object.entries(growth.rows).map(([name, costs]) => [name, ...costs.map((cost) => cost.toFixed(2))]),
);
writeFileSync(
  target,
  `# Benchmarks

Written by \`node bench/markdown.mjs\`; do not edit. Raw results: [bench/results](../bench/results). To measure again: \`npm run bench\`
(about a quarter of an hour), \`npm run bench -- --quick\` (a minute), \`npm run bench:growth\`.

- ${bench.entries.toLocaleString("en-US")} entries of 16 B keys and 100 B values; medians of ${bench.rounds}, engines taking turns, each phase of each engine in a process of its own
- ${machine.processors}, ${machine.memoryGib} GiB, ${machine.system}, Node ${machine.node}, ${machine.date.slice(0, 10)}
- Everything lies in the page cache, as on any machine with more memory than data; what is synced goes to the machine's disk
- A shared machine: believe ratios, not absolute numbers

![Point reads](images/bench-reads.svg)
![Scans and ranges](images/bench-scans.svg)
![Writes, not synced](images/bench-writes.svg)
![Durable writes](images/bench-durable.svg)
![YCSB](images/bench-mixed.svg)
![Cost as the store grows](images/bench-growth.svg)

## Equal durability

${settings}

## Results

${main}

## Goals

Ratios above 1: Stillwater is ahead; for times, how far below the bound. ${count("aim")} of ${bench.goals.length} aims reached, ${count("floor")} between floor
and aim, ${count("missed")} below their floor.

${goals}

## Cost as the store grows

${grown}
`,
);
