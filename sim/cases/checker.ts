/**
 * Checks of the parts of a case file: each says at which place what was wanted. Does not own what a case consists of.
 */
import { StillwaterError } from "../../src/platform/errors.js";

export class Checker {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  fail(place: string, wanted: string): never {
    throw this.refusal(`${place} must be ${wanted}`);
  }

  /** A name that this version does not know, and those it does. */
  unknown(place: string, name: string, known: readonly string[]): never {
    throw this.refusal(
      `${place} names "${name}", which this version does not know. Known: ${known.join(", ")}`,
    );
  }

  refusal(problem: string, cause?: unknown): StillwaterError {
    const details = cause === undefined ? { path: this.path } : { path: this.path, cause };
    return new StillwaterError("INVALID_ARGUMENT", `${this.path} is not a case: ${problem}.`, details);
  }

  object(value: unknown, place: string): Record<string, unknown> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) this.fail(place, "an object");
    return value as Record<string, unknown>;
  }

  array(value: unknown, place: string): readonly unknown[] {
    if (!Array.isArray(value)) this.fail(place, "an array");
    return value as readonly unknown[];
  }

  text(value: unknown, place: string): string {
    if (typeof value !== "string") this.fail(place, "a text");
    return value as string;
  }

  flag(value: unknown, place: string): void {
    if (typeof value !== "boolean") this.fail(place, "true or false");
  }

  number(value: unknown, place: string): void {
    if (typeof value !== "number" || !(value >= 0)) this.fail(place, "a number of at least 0");
  }

  /** Of either sign. */
  integer(value: unknown, place: string): void {
    if (!Number.isSafeInteger(value)) this.fail(place, "a whole number");
  }

  count(value: unknown, place: string): number {
    if (!Number.isSafeInteger(value) || (value as number) < 0)
      this.fail(place, "a whole number of at least 0");
    return value as number;
  }

  oneOf(value: unknown, known: readonly string[], place: string): void {
    if (typeof value !== "string") this.fail(place, `one of ${known.join(", ")}`);
    else if (!known.includes(value)) this.unknown(place, value, known);
  }

  /** No names but these. */
  names(value: Readonly<Record<string, unknown>>, known: readonly string[], place: string): void {
    for (const name of Object.keys(value)) if (!known.includes(name)) this.unknown(place, name, known);
  }
}
