/**
 * Parameters that several commands take, and their parsers; what these refuse is wrong usage (exit code 2). And how
 * commands print.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { StillwaterError } from "../../src/platform/errors.js";
import { limitsOfMutants, plantedMutant, requireKnownMutant } from "../mutants/catalogue.js";
import type { SeedConfig } from "../run/seed.js";
import { ALL_LIMITS, type FaultName, parseFaults } from "../workload/options.js";
import { parseWorkloads, type WorkloadName } from "../workload/workloads.js";

/** Share of passing seeds that are run twice to see that they run the same way. */
const REPEAT_SHARE = 0.05;
/** Share of passing seeds whose operations are run again under other options (O21). */
const METAMORPHIC_SHARE = 0.02;

export interface LimitFlags {
  readonly workload?: readonly WorkloadName[];
  readonly faults?: readonly FaultName[];
  readonly mutant: readonly string[];
  readonly metamorphic?: boolean;
}

/** What limits a run, for commands that run seeds. */
export function withLimits(command: Command): Command {
  return command
    .addOption(new Option("--workload <names>", "only these workloads").argParser(usage(parseWorkloads)))
    .addOption(new Option("--faults <names>", "none, default, or names").argParser(usage(parseFaults)))
    .option("--metamorphic", "run every seed under other options too, not only some of them")
    .option("--mutant <id>", "switch a planted bug on; may be repeated", collectMutants, NO_MUTANTS);
}

export function seedConfig(flags: LimitFlags): SeedConfig {
  return {
    limits: {
      workloads: flags.workload ?? limitsOfMutants(flags.mutant).workloads,
      faults: flags.faults ?? ALL_LIMITS.faults,
    },
    mutants: flags.mutant,
    repeatShare: REPEAT_SHARE,
    metamorphicShare: flags.metamorphic === true ? 1 : METAMORPHIC_SHARE,
    recording: false,
  };
}

/** A whole number from 1. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1.");
  return Number(text);
}

/** The id of a planted bug, after those given before. The automatic ones are for `sim run` and `sim mutants`. */
export function collectPlanted(id: string, before: readonly string[]): readonly string[] {
  if (plantedMutant(id) !== null) return [...before, id];
  throw new InvalidArgumentError(
    `There is no planted bug "${id}". stillwater sim mutants --list shows them all.`,
  );
}

/** Milliseconds of "500ms", "60s", "10m", "2h". */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match === null) throw new InvalidArgumentError("It must be a duration like 500ms, 60s, 10m or 2h.");
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] as "ms" | "s" | "m" | "h"];
  return Number(match[1]) * unit;
}

const NO_MUTANTS: readonly string[] = [];

function collectMutants(id: string, before: readonly string[]): readonly string[] {
  usage(requireKnownMutant)(id);
  return [...before, id];
}

/** Has a function's typed errors count as wrong usage of the command. */
export function usage<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof StillwaterError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

/**
 * A line of the result. A reader that goes away (`| head`) takes the rest of the text with it and nothing else: the command
 * goes on to its end, for its exit code, reports and cases are read by others.
 */
export function print(text: string): void {
  if (process.stdout.listenerCount("error") === 0) process.stdout.on("error", requireReaderGone);
  process.stdout.write(`${text}\n`);
}

function requireReaderGone(error: Error): void {
  if (!("code" in error) || error.code !== "EPIPE") throw error;
}
