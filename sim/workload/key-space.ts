/**
 * The keys of one run: few, so that operations meet; and of every shape that has broken an ordered store: shared
 * prefixes, keys that are prefixes of others, the empty key, 0x00 and 0xFF bytes, long ones.
 */
import type { ChoiceStream } from "../choices/choices.js";
import { SUBLEVELS } from "./level-workloads.js";
import type { KeySpaceOptions } from "./options.js";

const PREFIXES = [
  "",
  "user/",
  "user/000000/",
  "\u0000",
  "\u00ff",
  "\u00ff\u00ff",
  "k\u0000",
  "index\u0001",
] as const;
const LONG_KEY_BYTES = [200, 300, 700] as const;

export class KeySpace {
  /** Ascending, without repetition. */
  readonly keys: readonly string[];
  readonly #hot: readonly string[];
  readonly #options: KeySpaceOptions;
  readonly #choices: ChoiceStream;

  /** `inSublevels`: spread over the sublevels of a Level database. */
  constructor(options: KeySpaceOptions, choices: ChoiceStream, inSublevels = false) {
    this.#options = options;
    this.#choices = choices;
    const made: string[] = [];
    for (let i = 0; i < options.count; i++) made.push(this.#make(made));
    if (inSublevels) for (let i = 0; i < made.length; i++) made[i] = this.#placed(made[i] as string);
    this.#hot = made.slice(0, options.hot);
    this.keys = [...new Set(made)].sort();
  }

  pick(): string {
    const hot = this.#choices.chance(this.#options.hotProbability, "key.hot");
    const from = hot ? this.#hot : this.keys;
    return from[this.#choices.below(from.length, "key.pick")] as string; // below(n) < n, and neither is empty
  }

  /** A place between keys: a key, the first string after it, or a shortened one. For bounds and seeks. */
  place(): string {
    const key = this.pick();
    const shape = this.#choices.below(8, "key.place");
    if (shape === 1) return `${key}\u0000`;
    if (shape === 2) return key.slice(0, -1);
    if (shape === 3) return `${key}\u00ff`;
    return key;
  }

  /** Two places in order; they may be equal. Short ranges are as likely as long ones. */
  range(): [string, string] {
    const a = this.place();
    if (this.#choices.chance(0.5, "key.short-range")) {
      const at = Math.max(0, this.keys.indexOf(a));
      const last = Math.min(this.keys.length - 1, at + this.#choices.below(8, "key.range-length"));
      const end = this.keys[last] as string; // last < length
      return a <= end ? [a, end] : [end, a];
    }
    const b = this.place();
    return a <= b ? [a, b] : [b, a];
  }

  #placed(key: string): string {
    const { prefix } = SUBLEVELS[this.#choices.below(SUBLEVELS.length, "key.sublevel")] as { prefix: string }; // below(n) < n
    return prefix + key;
  }

  #make(made: readonly string[]): string {
    const choices = this.#choices;
    const shape = choices.below(16, "key.shape");
    if (shape === 15) return "";
    if (shape >= 13 && made.length > 0) {
      const base = made[choices.below(made.length, "key.base")] as string; // below(n) < n
      return base + String.fromCharCode(choices.below(256, "key.extension"));
    }
    const prefix = PREFIXES[choices.below(PREFIXES.length, "key.prefix")] as string; // below(n) < n
    if (shape === 12) return prefix + bytes(choices, 1 + choices.below(12, "key.length"));
    if (shape === 11 && this.#options.long) {
      const length = LONG_KEY_BYTES[choices.below(LONG_KEY_BYTES.length, "key.long")] as number; // below(n) < n
      return prefix + "x".repeat(length) + choices.below(10, "key.number");
    }
    return prefix + String(choices.below(1000, "key.number")).padStart(4, "0");
  }
}

function bytes(choices: ChoiceStream, length: number): string {
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(choices.below(256, "key.byte"));
  return text;
}
