/**
 * A case written in a test: literal data, with only what is not plain. This is what the shrinker emits
 * (`shrink/emit-test.ts`), and what a test may be written as by hand. Owns the defaults; the format and its checks are
 * those of case files (`case.ts`).
 */
import type { ChoiceLog } from "../choices/choices.js";
import type { Operation } from "../workload/operation.js";
import type { SimulationOptions } from "../workload/options.js";
import { CASE_FORMAT, parseCase, type SimulationCase } from "./case.js";

/** Any part of `Whole`, at any depth. */
export type PartOf<Whole> = Whole extends readonly unknown[]
  ? Whole
  : Whole extends object
    ? { readonly [Name in keyof Whole]?: PartOf<Whole[Name]> }
    : Whole;

/** A case as it is written by hand in a test. */
export interface LiteralCase {
  readonly seed?: string;
  /** What differs from the plain run. */
  readonly options?: PartOf<SimulationOptions>;
  readonly operations: readonly Operation[];
  readonly choices?: ChoiceLog;
  /** Planted bugs to switch on. */
  readonly mutants?: readonly string[];
}

/** Throws `INVALID_ARGUMENT`, with the place, for what is not a case. */
export function defineCase(literal: LiteralCase): SimulationCase {
  const { seed = "0", options = {}, operations, choices = {}, mutants = [] } = literal;
  const all = {
    format: CASE_FORMAT,
    name: "literal",
    note: "",
    seed,
    options,
    operations,
    choices,
    mutants,
    expect: { oracle: null },
  };
  return parseCase(JSON.stringify(all), "the literal case");
}
