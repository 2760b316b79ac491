/**
 * Drawing the options of a seed from a choice stream: the few shapes that such draws have. Answer 0 is the plain default
 * of each. Does not own: which options there are.
 */
import type { ChoiceStream } from "../choices/choices.js";

export class Draw {
  readonly #choices: ChoiceStream;

  constructor(choices: ChoiceStream) {
    this.#choices = choices;
  }

  one<T>(values: readonly T[]): T {
    return values[this.#choices.below(values.length, "options.one")] as T; // below(n) < n
  }

  upTo(max: number): number {
    return this.#choices.below(max + 1, "options.upTo");
  }

  half(): boolean {
    return this.#choices.chance(0.5, "options.half");
  }

  chance(probability: number): boolean {
    return this.#choices.chance(probability, "options.chance");
  }

  /** In (0, 1]. */
  fraction(): number {
    return (1 + this.#choices.below(1000, "options.fraction")) / 1000;
  }
}

/** Options are printed and compared as text, so they have few digits. */
export function round(probability: number): number {
  return Math.round(probability * 1e7) / 1e7;
}
