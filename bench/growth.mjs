// How the cost of an operation grows with the store: the same workloads at three sizes, each in processes of its own.
//   node bench/growth.mjs [--sizes 100000,1000000,10000000] [--json FILE]
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { arch, cpus, platform, release, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { sizes: { type: "string", default: "100000,1000000,10000000" }, json: { type: "string" } },
});
const sizes = values.sizes.split(",").map(Number);
const SHOWN = ["fill random, settled", "get, uniform", "get, hot 1,000", "get, missing", "scan"];
const SPACE = [
  "bytes written per byte",
  "disk after filling",
  "peak memory of filling MiB",
  "peak memory of reading MiB",
];

const found = sizes.map((size) => {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-bench-"));
  const result = {};
  try {
    for (const phase of ["random", "reads"]) {
      const worker = [join(import.meta.dirname, "worker.mjs"), "stillwater", directory, String(size), phase];
      const child = spawnSync(process.execPath, worker, {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      });
      if (child.status !== 0) throw new Error(`${phase} of ${size} ended with status ${child.status}`);
      Object.assign(result, JSON.parse(child.stdout));
      process.stderr.write(`${size}, ${phase}: done\n`);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return result;
});

const rows = Object.fromEntries(SHOWN.map((row) => [row, found.map((result) => 1e6 / result[row])]));
for (const row of ["range of 10", "range of 100"]) rows[row] = found.map((result) => 1e6 / result[row]);
const machine = {
  date: new Date().toISOString(),
  node: process.version,
  system: `${platform()} ${release()} ${arch()}`,
  processors: `${cpus().length} × ${cpus()[0]?.model}`,
};
console.log("microseconds an operation");
console.table(
  Object.fromEntries(
    Object.entries(rows).map(([row, costs]) => [
      row,
      Object.fromEntries(sizes.map((size, i) => [size, Number(costs[i].toFixed(2))])),
    ]),
  ),
);
console.table(
  Object.fromEntries(
    SPACE.map((row) => [
      row,
      Object.fromEntries(sizes.map((size, i) => [size, Number(found[i][row]?.toFixed(2))])),
    ]),
  ),
);
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ machine, sizes, rows, raw: found }, null, 1)}\n`);
