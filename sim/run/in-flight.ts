/**
 * Calls to the store that have no answer yet. Remembers what each one is, for the report of a stuck run, and keeps the
 * first failure that an answer brought, since nobody awaits most of them.
 */
export class InFlight {
  readonly #calls = new Map<number, { readonly what: string; readonly settled: Promise<void> }>();
  #number = 0;
  /** The first failure found while handling an answer. */
  failure: { readonly error: unknown } | null = null;

  get size(): number {
    return this.#calls.size;
  }

  /**
   * Follows `call`. The handlers run on its answer, unless `ended()` says that the process is gone by then; what they
   * throw becomes `failure`.
   */
  add<T>(
    what: string,
    call: Promise<T>,
    ended: () => boolean,
    onAnswer: (value: T) => void,
    onError: (error: unknown) => void,
  ): void {
    const number = this.#number++;
    const handle = (handler: () => void): void => {
      if (ended()) return;
      this.#calls.delete(number);
      try {
        handler();
      } catch (error) {
        this.failure ??= { error };
      }
    };
    const settled = call.then(
      (value) => handle(() => onAnswer(value)),
      (error: unknown) => handle(() => onError(error)),
    );
    this.#calls.set(number, { what, settled });
  }

  /** Waits until at most `limit` calls are without an answer, oldest first. */
  async waitBelow(limit: number): Promise<void> {
    while (this.#calls.size > limit) {
      const [oldest] = this.#calls.values();
      await oldest?.settled;
    }
  }

  describe(): string[] {
    return [...this.#calls.values()].map((call) => call.what);
  }

  clear(): void {
    this.#calls.clear();
  }
}
