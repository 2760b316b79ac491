/** The engine's `Random` in simulation: one named stream of the seed, so that its draws are logged and replayed. */
import type { Random } from "../../src/platform/platform.js";
import type { ChoiceStream } from "../choices/choices.js";

/** The largest range one choice may have; 2^32 is drawn as two halves. */
const HALF = 0x1_0000;

export class SimulationRandom implements Random {
  readonly #choices: ChoiceStream;

  constructor(choices: ChoiceStream) {
    this.#choices = choices;
  }

  nextUint32(): number {
    const high = this.#choices.below(HALF, "random.high");
    return high * HALF + this.#choices.below(HALF, "random.low");
  }
}
