/**
 * Imports every file below a directory into a store, path -> content, in durable batches, and survives being killed.
 *
 *   node examples/import-tree.mjs --store ./tree.db --acks ./tree.acks [--from node_modules]
 *        [--batch-files 64] [--kill-after BATCHES] [--check]
 *
 * What the store has acknowledged is noted in a plain side file (one JSON line a file, with its SHA-256). A run that
 * finds such notes proves each of them against the store before it goes on where the last one stopped.
 * --kill-after N: kills itself with SIGKILL while the commit after the Nth is under way.
 * --check: imports nothing; compares the whole store with the directory, byte for byte and in both directions.
 * Prints a line of JSON when the notes have been proved and one at the end; exit code 1 if anything that had been
 * acknowledged is missing or different.
 */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { parseArgs } from "node:util";
import { Batch, open } from "stillwater";

/** Longer files are stored in parts of this size. */
const PART_BYTES = 1024 * 1024;
const BATCH_BYTES = 4 * 1024 * 1024;

const { values: options } = parseArgs({
  options: {
    store: { type: "string" },
    acks: { type: "string" },
    from: { type: "string", default: "node_modules" },
    "batch-files": { type: "string", default: "64" },
    "kill-after": { type: "string" },
    check: { type: "boolean", default: false },
  },
});
if (options.store === undefined || options.acks === undefined) {
  console.error("usage: node examples/import-tree.mjs --store DIR --acks FILE [--from DIR] [--check]");
  process.exit(2);
}

const startedMs = performance.now();
const store = await open(options.store);
const summary = options.check ? checkTree() : await importTree();
await store.close();
const seconds = Number(((performance.now() - startedMs) / 1000).toFixed(2));
console.log(JSON.stringify({ ...summary, seconds }));
process.exitCode = summary.faults.length === 0 ? 0 : 1;

async function importTree() {
  const acknowledged = readAcknowledged();
  const faults = [];
  for (const { path, sha256 } of acknowledged.values()) {
    const content = readStored(path);
    if (content === null) faults.push(`${path} was acknowledged, but is not in the store`);
    else if (digest(content) !== sha256) faults.push(`${path} was acknowledged, but has other content now`);
  }
  const proved = acknowledged.size;
  console.log(JSON.stringify({ proved, faults, commitsRecovered: store.recovery.commitsReplayed }));
  if (faults.length > 0) return { proved, imported: 0, bytes: 0, faults };

  const killAfter =
    options["kill-after"] === undefined ? Number.POSITIVE_INFINITY : Number(options["kill-after"]);
  const batchFiles = Number(options["batch-files"]);
  const batch = new Batch();
  let notes = [];
  let batches = 0;
  let imported = 0;
  let bytes = 0;
  const commit = async () => {
    if (notes.length === 0) return;
    const durable = store.write(batch);
    if (batches === killAfter) process.kill(process.pid, "SIGKILL");
    await durable;
    // Only now may anybody be told.
    appendFileSync(options.acks, notes.join(""));
    batches++;
    imported += notes.length;
    batch.clear();
    notes = [];
  };
  for (const path of filesBelow(options.from)) {
    if (acknowledged.has(path)) continue;
    const content = readFileSync(join(options.from, path));
    // All parts of a file are in one batch, so a file is in the store whole or not at all.
    for (let part = 0; part === 0 || part * PART_BYTES < content.length; part++) {
      batch.put(partKey(path, part), content.subarray(part * PART_BYTES, (part + 1) * PART_BYTES));
    }
    notes.push(`${JSON.stringify({ path, sha256: digest(content) })}\n`);
    bytes += content.length;
    if (notes.length >= batchFiles || batch.byteLength >= BATCH_BYTES) await commit();
  }
  await commit();
  return { proved, imported, bytes, faults };
}

/** The store and the directory hold the same files with the same bytes, and nothing else. */
function checkTree() {
  const faults = [];
  const expected = new Set(filesBelow(options.from));
  let bytes = 0;
  for (const path of expected) {
    const content = readStored(path);
    if (content === null) faults.push(`${path} is not in the store`);
    else if (!content.equals(readFileSync(join(options.from, path)))) faults.push(`${path} differs`);
    bytes += content?.length ?? 0;
  }
  for (const [key] of store.scan()) {
    const path = key.toString("utf8", 0, key.length - 5);
    if (!expected.has(path)) faults.push(`${path} is in the store, but not in the directory`);
  }
  return { compared: expected.size, bytes, faults };
}

/** What earlier runs have been told is durable. A last line that was cut off by a kill says nothing and is removed. */
function readAcknowledged() {
  if (!existsSync(options.acks)) return new Map();
  const text = readFileSync(options.acks, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) truncateSync(options.acks, Buffer.byteLength(whole));
  const notes = whole
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  return new Map(notes.map((note) => [note.path, note]));
}

/** The content of a file, put together from its parts; null when it has none. */
function readStored(path) {
  const parts = store.scan({ gte: partKey(path, 0), lt: Buffer.from(`${path}\x01`) }).toArray();
  return parts.length === 0 ? null : Buffer.concat(parts.map(([, value]) => value));
}

/** A path holds no zero byte, so the parts of a file stand together, in order, and apart from other files. */
function partKey(path, part) {
  return Buffer.from(`${path}\0${String(part).padStart(4, "0")}`);
}

function digest(content) {
  return createHash("sha256").update(content).digest("hex");
}

/** Regular files, with "/" between parts, sorted. Not those in hidden folders, where tools may write meanwhile. */
function filesBelow(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => !/(?:^|\/)\./.test(path))
    .filter((path) => statSync(join(directory, path)).size < 9999 * PART_BYTES)
    .sort();
}
