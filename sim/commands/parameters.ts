/** Parsers of parameters that several commands take; what they refuse is wrong usage (exit code 2). */
import { InvalidArgumentError } from "commander";
import { plantedMutant } from "../mutants/catalogue.js";

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
