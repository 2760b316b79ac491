// What each durability costs (docs/guides/durability.md): commits of one row of 100 bytes a second, alone and 64 at once, in one
// process over one disk; medians of rounds in turns, and the bare `fdatasync` of the same disk to compare with.
//   node bench/durability.mjs [--rounds 5] [--ms 400] [--directory DIR]
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { open } from "../dist/src/index.js";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    ms: { type: "string", default: "400" },
    directory: { type: "string", default: tmpdir() },
  },
});
const folder = mkdtempSync(join(values.directory, "stillwater-durability-"));
const value = new Uint8Array(100).fill(7);
const sound = await open(join(folder, "sound"));
const none = await open(join(folder, "none"), { durability: "none" });
const file = openSync(join(folder, "bare"), "w");

let next = 0;
const put = (store, options) => () => store.put(Buffer.from(`key/${next++ % 100_000}`), value, options);
const cases = [
  ["write and fdatasync of a file, alone", 1, () => (writeSync(file, value), fdatasyncSync(file))],
  ["sync, alone", 1, put(sound, {})],
  ["sync, 64 at once", 64, put(sound, {})],
  ["buffered, alone", 1, put(sound, { durability: "buffered" })],
  ["buffered, 64 at once", 64, put(sound, { durability: "buffered" })],
  ["none (whole store), alone", 1, put(none)],
  ["none (whole store), 64 at once", 64, put(none)],
];

/** Commits a second of so many committers, each waiting for its own. */
async function rate(committers, body) {
  let done = 0;
  const began = performance.now();
  const end = began + Number(values.ms);
  const committer = async () => {
    for (; performance.now() < end; done++) await body();
  };
  await Promise.all(Array.from({ length: committers }, committer));
  return (done / (performance.now() - began)) * 1000;
}

const rates = new Map(cases.map(([name]) => [name, []]));
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [name, committers, body] of cases) rates.get(name).push(await rate(committers, body));
}
for (const [name, all] of rates) {
  const median = all.sort((a, b) => a - b)[all.length >> 1];
  console.log(`${name.padEnd(38)} ${Math.round(median).toLocaleString("en").padStart(9)} a second`);
}
closeSync(file);
await sound.close();
await none.close();
rmSync(folder, { recursive: true });
