/**
 * Watches by asking: while any waits, the version of the database is read every so often, and the watched keys when it has
 * changed, and at once after a commit of this client. Survives whatever happens to members and connections, which is why
 * it is not etcd's own watch; notices no change that is undone in between, as FoundationDB need not.
 */
import type { Scheduler } from "../../platform/platform.js";
import { TransactionError } from "../../transaction/errors.js";
import { keyText } from "../../transaction/key-text.js";
import type { StorageWatch } from "../../transaction/storage.js";
import type { EtcdCluster } from "./cluster.js";
import type { Layout } from "./layout.js";

interface Waiting {
  readonly key: Buffer;
  readonly value: Uint8Array | undefined;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** The version of the database at which it had not changed. */
  checked: number;
}

export interface WatchesParts {
  readonly cluster: EtcdCluster;
  readonly layout: Layout;
  readonly scheduler: Scheduler;
  readonly intervalMs: number;
  /** Keys that one request may ask for. */
  readonly maxOperations: number;
}

export class EtcdWatches {
  readonly #parts: WatchesParts;
  readonly #waiting = new Set<Waiting>();
  #isAsking = false;
  #isTimed = false;
  #isClosed = false;

  constructor(parts: WatchesParts) {
    this.#parts = parts;
  }

  add(key: Uint8Array, value: Uint8Array | undefined): StorageWatch {
    let cancel = (): void => {};
    const changed = new Promise<void>((resolve, reject) => {
      const stored = this.#parts.layout.data(keyText(key));
      const waiting: Waiting = { key: stored, value, resolve, reject, checked: -1 };
      this.#waiting.add(waiting);
      cancel = () => {
        this.#waiting.delete(waiting);
        reject(new TransactionError("OPERATION_CANCELLED", "the watch was cancelled."));
      };
    });
    this.#askLater();
    return { changed, cancel };
  }

  /** This client has committed. */
  nudge(): void {
    if (this.#waiting.size > 0) void this.#ask();
  }

  close(error: Error): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  #askLater(): void {
    if (this.#isTimed || this.#isClosed || this.#waiting.size === 0) return;
    this.#isTimed = true;
    this.#parts.scheduler.after(this.#parts.intervalMs, () => {
      this.#isTimed = false;
      void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    if (this.#isAsking || this.#isClosed) return;
    this.#isAsking = true;
    try {
      await this.#check();
    } catch (error) {
      // A cluster that is away may come back, and watches wait for as long as it takes.
      if (!(error instanceof TransactionError && error.retryable)) this.#fail(error);
    } finally {
      this.#isAsking = false;
      this.#askLater();
    }
  }

  async #check(): Promise<void> {
    const { cluster, layout, maxOperations } = this.#parts;
    const { kvs } = await cluster.range({ key: layout.sequence });
    const version = Number(kvs[0]?.version ?? 0);
    const due = [...this.#waiting].filter(({ checked }) => checked < version);
    for (let from = 0; from < due.length; from += maxOperations) {
      const some = due.slice(from, from + maxOperations);
      const rows = await cluster.ranges(some.map(({ key }) => ({ key })));
      some.forEach((waiting, index) => {
        waiting.checked = version;
        if (isSame(rows[index]?.kvs[0]?.value, waiting.value)) return;
        this.#waiting.delete(waiting);
        waiting.resolve();
      });
    }
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    for (const { reject } of this.#waiting) reject(error as Error);
    this.#waiting.clear();
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}
