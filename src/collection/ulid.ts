/**
 * Ids for new documents (features FR-44): ULIDs, 48 bits of milliseconds and 80 bits of chance as 26 letters, whose text is ordered
 * by time. One generator's ids rise: within a millisecond, and while the wall clock stands or goes back, each is the one before
 * plus one. Format: github.com/ulid/spec.
 */
import type { Clock, Random } from "../platform/platform.js";

/** Crockford's base 32: no I, L, O, U. In the order of their code points. */
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LETTER_BITS = 5n;
const ID_LETTERS = 26;
const CHANCE_BITS = 80n;
const WORD_BITS = 32n;

export class UlidGenerator {
  readonly #clock: Clock;
  readonly #random: Random;
  #lastMs = -1;
  #last = 0n;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  next(): string {
    const nowMs = Math.floor(this.#clock.wallMs());
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#last = (BigInt(nowMs) << CHANCE_BITS) | this.#chance();
    } else {
      // Should all chance of one millisecond be used up, it runs over into the next.
      this.#last++;
      this.#lastMs = Number(this.#last >> CHANCE_BITS);
    }
    return textOf(this.#last);
  }

  #chance(): bigint {
    let bits = BigInt(this.#random.nextUint32() & 0xffff);
    for (let word = 0; word < 2; word++) bits = (bits << WORD_BITS) | BigInt(this.#random.nextUint32());
    return bits;
  }
}

function textOf(id: bigint): string {
  let text = "";
  for (let letter = ID_LETTERS - 1; letter >= 0; letter--) {
    // Five bits are an index of 32 letters.
    text += LETTERS[Number((id >> (BigInt(letter) * LETTER_BITS)) & 31n)] as string;
  }
  return text;
}
