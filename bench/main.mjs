// `npm run bench`: Stillwater beside classic-level (LevelDB) in one run. Each engine runs each round in a process of its
// own, rounds alternate, and what is reported are medians and ratios: absolute numbers of a shared machine mean little.
//   node bench/main.mjs [--entries 1000000] [--rounds 3] [--json FILE]
// Equal durability: "durable" is `sync` on both sides; the fills are `buffered` here and LevelDB's default (not synced).
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { arch, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    entries: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "3" },
    json: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const entries = values.quick ? 100_000 : Number(values.entries);
const rounds = values.quick ? 1 : Number(values.rounds);
const engines = ["stillwater", "classic-level"];

const results = new Map(engines.map((engine) => [engine, []]));
for (let round = 0; round < rounds; round++) {
  for (const engine of round % 2 === 0 ? engines : engines.toReversed()) {
    const directory = mkdtempSync(join(tmpdir(), "stillwater-bench-"));
    const child = spawnSync(
      process.execPath,
      [join(import.meta.dirname, "worker.mjs"), engine, directory, String(entries)],
      { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
    );
    rmSync(directory, { recursive: true, force: true });
    if (child.status !== 0) throw new Error(`the ${engine} benchmark ended with status ${child.status}`);
    results.get(engine).push(JSON.parse(child.stdout));
    process.stderr.write(`round ${round + 1}/${rounds}: ${engine} done\n`);
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const workloads = Object.keys(results.get("stillwater")[0]);
const table = workloads.map((workload) => {
  const [ours, theirs] = engines.map((engine) => median(results.get(engine).map((round) => round[workload])));
  const better = workload.startsWith("memory") ? theirs / ours : ours / theirs;
  return {
    workload,
    stillwater: Math.round(ours),
    "classic-level": Math.round(theirs),
    ratio: Number(better.toFixed(2)),
  };
});
console.log(
  `${entries} entries of 16 B + 100 B, median of ${rounds}, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model} (${arch()})`,
);
console.log("operations per second (memory: MiB); ratio above 1: Stillwater is ahead");
console.table(table);
if (values.json !== undefined) {
  writeFileSync(
    values.json,
    `${JSON.stringify({ entries, node: process.version, rounds: Object.fromEntries(results), table }, null, 2)}\n`,
  );
}
