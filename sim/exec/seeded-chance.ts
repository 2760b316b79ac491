/**
 * Chance of a simulated process, from its seed: `Math.random` and what programs use of `crypto` for names and ids. Keys
 * are not: `generateKey` and everything inside OpenSSL stay as they are. Never for a process that guards secrets.
 */
import crypto, { webcrypto } from "node:crypto";
import { Sfc32 } from "../choices/random.js";

/** Packages make names of it: it must not differ from one run to the next. */
const PROCESS_ID = 4711;

export function installSeededChance(seed: string): void {
  Object.defineProperty(process, "pid", { value: PROCESS_ID });
  const random = new Sfc32(seed, "process.random");
  const fill = <T extends ArrayBufferView>(view: T, from = 0, length = view.byteLength - from): T => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + from, length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = random.nextUint32() >>> 24;
    return view;
  };
  Math.random = () => random.fraction();
  type Callback<T> = (error: null, value: T) => void;
  const later = <T>(value: T, callback: unknown): T | undefined => {
    if (typeof callback !== "function") return value;
    setImmediate(() => (callback as Callback<T>)(null, value));
    return undefined;
  };
  const randomUUID = () => {
    const bytes = fill(Buffer.alloc(16));
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
  const randomInt = (first: number, second?: unknown, third?: unknown) => {
    const [low, high] = typeof second === "number" ? [first, second] : [0, first];
    return later(
      low + Math.floor(random.fraction() * (high - low)),
      typeof second === "function" ? second : third,
    );
  };
  Object.assign(crypto, {
    randomBytes: (size: number, callback?: unknown) => later(fill(Buffer.alloc(size)), callback),
    randomFillSync: fill,
    randomFill: (view: ArrayBufferView, ...given: unknown[]) => later(fill(view), given.at(-1)),
    randomUUID,
    randomInt,
  });
  Object.defineProperties(Object.getPrototypeOf(webcrypto), {
    getRandomValues: { value: fill, writable: true, configurable: true },
    randomUUID: { value: randomUUID, writable: true, configurable: true },
  });
}
