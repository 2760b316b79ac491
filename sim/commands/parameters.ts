/** Parsers of parameters that several commands take; what they refuse is wrong usage (exit code 2). */
import { InvalidArgumentError } from "commander";

/** A whole number from 1. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1.");
  return Number(text);
}
