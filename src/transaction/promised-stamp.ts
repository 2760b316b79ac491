/**
 * The versionstamp that a commit will have, for whoever asks before it is known. Who does not ask is not told that there is
 * none, and costs no promise.
 */
export class PromisedStamp {
  #promise: Promise<Uint8Array> | null = null;
  #resolve: (stamp: Uint8Array) => void = () => {};
  #reject: (error: Error) => void = () => {};
  #stamp: Uint8Array | null = null;
  #error: Error | null = null;

  get promise(): Promise<Uint8Array> {
    if (this.#promise !== null) return this.#promise;
    this.#promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#promise.catch(() => {});
    if (this.#stamp !== null) this.#resolve(this.#stamp);
    if (this.#error !== null) this.#reject(this.#error);
    return this.#promise;
  }

  /** The first of `give` and `fail` counts. */
  give(stamp: Uint8Array): void {
    if (this.#stamp !== null || this.#error !== null) return;
    this.#stamp = stamp;
    this.#resolve(stamp);
  }

  fail(error: Error): void {
    if (this.#stamp !== null || this.#error !== null) return;
    this.#error = error;
    this.#reject(error);
  }
}
