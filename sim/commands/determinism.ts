/**
 * The command `sim determinism`: prints the fingerprint of each seed, and compares it with those that another process,
 * another version of Node or another operating system has written (O14, N14). Ends with 126 at the first seed that went
 * another way, with the field in which it differs and the events between which the two runs parted.
 * Does not own: comparing two runs within one process (`sim/run/seed.ts`).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { checkSameRun, type RunFingerprint } from "../oracles/determinism.js";
import { OracleFailure, OracleLedger } from "../oracles/failure.js";
import { runSeed, seedAt } from "../run/seed.js";
import { divergenceOf, type TraceMarks } from "../trace/trace.js";
import { DEFAULT_LIMITS } from "../workload/options.js";
import { parseCount, print } from "./parameters.js";

const SEEDS = 200;
const EXIT_DIFFERENT = 126;
const FORMAT = 1;

export interface SeedFingerprint {
  readonly seed: string;
  readonly fingerprint: RunFingerprint;
  readonly traceMarks: TraceMarks;
}

/** What `--out` writes and `--against` reads. */
export interface FingerprintFile {
  readonly format: number;
  readonly node: string;
  readonly platform: string;
  readonly seeds: readonly SeedFingerprint[];
}

interface DeterminismFlags {
  readonly seeds: number;
  readonly from: string;
  readonly out?: string;
  readonly against?: string;
}

export function determinismCommand(): Command {
  return new Command("determinism")
    .description("print a fingerprint of each seed, and compare them with those of another process")
    .option("--seeds <n>", "how many", parseCount, SEEDS)
    .option("--from <seed>", "the first seed", "1")
    .option("--out <file>", "write the fingerprints as JSON")
    .option("--against <file>", "compare with fingerprints that were written before; 126 when one differs")
    .action(determinism);
}

async function determinism(flags: DeterminismFlags): Promise<void> {
  const { seeds, from, out, against } = flags;
  const former = against === undefined ? null : readFingerprints(against);
  const made: SeedFingerprint[] = [];
  for (let n = 0; n < seeds; n++) {
    const seed = seedAt(from, n);
    const config = { limits: DEFAULT_LIMITS, mutants: [], repeatShare: 0, recording: false };
    const { fingerprint, traceMarks } = await runSeed(seed, config);
    made.push({ seed, fingerprint, traceMarks });
    if (former === null) print(`${seed}  ${fingerprint.traceHash}  ${fingerprint.durableHash}`);
  }
  if (out !== undefined) {
    const file: FingerprintFile = {
      format: FORMAT,
      node: process.version,
      platform: process.platform,
      seeds: made,
    };
    writeFileSync(out, `${JSON.stringify(file)}\n`);
  }
  if (former === null) return;
  const here = `${process.version} ${process.platform}`;
  const there = `${former.node} ${former.platform}`;
  const difference = firstDifference(made, former.seeds);
  if (difference === null) {
    print(`${made.length} seeds went the same way: ${here} as ${there}`);
    return;
  }
  print(`${here} differs from ${there}\n${difference}`);
  process.exitCode = EXIT_DIFFERENT;
}

/** Null when every seed of `made` went as it did in `former`; else the first that did not, and where. */
export function firstDifference(
  made: readonly SeedFingerprint[],
  former: readonly SeedFingerprint[],
): string | null {
  const bySeed = new Map(former.map((one) => [one.seed, one]));
  for (const one of made) {
    const other = bySeed.get(one.seed);
    if (other === undefined) return `seed ${one.seed} is not among those to compare with`;
    try {
      checkSameRun(new OracleLedger(), one.fingerprint, other.fingerprint);
    } catch (error) {
      if (!(error instanceof OracleFailure)) throw error;
      const lengths = [one.fingerprint.traceLength, other.fingerprint.traceLength] as const;
      const parted = divergenceOf(one.traceMarks, other.traceMarks, lengths);
      const where =
        parted === null
          ? "the traces agree as far as their marks say"
          : `the traces agree up to event ${parted.same}, and no more at event ${parted.different}`;
      const look = `look: stillwater sim replay ${one.seed} --trace here.txt, on both sides`;
      return `seed ${one.seed}: ${error.detail}\n  ${where}\n  ${look}`;
    }
  }
  return null;
}

function readFingerprints(path: string): FingerprintFile {
  let file: FingerprintFile;
  try {
    file = JSON.parse(readFileSync(path, "utf8")) as FingerprintFile;
  } catch (error) {
    throw new InvalidArgumentError(`${path} cannot be read as fingerprints: ${error}`);
  }
  if (file.format !== FORMAT || !Array.isArray(file.seeds)) {
    throw new InvalidArgumentError(
      `${path} does not hold fingerprints of format ${FORMAT}; write it with --out.`,
    );
  }
  return file;
}
