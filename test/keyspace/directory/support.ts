/** What the parts of the directories' contract share. */
import { DirectoryLayer, type DirectoryLayerOptions } from "../../../src/keyspace/directory-layer.js";
import type { Random } from "../../../src/platform/platform.js";
import type { Database } from "../../../src/transaction/transaction.js";
import { type ContractBackend, type ContractCase, casesOn } from "../../transaction/contract/backend.js";

/** Numbers from a seed (Marsaglia, "Xorshift RNGs", 2003). */
export function seededRandom(seed: number): Random {
  let state = (seed * 0x9e3779b1) >>> 0 || 1;
  return {
    nextUint32: () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      state >>>= 0;
      return state;
    },
  };
}

/** A layer that draws by a seed, or the same number always. */
export function layerOf(seed: number, options?: DirectoryLayerOptions, number?: number): DirectoryLayer {
  const random = number === undefined ? seededRandom(seed) : { nextUint32: () => number };
  return DirectoryLayer.create(random, options);
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Whoever opens or creates a directory needs what the allocator is made of. */
export function directoryCasesOn(backend: ContractBackend): ContractCase {
  const define = casesOn(backend);
  return (name, body, options = {}) => define(name, body, { needs: "atomicOperations", ...options });
}

/** Keys in a range that are committed, as text in hexadecimal. */
export async function keysFrom(db: Database, begin: Uint8Array, end: Uint8Array): Promise<string[]> {
  return (await db.read((tx) => tx.getRangeAll(begin, end))).map(([key]) => hex(key));
}
