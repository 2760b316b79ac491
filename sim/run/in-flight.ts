/** Calls to the store that have no answer yet, and what each one is, for the report of a stuck run. */
import { SimulatedCrash } from "../disk/errors.js";

/** Hears of calls, for recordings. */
export interface InFlightListener {
  began(number: number, what: string): void;
  /** Not for calls whose process has gone. */
  answered(number: number, outcome: string): void;
}

export class InFlight {
  listener: InFlightListener | null = null;
  readonly #ended: () => boolean;
  readonly #onFailure: (error: unknown) => void;
  readonly #nowMs: () => number;
  readonly #calls = new Map<
    number,
    { readonly what: string; readonly sinceMs: number; readonly settled: Promise<void> }
  >();
  #number = 0;

  /** `ended` says that the process is gone, so that answers reach nobody; `onFailure` gets what handlers throw. */
  constructor(ended: () => boolean, onFailure: (error: unknown) => void, nowMs: () => number) {
    this.#ended = ended;
    this.#nowMs = nowMs;
    this.#onFailure = onFailure;
  }

  /** Whether nobody waits for an answer. */
  get isEmpty(): boolean {
    return this.#calls.size === 0;
  }

  /**
   * Follows `call`. The handlers run on its answer, unless the process is gone by then; what they throw
   * goes to `onFailure`, since nobody awaits most calls.
   */
  add<T>(
    what: string,
    call: Promise<T>,
    onAnswer: (value: T) => void,
    onError: (error: unknown) => void,
  ): void {
    const number = this.#number++;
    this.listener?.began(number, what);
    const handle = (outcome: unknown, handler: () => void): void => {
      this.#calls.delete(number);
      if (this.#ended()) return;
      this.listener?.answered(number, outcomeText(outcome));
      try {
        handler();
      } catch (error) {
        this.#onFailure(error);
      }
    };
    const settled = call.then(
      (value) => handle(value, () => onAnswer(value)),
      (error: unknown) => handle(error, () => onError(error)),
    );
    this.#calls.set(number, { what, sinceMs: this.#nowMs(), settled });
  }

  /** Waits until at most `limit` calls are without an answer, oldest first. Throws `SimulatedCrash` when the process ends. */
  async waitBelow(limit: number): Promise<void> {
    while (this.#calls.size > limit) {
      const [oldest] = this.#calls.values();
      await oldest?.settled;
      if (this.#ended()) throw new SimulatedCrash();
    }
  }

  describe(): string[] {
    return [...this.#calls.values()].map(({ what, sinceMs }) => `${what} has no answer since ${sinceMs} ms`);
  }

  clear(): void {
    this.#calls.clear();
  }
}

function outcomeText(outcome: unknown): string {
  if (typeof outcome === "number") return `acknowledged as version ${outcome}`;
  return outcome instanceof Error ? `failed: ${outcome.message}` : "done";
}
