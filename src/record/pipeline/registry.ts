/**
 * Algorithms by the byte that names them in the header of each item, so that an item is read with what it was written with,
 * whatever the settings are by then. 1 to 127 are ours, 128 to 255 anybody's, 0 is none. Does not own: what they do.
 */
import { StillwaterError } from "../../platform/errors.js";

interface Named {
  readonly id: number;
  readonly name: string;
}

const FIRST_FOREIGN_ID = 128;
const LAST_ID = 255;

export class Registry<One extends Named> {
  readonly #kind: string;
  readonly #byId = new Map<number, One>();
  readonly #byName = new Map<string, One>();

  /**
   * `kind` is for messages. `own` are taken as they are; `foreign` ones must have ids from 128 on and names of their own. The
   * same one twice is fine. Throws `INVALID_ARGUMENT`.
   */
  constructor(kind: string, own: readonly One[], foreign: readonly One[]) {
    this.#kind = kind;
    for (const one of own) this.#add(one);
    for (const one of foreign) this.#addForeign(one);
  }

  /** Throws `UNSUPPORTED_FORMAT`. */
  byId(id: number): One {
    const found = this.#byId.get(id);
    if (found !== undefined) return found;
    const known = [...this.#byId.values()].map((one) => `${one.id} ${one.name}`).join(", ");
    throw new StillwaterError(
      "UNSUPPORTED_FORMAT",
      `the item was written with ${this.#kind} ${id}, which is not registered. Register it; known are ${known}.`,
    );
  }

  byName(name: string): One | undefined {
    return this.#byName.get(name);
  }

  names(): string[] {
    return [...this.#byName.keys()];
  }

  #addForeign(one: One): void {
    const { id, name } = one;
    if (this.#byId.get(id) === one) return;
    const isForeign = Number.isInteger(id) && id >= FIRST_FOREIGN_ID && id <= LAST_ID;
    if (isForeign && !this.#byId.has(id) && typeof name === "string" && !this.#byName.has(name)) {
      return this.#add(one);
    }
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `the ${this.#kind} "${String(name)}" has the id ${String(id)}. Give it a name of its own and a free id from ` +
        `${FIRST_FOREIGN_ID} to ${LAST_ID}.`,
    );
  }

  #add(one: One): void {
    this.#byId.set(one.id, one);
    this.#byName.set(one.name, one);
  }
}
