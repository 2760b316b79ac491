// `npm run bench`: Stillwater beside what Node users have today, in one run. Each phase of each engine is a process of its own, engines
// take turns, rounds begin with another one, and what is reported are medians, their spread, and ratios: absolute numbers of a shared
// machine mean little. Durability is equal within a row; which setting that is for whom is in engines/.
//   node bench/main.mjs [--quick] [--entries 1000000] [--rounds 3] [--engines a,b] [--phases a,b] [--json FILE] [--compare FILE]
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { arch, cpus, platform, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { goals, ROWS } from "./rows.mjs";

const { values } = parseArgs({
  options: {
    entries: { type: "string" },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
    engines: { type: "string", default: "stillwater,classic-level,lmdb,better-sqlite3,memory-level" },
    phases: { type: "string" },
    json: { type: "string" },
    compare: { type: "string" },
  },
});
const entries = Number(values.entries ?? (values.quick ? 50_000 : 1_000_000));
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const engines = values.engines.split(",");

/** Phases over one directory, one after the other. What is joined by a plus runs in one process. */
const CHAINS = [
  ["sequential"],
  ["chained"],
  ["random", "reads", "small cache", "mixed", "open", "compaction", "deletes"],
  ["durable"],
  ["transactions"],
  ["crash", "recovery"],
];
/** It keeps nothing, so what belongs together runs in one process, and some phases say nothing of it. */
const VOLATILE_CHAINS = [["sequential"], [], ["random+reads+mixed+deletes"], [], [], []];
const ONLY = { chained: "classic-level", transactions: "stillwater" };

if (!existsSync(join(import.meta.dirname, "node_modules/lmdb")))
  throw new Error("the peers are missing. Install them beside the benchmarks: npm ci --prefix bench");

const wanted = values.phases?.split(",");
const results = Object.fromEntries(engines.map((engine) => [engine, {}]));
for (let round = 0; round < rounds; round++) {
  const order = engines.map((_, i) => engines[(i + round) % engines.length]);
  CHAINS.forEach((chain, at) => {
    if (wanted !== undefined && !chain.some((phase) => wanted.includes(phase))) return;
    for (const engine of order) {
      const own = engine === "memory-level" ? VOLATILE_CHAINS[at] : chain;
      if (ONLY[own[0]] === undefined || ONLY[own[0]] === engine) runChain(engine, own, round);
    }
  });
}

function runChain(engine, chain, round) {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-bench-"));
  try {
    for (const phases of chain) {
      const begin = performance.now();
      const worker = [join(import.meta.dirname, "worker.mjs"), engine, directory, String(entries), phases];
      const child = spawnSync(process.execPath, worker, {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      });
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      process.stderr.write(`round ${round + 1}/${rounds}: ${engine}, ${phases}: ${seconds} s\n`);
      if (phases === "crash" && child.signal === "SIGKILL") continue;
      if (child.status !== 0) throw new Error(`${engine}, ${phases}, ended with status ${child.status}`);
      for (const [row, value] of Object.entries(JSON.parse(child.stdout))) {
        if (ROWS[row] === undefined) throw new Error(`rows.mjs does not know "${row}"`);
        const known = results[engine][row];
        if (known === undefined) results[engine][row] = [value];
        else known.push(value);
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const medians = Object.fromEntries(
  engines.map((engine) => [
    engine,
    Object.fromEntries(Object.entries(results[engine]).map(([row, numbers]) => [row, median(numbers)])),
  ]),
);

const versionOf = (name) =>
  JSON.parse(readFileSync(join(import.meta.dirname, "node_modules", name, "package.json"), "utf8")).version;
const machine = {
  date: new Date().toISOString(),
  node: process.version,
  system: `${platform()} ${release()} ${arch()}`,
  processors: `${cpus().length} × ${cpus()[0]?.model}`,
  memoryGib: Math.round(totalmem() / 1024 ** 3),
  versions: Object.fromEntries(
    engines.filter((engine) => engine !== "stillwater").map((engine) => [engine, versionOf(engine)]),
  ),
};
const reached = goals(medians);
report();
if (values.json !== undefined) {
  const settings = {};
  for (const engine of engines) settings[engine] = (await import(`./engines/${engine}.mjs`)).settings;
  const all = { machine, entries, rounds, settings, results, medians, goals: reached };
  writeFileSync(values.json, `${JSON.stringify(all, null, 1)}\n`);
}
if (values.compare !== undefined) compare(JSON.parse(readFileSync(values.compare, "utf8")));

function report() {
  const shown = (value, unit) => {
    if (value === undefined) return "";
    if (unit === "/s") return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(1);
    return value.toFixed(value < 10 ? 2 : 0);
  };
  console.log(`${entries.toLocaleString("en-US")} entries of 16 B + 100 B, median of ${rounds}`);
  console.log(`${machine.node}, ${machine.processors}, ${machine.system}`);
  const rows = Object.entries(ROWS).filter(([row]) =>
    engines.some((engine) => medians[engine][row] !== undefined),
  );
  console.table(
    Object.fromEntries(
      rows.map(([row, { unit }]) => [
        `${row} (${unit})`,
        Object.fromEntries(engines.map((engine) => [engine, shown(medians[engine][row], unit)])),
      ]),
    ),
  );
  console.table(
    reached.map(({ row, against, ratio, floor, aim, verdict }) => ({
      row,
      against,
      ratio: Number(ratio.toFixed(2)),
      floor,
      aim: Number(aim.toFixed(2)),
      verdict,
    })),
  );
  const count = (verdict) => reached.filter((goal) => goal.verdict === verdict).length;
  console.log(
    `${count("aim")} of ${reached.length} aims reached, ${count("floor")} between floor and aim, ${count("missed")} below their floor`,
  );
}

/** As information, never as a gate: ratios to peers beside those of a stored run. */
function compare(baseline) {
  const before = new Map(baseline.goals.map((goal) => [`${goal.row} / ${goal.against}`, goal.ratio]));
  console.log(`beside the run of ${baseline.machine.date} (${baseline.entries} entries):`);
  console.table(
    Object.fromEntries(
      reached
        .filter((goal) => before.has(`${goal.row} / ${goal.against}`))
        .map((goal) => {
          const was = before.get(`${goal.row} / ${goal.against}`);
          const change = `${((goal.ratio / was - 1) * 100).toFixed(0)} %`;
          return [
            `${goal.row} / ${goal.against}`,
            { was: Number(was.toFixed(2)), is: Number(goal.ratio.toFixed(2)), change },
          ];
        }),
    ),
  );
}
