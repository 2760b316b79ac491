/**
 * The generator behind every simulated decision: sfc32 (Chris Doty-Humphrey's Small Fast Chaotic generator, PractRand)
 * on 32-bit integers, seeded from a text and a stream name. Promise: the same (seed, name) gives the same numbers on
 * every machine, and different names give unrelated ones. Does not own: which decisions exist (`choices.ts`).
 * Not for secrets.
 */
import type { Random } from "../../src/platform/platform.js";

const TWO_POW_32 = 4294967296;
/** Outputs thrown away after seeding, so that similar seeds have parted. */
const WARM_UP_ROUNDS = 12;

export class Sfc32 implements Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: string, name: string) {
    // Three lanes of the same text with different starts; the separator keeps ("ab", "c") apart from ("a", "bc").
    const text = `${seed}\u0000${name}`;
    this.a = hashText(text, 0x9e3779b9);
    this.b = hashText(text, 0x243f6a88);
    this.c = hashText(text, 0xb7e15162);
    for (let round = 0; round < WARM_UP_ROUNDS; round++) this.nextUint32();
  }

  nextUint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform integer in [0, n), for n up to 2^32. The bias of scaling is below n / 2^32. */
  below(n: number): number {
    return Math.floor((this.nextUint32() / TWO_POW_32) * n);
  }

  /** Uniform in [0, 1), in steps of 2^-32. */
  fraction(): number {
    return this.nextUint32() / TWO_POW_32;
  }

  /** The number that `nextUint32` will give next. Changes nothing. */
  peekUint32(): number {
    return (this.a + this.b + this.counter) >>> 0;
  }
}

/** FNV-1a over UTF-16 units with the finalizer of MurmurHash3, so that every bit of the text reaches every bit. */
function hashText(text: string, start: number): number {
  let hash = start | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
