// `npm run bench:records`: a million documents of some 300 bytes with three scalar indexes, beside better-sqlite3 in one run; then an
// index is added while somebody writes, and all are scrubbed. Each engine in a process of its own; ratios are what counts.
//   node bench/records.mjs [--documents 1000000] [--quick] [--json FILE]
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    documents: { type: "string", default: "1000000" },
    quick: { type: "boolean", default: false },
    json: { type: "string" },
  },
});
const documents = values.quick ? 20_000 : Number(values.documents);
const PEAK_BYTES_MAX = 512 * 1024 * 1024;

if (!existsSync(join(import.meta.dirname, "node_modules/better-sqlite3"))) {
  throw new Error("better-sqlite3 is missing. Install it beside the benchmarks: npm ci --prefix bench");
}

function run(engine) {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-bench-"));
  try {
    const child = spawnSync(
      process.execPath,
      [join(import.meta.dirname, "records-worker.mjs"), engine, directory, String(documents)],
      { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
    );
    if (child.status !== 0) throw new Error(`the ${engine} benchmark ended with status ${child.status}`);
    return JSON.parse(child.stdout);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const ours = run("stillwater");
const theirs = run("better-sqlite3");
const micro = (time, operations) => Number(((time * 1e6) / operations).toFixed(1));
const row = (workload, operations, a, b) => ({
  workload,
  "stillwater µs": micro(a.s, operations),
  "better-sqlite3 µs": micro(b.s, operations),
  "times as long": Number((a.s / b.s).toFixed(2)),
  "CPU time": Number((a.cpuS / b.cpuS).toFixed(2)),
});
const table = [
  row("load, in durable batches of 1,000", documents, ours.load, theirs.load),
  row("point read by the unique index", ours.lookups, ours.unique, theirs.unique),
  row("range by an index, 100 documents", ours.ranges, ours.range, theirs.range),
  row("index added (ours beside a writer)", documents, ours.build, theirs.build),
];
const mib = (bytes) => Math.round(bytes / 1024 / 1024);
console.log(`${documents} documents, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`);
console.table(table);
console.log(`load ${ours.load.s.toFixed(1)} s (${ours.load.cpuS.toFixed(1)} s of CPU)`);
console.log(
  `index added in ${ours.build.s.toFixed(1)} s (${ours.build.cpuS.toFixed(1)} s of CPU) beside ${ours.build.writes} durable writes`,
);
console.log(`four indexes scrubbed in ${ours.scrub.s.toFixed(1)} s (${ours.scrub.cpuS.toFixed(1)} s of CPU)`);
console.log(
  `peak resident memory ${mib(ours.peakRssBytes)} MiB, better-sqlite3 ${mib(theirs.peakRssBytes)} MiB`,
);
if (values.json !== undefined) {
  writeFileSync(
    values.json,
    `${JSON.stringify({ documents, node: process.version, stillwater: ours, "better-sqlite3": theirs, table }, null, 2)}\n`,
  );
}
if (ours.documents !== documents || theirs.documents !== documents) throw new Error("documents are missing");
if (ours.peakRssBytes > PEAK_BYTES_MAX) throw new Error(`more than ${mib(PEAK_BYTES_MAX)} MiB at the peak`);
