// What each number means: its unit, which way is better, and what we want of it beside a peer (shared/reference/engine.md, part c):
// [peer, floor, aim], as our number over the peer's where more is better, as the peer's over ours where less is. `own` is another row
// of ours instead of a peer. `limit` is an absolute [floor, aim].
const PER_SECOND = { unit: "/s", better: "more" };
const MILLISECONDS = { unit: "ms", better: "less" };
const MEBIBYTES = { unit: "MiB", better: "less" };
const TIMES = { unit: "×", better: "less" };

const CLASSIC = "classic-level";
const SQLITE = "better-sqlite3";
const MEMORY = "memory-level";

export const ROWS = {
  "fill sequential": {
    ...PER_SECOND,
    group: "writes",
    goals: [
      [CLASSIC, 1.2, 1.6],
      [SQLITE, 1.2, 1.8],
      [MEMORY, 2, 3],
    ],
  },
  "fill sequential, chained": { ...PER_SECOND, group: "writes" },
  "fill random": {
    ...PER_SECOND,
    group: "writes",
    goals: [
      [CLASSIC, 1.7, 2.3],
      [SQLITE, 8, 12],
      [MEMORY, 3, 4.5],
    ],
  },
  "fill random, settled": { ...PER_SECOND, group: "writes", goals: [[CLASSIC, 1.4, 1.8]] },
  "fill random, CPU s": { unit: "s", better: "less", group: "writes" },
  "overwrite random": { ...PER_SECOND, group: "writes" },
  "put, one by one": { ...PER_SECOND, group: "writes" },
  "put, 64 in flight": { ...PER_SECOND, group: "writes" },
  delete: { ...PER_SECOND, group: "writes" },
  "durable batches of 1,000": {
    ...PER_SECOND,
    group: "durable",
    goals: [
      ["lmdb", 5, 7],
      [SQLITE, 8, 12],
    ],
  },
  "durable put, 1 committer": { ...PER_SECOND, group: "durable", goals: [[CLASSIC, 1, 1.15]] },
  "durable putSync": { ...PER_SECOND, group: "durable", goals: [[SQLITE, 1, 1.1]] },
  "durable put, 64 committers": {
    ...PER_SECOND,
    group: "durable",
    goals: [
      [CLASSIC, 6, 9],
      ["lmdb", 3, 4.5],
    ],
  },
  "durable put p99 ms": { ...MILLISECONDS, group: "durable" },
  "get, uniform": {
    ...PER_SECOND,
    group: "reads",
    goals: [
      [CLASSIC, 1.5, 2],
      ["lmdb", 0.85, 1.1],
      [SQLITE, 2, 3],
      [MEMORY, 1.5, 2.3],
    ],
  },
  "get, Zipfian": { ...PER_SECOND, group: "reads" },
  "get, hot 1,000": {
    ...PER_SECOND,
    group: "reads",
    goals: [
      [CLASSIC, 2.5, 3.5],
      ["lmdb", 0.8, 1],
    ],
  },
  "get, missing": {
    ...PER_SECOND,
    group: "reads",
    goals: [
      [CLASSIC, 2, 3],
      ["lmdb", 2.5, 4],
    ],
  },
  "get, awaited": {
    ...PER_SECOND,
    group: "reads",
    goals: [
      [CLASSIC, 8, 13],
      [MEMORY, 2, 3],
    ],
  },
  "get, 64 in flight": { ...PER_SECOND, group: "reads" },
  "getMany of 1,000": { ...PER_SECOND, group: "reads" },
  "get, uniform, small cache": { ...PER_SECOND, group: "reads", goals: [[CLASSIC, 1.1, 1.4]] },
  "get, Zipfian, small cache": { ...PER_SECOND, group: "reads" },
  scan: {
    ...PER_SECOND,
    group: "scans",
    goals: [
      [CLASSIC, 2.5, 3.8],
      ["lmdb", 1.4, 2],
      [SQLITE, 3, 5],
    ],
  },
  "scan by cursor": { ...PER_SECOND, group: "scans", goals: [[CLASSIC, 8, 12, "scan"]] },
  "scan in reverse": { ...PER_SECOND, group: "scans", own: ["scan", 0.85, 0.95] },
  "range of 10": {
    ...PER_SECOND,
    group: "scans",
    goals: [
      [CLASSIC, 6, 12],
      ["lmdb", 0.8, 1.4],
    ],
  },
  "range of 100": {
    ...PER_SECOND,
    group: "scans",
    goals: [
      [CLASSIC, 5, 8],
      ["lmdb", 1.4, 2.2],
    ],
  },
  "YCSB A": { ...PER_SECOND, group: "mixed" },
  "YCSB B": { ...PER_SECOND, group: "mixed" },
  "YCSB C": { ...PER_SECOND, group: "mixed" },
  "YCSB D": { ...PER_SECOND, group: "mixed" },
  "YCSB E": { ...PER_SECOND, group: "mixed" },
  "YCSB F": { ...PER_SECOND, group: "mixed" },
  "transactions of 5 reads and 5 writes": { ...PER_SECOND, group: "mixed", limit: [40_000, 70_000] },
  "batch p50 ms": { ...MILLISECONDS, group: "latencies" },
  "batch p99 ms": { ...MILLISECONDS, group: "latencies", limit: [15, 9] },
  "batch p999 ms": { ...MILLISECONDS, group: "latencies" },
  "longest stall ms": { ...MILLISECONDS, group: "latencies", limit: [20, 20] },
  "open ms": { ...MILLISECONDS, group: "opening", limit: [5, 3] },
  "open after a crash ms": { ...MILLISECONDS, group: "opening", limit: [250, 120] },
  "log at the crash MiB": { ...MEBIBYTES, group: "opening" },
  "recovery ms per MiB of log": { ...MILLISECONDS, group: "opening" },
  "bytes written per byte": { ...TIMES, group: "space" },
  "disk after filling": { ...TIMES, group: "space" },
  "disk after compaction": { ...TIMES, group: "space", limit: [1.03, 1.01] },
  "disk after deleting half": { ...TIMES, group: "space" },
  "peak memory of filling MiB": { ...MEBIBYTES, group: "space" },
  "peak memory of reading MiB": { ...MEBIBYTES, group: "space" },
  "peak memory with small cache MiB": { ...MEBIBYTES, group: "space" },
};

/** { row, against, ratio, floor, aim } for every goal that the medians can tell of. `medians`: engine -> row -> number. */
export function goals(medians) {
  const ours = medians.stillwater ?? {};
  const found = [];
  for (const [row, { better, goals: beside = [], own, limit }] of Object.entries(ROWS)) {
    const value = ours[row];
    if (value === undefined) continue;
    const against = (name, other, floor, aim) => {
      if (other === undefined) return;
      found.push({
        row,
        against: name,
        ratio: better === "more" ? value / other : other / value,
        floor,
        aim,
      });
    };
    for (const [peer, floor, aim, peerRow = row] of beside)
      against(peer, medians[peer]?.[peerRow], floor, aim);
    if (own !== undefined) against(`own ${own[0]}`, ours[own[0]], own[1], own[2]);
    if (limit === undefined) continue;
    const [floor, aim] = limit;
    const ratio = better === "more" ? value / floor : floor / value;
    found.push({
      row,
      against: `${floor}`,
      ratio,
      floor: 1,
      aim: better === "more" ? aim / floor : floor / aim,
    });
  }
  return found.map((goal) => ({
    ...goal,
    verdict: goal.ratio >= goal.aim ? "aim" : goal.ratio >= goal.floor ? "floor" : "missed",
  }));
}
