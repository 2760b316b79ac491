/** `fs.Dir` over a simulated directory: its entries as they were when it was opened. */
import type { Dirent } from "node:fs";
import type { Turn } from "./operation.js";
import { direntOf } from "./stats.js";
import type { DirectoryEntry } from "./volume.js";

type ReadCallback = (error: Error | null, entry: Dirent | null) => void;

export class SimulatedDirectory {
  readonly path: string;
  readonly #entries: DirectoryEntry[];
  readonly #turn: Turn;
  #closed = false;

  constructor(path: string, entries: readonly DirectoryEntry[], turn: Turn) {
    this.path = path;
    this.#entries = [...entries];
    this.#turn = turn;
  }

  readSync(): Dirent | null {
    if (this.#closed) throw closedError();
    const entry = this.#entries.shift();
    return entry === undefined ? null : direntOf(entry, entry.name, this.path);
  }

  read(callback?: ReadCallback): Promise<Dirent | null> | undefined {
    return this.#later(() => this.readSync(), callback);
  }

  closeSync(): void {
    if (this.#closed) throw closedError();
    this.#closed = true;
  }

  close(callback?: (error: Error | null) => void): Promise<null> | undefined {
    const close = () => {
      this.closeSync();
      return null;
    };
    return this.#later(close, callback as ReadCallback | undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Dirent> {
    try {
      for (let entry = await this.read(); entry !== null && entry !== undefined; entry = await this.read()) {
        yield entry;
      }
    } finally {
      await this.close();
    }
  }

  entries(): AsyncGenerator<Dirent> {
    return this[Symbol.asyncIterator]();
  }

  #later<T extends Dirent | null>(call: () => T, callback?: ReadCallback): Promise<T> | undefined {
    const promise = new Promise<T>((resolve, reject) => {
      this.#turn(() => {
        try {
          resolve(call());
        } catch (error) {
          reject(error);
        }
      });
    });
    if (callback === undefined) return promise;
    promise.then(
      (value) => callback(null, value),
      (error: Error) => callback(error, null),
    );
    return undefined;
  }
}

function closedError(): Error {
  return Object.assign(new Error("Directory handle was closed"), { code: "ERR_DIR_CLOSED" });
}
