/**
 * One decision per call about all the faults that this kind of call may suffer: none, or which one and how. A single
 * choice, so that deleting it from a log removes that fault and shifts nothing. Does not own: what a fault does.
 */
import type { ChoiceStream } from "../choices/choices.js";

const TWO_POW_32 = 4294967296;
/** How many ways a fault may play out; the mechanism maps them to what is possible. */
const DETAILS = 1 << 20;

export class FaultDice {
  /** Of the last roll: in [0, 2^20), for the fault to shape itself by. */
  detail = 0;
  private readonly stream: ChoiceStream;
  private readonly label: string;
  private readonly probabilities: readonly number[];
  /** Upper bound of each kind's share of the 32-bit range. */
  private readonly bounds: number[] = [];

  constructor(stream: ChoiceStream, label: string, probabilities: readonly number[]) {
    this.stream = stream;
    this.label = label;
    this.probabilities = probabilities;
    let sum = 0;
    for (const probability of probabilities) {
      sum = Math.min(1, sum + probability);
      this.bounds.push(sum * TWO_POW_32);
    }
  }

  /** The number of the kind that strikes, or -1. Uses one index of the stream, enabled or not. */
  roll(enabled: boolean): number {
    const kinds = this.probabilities.length;
    const answer = this.stream.propose(enabled && !this.stream.replaying ? this.draw() : 0, this.label);
    if (answer === 0 || !enabled) return -1;
    const kind = (answer - 1) % kinds;
    this.detail = Math.floor((answer - 1) / kinds) % DETAILS;
    return (this.probabilities[kind] as number) > 0 ? kind : -1;
  }

  private draw(): number {
    const kinds = this.probabilities.length;
    const at = this.stream.random.nextUint32();
    if (at >= (this.bounds[kinds - 1] as number)) return 0;
    const kind = this.bounds.findIndex((bound) => at < bound);
    return 1 + kind + kinds * this.stream.random.below(DETAILS);
  }
}

/** A well-mixed number from two: turns one detail into a decision per page without further choices. */
export function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x165667b1, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return (hash ^ (hash >>> 15)) >>> 0;
}
