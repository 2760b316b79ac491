/**
 * The sync advisor (N11): for each place that syncs, whether an oracle notices when the sync is left out, or done after
 * the next one. What nobody notices is either redundant, and costs time for nothing, or needed for something that no
 * oracle looks at. The verdicts rest on the automatic mutants of a kill matrix. Pure text.
 */
import type { Matrix, MatrixRow } from "./matrix.js";
import { redundancyOf } from "./redundant-syncs.js";
import type { SabotageKind } from "./sabotage.js";

export interface Advice {
  readonly site: string;
  readonly syncsPerRun: number;
  readonly drop: MatrixRow | null;
  readonly swap: MatrixRow | null;
  readonly text: string;
}

export function advise(matrix: Matrix): Advice[] {
  return Object.entries(matrix.syncsPerRun).map(([site, syncsPerRun]) => {
    const row = (kind: SabotageKind): MatrixRow | null =>
      matrix.rows.find(({ id }) => id === `${kind}:${site}`) ?? null;
    const drop = row("drop");
    const swap = row("swap");
    return { site, syncsPerRun, drop, swap, text: textOf(site, drop, swap) };
  });
}

function textOf(site: string, drop: MatrixRow | null, swap: MatrixRow | null): string {
  if (drop?.kills === 0) {
    const proof = redundancyOf(`drop:${site}`);
    return proof === null ? "no oracle needs it: redundant, or an oracle is blind" : `redundant: ${proof}`;
  }
  if (swap?.kills === 0) return "needed; before or after the next one is all the same";
  return "needed, and in its place";
}

export function formatAdvice(advice: readonly Advice[]): string {
  const width = Math.max(10, ...advice.map(({ site }) => site.length)) + 2;
  const cell = (row: MatrixRow | null): string =>
    row === null || row.oracle === null ? "nobody" : [row.oracle, ...row.otherOracles].join(" ");
  return [
    `${"sync".padEnd(width)}${"a run".padStart(8)}  ${"dropped: seen by".padEnd(22)}${"swapped: seen by".padEnd(22)}`,
    ...advice.map(({ site, syncsPerRun, drop, swap, text }) =>
      `${site.padEnd(width)}${syncsPerRun.toFixed(2).padStart(8)}  ${cell(drop).padEnd(22)}${cell(swap).padEnd(22)}${text}`.trimEnd(),
    ),
  ].join("\n");
}
