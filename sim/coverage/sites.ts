/**
 * The catalogue of probes, read from the sources that are running, so that it cannot lag behind them: crash points from
 * their `CRASH_POINT(id: …)` annotations, coverage marks, buggify sites and mutants from their calls. A `RARE: reason`
 * comment on the line above says that no ensemble of ordinary size need reach it. Does not own: what was reached.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A crash point, mark, buggify site or mutant in the sources. */
export interface ProbeSite {
  readonly id: string;
  /** Path below the sources, and line. */
  readonly places: readonly string[];
  /** Why an ensemble may miss it; null when it must not. */
  readonly rare: string | null;
}

/** All of them, by kind. */
export interface ProbeSites {
  readonly crashPoints: readonly ProbeSite[];
  readonly marks: readonly ProbeSite[];
  readonly buggify: readonly ProbeSite[];
  readonly mutants: readonly ProbeSite[];
}

/** The reason, if there is one, and what stands before the probe on its own line. */
const RARE = "(?:// RARE: (?<rare>.+)\\n[^\\n]*)?";
const PATTERNS: Readonly<Record<keyof ProbeSites, string>> = {
  crashPoints: `${RARE}// CRASH_POINT\\(id: (?<id>[\\w.-]+)\\)`,
  marks: `${RARE}\\bsometimes\\(\\s*"(?<id>[\\w.-]+)"`,
  buggify: `${RARE}\\bbuggify\\(\\s*"(?<id>[\\w.-]+)"`,
  mutants: `${RARE}\\bmutant\\(\\s*"(?<id>[\\w.-]+)"`,
};

/** Every probe below `src`, by id. O(size of the sources). */
export function readProbeSites(): ProbeSites {
  const root = fileURLToPath(new URL("../../src", import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => /\.[jt]s$/.test(name) && !name.endsWith(".d.ts") && !name.includes("platform/probes."))
    .sort()
    .map((name) => [name, readFileSync(`${root}/${name}`, "utf8")] as const);
  const read = (pattern: string): ProbeSite[] => sitesIn(files, new RegExp(pattern, "g"));
  return {
    crashPoints: read(PATTERNS.crashPoints),
    marks: read(PATTERNS.marks),
    buggify: read(PATTERNS.buggify),
    mutants: read(PATTERNS.mutants),
  };
}

/** The matches of `pattern` in `files` (name and text), one site for each id. */
export function sitesIn(
  files: readonly (readonly [name: string, text: string])[],
  pattern: RegExp,
): ProbeSite[] {
  const sites = new Map<string, { places: string[]; rare: string | null }>();
  for (const [name, text] of files) {
    for (const match of text.matchAll(pattern)) {
      const { id, rare } = match.groups as { id: string; rare?: string };
      const site = sites.get(id) ?? { places: [], rare: null };
      const line = text.slice(0, match.index + match[0].length).split("\n").length;
      site.places.push(`${name}:${line}`);
      site.rare ??= rare ?? null;
      sites.set(id, site);
    }
  }
  return [...sites].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, site]) => ({ id, ...site }));
}
