/** A chained batch: operations are encoded into the store's batch as they are added, so `write` is one commit and no second pass. */
import { Batch } from "../engine/batch.js";
import { AbstractChainedBatchBase, type Encoded, type LevelWriteOptions } from "./abstract-level.js";
import { bytesOf } from "./encoded.js";
import { levelError } from "./errors.js";

export class ChainedBatch<K, V> extends AbstractChainedBatchBase<K, V> {
  readonly #batch = new Batch();
  readonly #commit: (batch: Batch, options: LevelWriteOptions) => Promise<void>;

  constructor(database: object, commit: (batch: Batch, options: LevelWriteOptions) => Promise<void>) {
    super(database);
    this.#commit = commit;
  }

  override _put(key: Encoded, value: Encoded, options: { readonly sublevel?: unknown }): void {
    requireOwn(options.sublevel);
    try {
      this.#batch.put(bytesOf(key), bytesOf(value));
    } catch (error) {
      throw levelError(error);
    }
  }

  override _del(key: Encoded, options: { readonly sublevel?: unknown }): void {
    requireOwn(options.sublevel);
    try {
      this.#batch.delete(bytesOf(key));
    } catch (error) {
      throw levelError(error);
    }
  }

  override _clear(): void {
    this.#batch.clear();
  }

  override _write(options: LevelWriteOptions): Promise<void> {
    return this.#commit(this.#batch, options);
  }

  override _close(): Promise<void> {
    this.#batch.clear();
    return Promise.resolve();
  }
}

/** What is left of the option when it reaches us is a sublevel that is not below this database: its prefix was not added. */
export function requireOwn(sublevel: unknown): void {
  if (sublevel !== undefined && sublevel !== null) {
    throw new TypeError("The sublevel of a batch operation belongs to another database");
  }
}
