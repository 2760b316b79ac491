/** What people read of a kill matrix: a table for the terminal, and a page in Markdown. Pure text. */
import { PLANTED_MUTANTS, plantedMutant } from "./catalogue.js";
import { type Matrix, type MatrixRow, median, proofOf } from "./matrix.js";

const VERDICTS = {
  killed: "killed",
  equivalent: "equivalent",
  survived: "SURVIVED",
  refuted: "REFUTED",
} as const;

export function formatMatrix(matrix: Matrix): string {
  const width = Math.max(10, ...matrix.rows.map(({ id }) => id.length)) + 2;
  const header = `${"mutant".padEnd(width)}${"verdict".padEnd(12)}${"seeds".padStart(7)}${"CPU".padStart(10)}  killed by`;
  const lines = matrix.rows.map((row) => {
    const starts =
      row.kills > 0 && row.kills < matrix.config.starts
        ? ` (${row.kills} of ${matrix.config.starts} series)`
        : "";
    const cpu = row.kills === 0 ? "" : `${row.cpuMsMedian} ms`;
    return `${row.id.padEnd(width)}${VERDICTS[row.verdict].padEnd(12)}${seedsText(row).padStart(7)}${cpu.padStart(10)}  ${killedBy(row)}${starts}`.trimEnd();
  });
  const notes = matrix.rows.flatMap((row) => notesOf(row).map((note) => `  ${row.id}: ${note}`));
  return [header, ...lines, "", ...(notes.length > 0 ? [...notes, ""] : []), ...totals(matrix)].join("\n");
}

/** The oracles, and how the failure is classed. */
function killedBy(row: MatrixRow): string {
  if (row.oracle === null) return "";
  return `${[row.oracle, ...row.otherOracles].join(" ")}  ${row.class}`;
}

function seedsText({ seedsMedian, kills, killingCase }: MatrixRow): string {
  if (killingCase !== null) return "case";
  if (seedsMedian !== null) return String(seedsMedian);
  return kills > 0 ? "rare" : "";
}

function notesOf(row: MatrixRow): string[] {
  const notes = [...row.unclear];
  const proof = proofOf(row.id);
  if (row.killingCase !== null) notes.push(`killed by the saved case ${row.killingCase} only`);
  if (row.verdict === "survived")
    notes.push(
      `survived ${row.seeds} seeds; its place was reached in ${row.reached} of them${byTest(row.id)}`,
    );
  if (row.verdict === "equivalent") notes.push(`equivalent: ${proof ?? ""}`);
  if (row.verdict === "refuted") notes.push(`killed, so this proof is wrong: ${proof ?? ""}`);
  return notes;
}

/** Sums by sort, the median number of seeds, and what it took. */
export function totals(matrix: Matrix): string[] {
  const lines = (["planted", "automatic"] as const).flatMap((sort) => {
    const rows = matrix.rows.filter((row) => row.sort === sort);
    if (rows.length === 0) return [];
    const count = (verdict: MatrixRow["verdict"]): number =>
      rows.filter((row) => row.verdict === verdict).length;
    const bad = count("survived") + count("refuted");
    return [
      `${sort}: ${rows.length} mutants, ${count("killed")} killed, ${count("equivalent")} proven equivalent` +
        (bad === 0 ? "" : `, ${count("survived")} survived, ${count("refuted")} with a proof that is wrong`),
    ];
  });
  const killed = matrix.rows.filter(({ kills }) => kills > 0);
  const { starts, budget, jobs } = matrix.config;
  const seeds = median(killed.map(({ seedsMedian }) => seedsMedian ?? Number.POSITIVE_INFINITY));
  return [
    ...lines,
    `seeds to kill, median over mutants: ${seeds}`,
    `${starts} series of up to ${budget} seeds, ${(matrix.elapsedMs / 1000).toFixed(0)} s on ${jobs} threads, ` +
      `${(matrix.cpuMs / 1000).toFixed(0)} s of CPU, Node ${matrix.node}`,
  ];
}

/** The page `docs/KILL-MATRIX.md`. */
export function markdownMatrix(matrix: Matrix): string {
  const planted = matrix.rows.filter(({ sort }) => sort === "planted");
  const automatic = matrix.rows.filter(({ sort }) => sort === "automatic");
  const proofs = matrix.rows.flatMap(({ id }) => {
    const proof = proofOf(id);
    return proof === null ? [] : [`- \`${id}\`: ${proof}`];
  });
  return [
    "# Kill matrix",
    "",
    "Written by `stillwater sim mutants --markdown docs/KILL-MATRIX.md`; do not edit. What the columns mean is in",
    "[SIMULATION.md](SIMULATION.md#kill-matrix).",
    "",
    ...totals(matrix).map((line) => `- ${line}`),
    "",
    "## Planted bugs",
    "",
    "| id | breaks | copies | seeds | CPU ms | killed by | class |",
    "|---|---|---|---:|---:|---|---|",
    ...planted.map((row) => {
      const entry = plantedMutant(row.id);
      return `| \`${row.id}\` | ${entry?.breaks ?? ""} | ${entry?.copies ?? ""} | ${measured(row)} |`;
    }),
    "",
    ...(automatic.length === 0
      ? []
      : [
          "## Automatic mutants",
          "",
          "| id | syncs a run | seeds | CPU ms | killed by | class |",
          "|---|---:|---:|---:|---|---|",
          ...automatic.map((row) => {
            const site = row.id.slice(row.id.indexOf(":") + 1);
            return `| \`${row.id}\` | ${matrix.syncsPerRun[site] ?? 0} | ${measured(row)} |`;
          }),
          "",
        ]),
    ...(proofs.length === 0 ? [] : ["## Proofs of equivalence", "", ...proofs, ""]),
  ].join("\n");
}

function measured(row: MatrixRow): string {
  if (row.oracle === null) return ` | | **${VERDICTS[row.verdict]}** | `;
  const oracles = [row.oracle, ...row.otherOracles].join(" ");
  return `${seedsText(row)} | ${row.cpuMsMedian} | ${oracles} | ${row.class}`;
}

/** Every mutant without running any: the catalogue. */
export function formatCatalogue(): string {
  const width = Math.max(...PLANTED_MUTANTS.map(({ id }) => id.length)) + 2;
  return PLANTED_MUTANTS.map(
    ({ id, breaks, copies, needs }) =>
      `${id.padEnd(width)}${breaks}\n${"".padEnd(width)}copies ${copies}; needs ${needs}`,
  ).join("\n");
}

/** That no seed kills it is known, and what does. */
function byTest(id: string): string {
  const file = plantedMutant(id)?.test;
  return file === undefined ? "" : `; killed by ${file}`;
}
