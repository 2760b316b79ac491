// Draws what main.mjs and growth.mjs have measured as SVG files that follow the reader's theme.
//   node bench/plots.mjs bench/results/bench.json docs/images [bench/results/growth.json]
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROWS } from "./rows.mjs";

const [benchFile, folder, growthFile] = process.argv.slice(2);
const bench = JSON.parse(readFileSync(benchFile, "utf8"));
mkdirSync(folder, { recursive: true });

const ENGINES = ["stillwater", "classic-level", "lmdb", "better-sqlite3", "memory-level"];
const TITLES = {
  writes: "Writes, not synced",
  durable: "Durable writes",
  reads: "Point reads",
  scans: "Scans and ranges",
  mixed: "YCSB and transactions",
};
const REFERENCE = "classic-level";

/** Colours that can be told apart by most people, in both themes (Okabe and Ito). */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .small { font-size: 11px; fill: #59636e; }
  .grid { stroke: #d1d9e0; } .one { stroke: #59636e; stroke-dasharray: 3 3; }
  .back { fill: #ffffff; } .band { fill: #f6f8fa; }
  .e0 { fill: #0072b2; stroke: #0072b2; } .e1 { fill: #d55e00; stroke: #d55e00; } .e2 { fill: #009e73; stroke: #009e73; }
  .e3 { fill: #cc79a7; stroke: #cc79a7; } .e4 { fill: #8c8c00; stroke: #8c8c00; }
  .e5 { fill: #6e4fbf; stroke: #6e4fbf; } .e6 { fill: #59636e; stroke: #59636e; }
  .line { fill: none; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .small { fill: #9198a1; } .grid { stroke: #3d444d; } .one { stroke: #9198a1; }
    .back { fill: #0d1117; } .band { fill: #151b23; }
    .e0 { fill: #56b4e9; stroke: #56b4e9; } .e1 { fill: #e69f00; stroke: #e69f00; } .e2 { fill: #2fd3a2; stroke: #2fd3a2; }
    .e3 { fill: #e79fc6; stroke: #e79fc6; } .e4 { fill: #d7d75a; stroke: #d7d75a; }
    .e5 { fill: #b39ddb; stroke: #b39ddb; } .e6 { fill: #9198a1; stroke: #9198a1; }
  }`;

const escaped = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const document = (width, height, label, body) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label)}">` +
  `<style>${STYLE}</style><rect class="back" width="${width}" height="${height}" rx="6"/>${body}</svg>\n`;

const short = (value) => {
  if (value >= 1e6) return `${(value / 1e6).toFixed(value >= 1e7 ? 0 : 1)} M`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(value >= 1e5 ? 0 : 1)} k` : value.toFixed(0);
};

for (const [group, title] of Object.entries(TITLES)) {
  const rows = Object.entries(ROWS)
    .filter(([row, { group: own, unit }]) => own === group && unit === "/s" && bench.medians.stillwater[row])
    .filter(([row]) => ENGINES.some((engine) => engine !== "stillwater" && bench.medians[engine]?.[row]))
    .map(([row]) => row);
  if (rows.length > 0) writeFileSync(join(folder, `bench-${group}.svg`), dots(title, rows));
}
if (growthFile !== undefined) {
  const growth = JSON.parse(readFileSync(growthFile, "utf8"));
  writeFileSync(join(folder, "bench-growth.svg"), lines(growth));
}

/** One line a workload, one dot an engine: how many times as fast as LevelDB, on a logarithmic axis. */
function dots(title, rows) {
  const [width, left, right, top, step] = [860, 210, 90, 84, 30];
  const height = top + rows.length * step + 46;
  const relative = (row, engine) => {
    const value = bench.medians[engine]?.[row];
    // LevelDB has no cursor without copies: its scan stands for it.
    const base = bench.medians[REFERENCE]?.[row === "scan by cursor" ? "scan" : row];
    return value === undefined || base === undefined ? undefined : value / base;
  };
  const all = rows
    .flatMap((row) => ENGINES.map((engine) => relative(row, engine)))
    .filter((ratio) => ratio > 0);
  const low = Math.log10(Math.min(0.5, ...all)) - 0.05;
  const high = Math.log10(Math.max(2, ...all)) + 0.05;
  const x = (ratio) => left + ((Math.log10(ratio) - low) / (high - low)) * (width - left - right);
  const marks = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].filter(
    (mark) => Math.log10(mark) >= low && Math.log10(mark) <= high,
  );
  let body = `<text class="title" x="16" y="28">${escaped(title)}</text>`;
  body += `<text class="small" x="16" y="46">times as fast as ${REFERENCE}; right is faster. On the right: Stillwater, operations a second</text>`;
  ENGINES.forEach((engine, i) => {
    body += `<circle class="e${i}" cx="${24 + i * 130}" cy="62" r="5"/><text class="small" x="${34 + i * 130}" y="66">${engine}</text>`;
  });
  rows.forEach((row, i) => {
    if (i % 2 === 0)
      body += `<rect class="band" x="0" y="${top + i * step}" width="${width}" height="${step}"/>`;
  });
  for (const mark of marks) {
    const at = x(mark).toFixed(1);
    body += `<line class="${mark === 1 ? "one" : "grid"}" x1="${at}" x2="${at}" y1="${top}" y2="${top + rows.length * step}"/>`;
    body += `<text class="small" x="${at}" y="${top + rows.length * step + 16}" text-anchor="middle">${mark}×</text>`;
  }
  rows.forEach((row, i) => {
    const y = top + i * step + step / 2;
    body += `<text x="${left - 10}" y="${y + 4}" text-anchor="end">${escaped(row)}</text>`;
    for (const [at, engine] of [...ENGINES.entries()].reverse()) {
      const ratio = relative(row, engine);
      if (ratio === undefined) continue;
      body += `<circle class="e${at}" cx="${x(ratio).toFixed(1)}" cy="${y}" r="${at === 0 ? 7 : 5}"/>`;
    }
    body += `<text x="${width - 16}" y="${y + 4}" text-anchor="end">${short(bench.medians.stillwater[row])}</text>`;
  });
  const { node, processors, date } = bench.machine;
  const said = `${bench.entries.toLocaleString("en-US")} entries of 16 B + 100 B, median of ${bench.rounds}; Node ${node}, ${processors}, ${date.slice(0, 10)}`;
  body += `<text class="small" x="16" y="${height - 10}">${escaped(said)}</text>`;
  return document(width, height, `${title}: speed relative to ${REFERENCE}`, body);
}

/** Microseconds an operation over the number of entries, both logarithmic. */
function lines({ sizes, rows, machine }) {
  const [width, height, left, right, top, bottom] = [860, 400, 70, 250, 70, 60];
  const names = Object.keys(rows);
  const all = names.flatMap((name) => rows[name]);
  const low = Math.floor(Math.log10(Math.min(...all)) * 2) / 2;
  const high = Math.ceil(Math.log10(Math.max(...all)) * 2) / 2;
  const first = Math.log10(sizes[0]);
  const last = Math.log10(sizes.at(-1));
  const x = (size) => left + ((Math.log10(size) - first) / (last - first)) * (width - left - right);
  const y = (cost) => height - bottom - ((Math.log10(cost) - low) / (high - low)) * (height - top - bottom);
  let body = '<text class="title" x="16" y="28">Cost of an operation as the store grows</text>';
  body +=
    '<text class="small" x="16" y="46">microseconds an operation; flat is good. Cache 256 MiB: the last size is several times as large</text>';
  for (const mark of [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200]) {
    if (Math.log10(mark) < low || Math.log10(mark) > high) continue;
    body += `<line class="grid" x1="${left}" x2="${width - right}" y1="${y(mark)}" y2="${y(mark)}"/>`;
    body += `<text class="small" x="${left - 8}" y="${y(mark) + 4}" text-anchor="end">${mark} µs</text>`;
  }
  for (const size of sizes)
    body += `<text class="small" x="${x(size)}" y="${height - bottom + 20}" text-anchor="middle">${short(size)}</text>`;
  // Labels must not lie upon each other.
  const ends = names.map((name, i) => ({ name, i, at: y(rows[name].at(-1)) })).sort((a, b) => a.at - b.at);
  ends.forEach((end, i) => {
    if (i > 0) end.at = Math.max(end.at, ends[i - 1].at + 16);
  });
  for (const { name, i, at } of ends) {
    const points = sizes.map((size, j) => `${x(size).toFixed(1)},${y(rows[name][j]).toFixed(1)}`);
    body += `<polyline class="e${i % 7} line" style="fill:none" points="${points.join(" ")}"/>`;
    for (const point of points)
      body += `<circle class="e${i % 7}" cx="${point.split(",")[0]}" cy="${point.split(",")[1]}" r="4"/>`;
    body += `<text x="${width - right + 14}" y="${at + 4}">${escaped(name)}</text>`;
  }
  const said = `entries of 16 B + 100 B; Node ${machine.node}, ${machine.processors}, ${machine.date.slice(0, 10)}`;
  body += `<text class="small" x="16" y="${height - 10}">${escaped(said)}</text>`;
  return document(width, height, "Cost of an operation as the store grows", body);
}
