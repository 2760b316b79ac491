/**
 * One decision per call about all the faults that this kind of call may suffer: none, or which one and how. A single
 * choice, so that deleting it from a log removes that fault and shifts nothing. Each kind of call has a stream of its
 * own, and an answer holds the number of the fault with a fixed stride: a fault added later at the end of a list
 * changes the meaning of no answer that exists. Does not own: what a fault does.
 */
import type { ChoiceStream } from "../choices/choices.js";

const TWO_POW_32 = 4294967296;
/** How many ways a fault may play out; the mechanism maps them to what is possible. */
const DETAILS = 1 << 20;
/** An answer is 1 + the number of the fault + this times the detail. More than any list will ever have. */
export const FAULT_STRIDE = 64;

export class FaultDice<Name extends string> {
  /** Of the last roll: in [0, 2^20), for the fault to shape itself by. */
  detail = 0;
  private readonly stream: ChoiceStream;
  private readonly names: readonly Name[];
  /** Upper bound of each fault's share of the 32-bit range. */
  private readonly bounds: number[] = [];
  /** Whether the next draw is the first fault of the list whatever the odds. */
  private isToStrike = false;

  /** `names` in the order of their numbers: it may only grow, at its end. */
  constructor(stream: ChoiceStream, names: readonly Name[], probabilities: Readonly<Record<Name, number>>) {
    this.stream = stream;
    this.names = names;
    let sum = 0;
    for (const name of names) {
      sum = Math.min(1, sum + probabilities[name]);
      this.bounds.push(sum * TWO_POW_32);
    }
  }

  /** The fault that strikes, or null. Uses one index of the stream, enabled or not. */
  roll(enabled: boolean): Name | null {
    const { stream } = this;
    const answer = stream.propose(enabled && !stream.replaying ? this.draw() : 0, stream.name);
    return answer === 0 || !enabled ? null : this.read(answer);
  }

  /** Has the next roll be the first fault of the list, if that is possible at all. A log knows it anyway. */
  strikeNext(): void {
    this.isToStrike = true;
  }

  /** A log may be edited, or be of a seed with other probabilities: a number without a fault is none. */
  private read(answer: number): Name | null {
    const number = (answer - 1) % FAULT_STRIDE;
    this.detail = Math.floor((answer - 1) / FAULT_STRIDE) % DETAILS;
    const from = number === 0 ? 0 : this.bounds[number - 1];
    const to = this.bounds[number];
    return from !== undefined && to !== undefined && to > from ? (this.names[number] as Name) : null;
  }

  private draw(): number {
    const { random } = this.stream;
    const strikes = this.isToStrike && (this.bounds[0] as number) > 0;
    this.isToStrike = false;
    const at = strikes ? 0 : random.nextUint32();
    if (at >= (this.bounds[this.bounds.length - 1] as number)) return 0;
    const number = this.bounds.findIndex((bound) => at < bound);
    return 1 + number + FAULT_STRIDE * random.below(DETAILS);
  }
}

/** A well-mixed number from two: turns one detail into a decision per page without further choices. */
export function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x165667b1, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return (hash ^ (hash >>> 15)) >>> 0;
}
