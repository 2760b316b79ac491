/**
 * Every random decision of a simulation, as data. A decision is one answer, an integer of at least 0, at the next
 * index of a named stream; 0 is by convention the benign one. Drawn from a seed, the answers that are not 0 are
 * logged; replayed from a log, they are answered literally and everything else is 0, without the generator.
 * Promises: a draw in one stream never shifts another; the log of a run replays that run exactly; deleting one entry
 * of a log makes exactly that decision benign. Does not own: what an answer means.
 */
import { assert } from "../../src/platform/assert.js";
import { Sfc32 } from "./random.js";

export type StreamName =
  | "options"
  | "workload"
  | "disk.read"
  | "disk.write"
  | "disk.sync"
  | "disk.name"
  | "disk.close"
  | "disk.stat"
  | "disk.life"
  | "crash"
  | "schedule"
  | "latency"
  | "buggify"
  | "random"
  | "clock";

/** Plain JSON: for each stream, in order of index, the answers that are not 0. */
export type ChoiceLog = { readonly [stream: string]: readonly (readonly [index: number, answer: number])[] };

/** Told of every answer, 0 included; for a full trace. */
export type ChoiceObserver = (stream: StreamName, index: number, label: string, answer: number) => void;

export class Choices {
  readonly seed: string;
  observer: ChoiceObserver | null = null;
  private readonly replay: ChoiceLog | null;
  private readonly streams = new Map<StreamName, ChoiceStream>();

  private constructor(seed: string, replay: ChoiceLog | null) {
    this.seed = seed;
    this.replay = replay;
  }

  /** Draws from the seed, and logs. */
  static fromSeed(seed: string): Choices {
    return new Choices(seed, null);
  }

  /** Answers from the log and 0 otherwise. */
  static fromLog(seed: string, log: ChoiceLog): Choices {
    return new Choices(seed, log);
  }

  stream(name: StreamName): ChoiceStream {
    let stream = this.streams.get(name);
    if (stream === undefined) {
      stream = new ChoiceStream(
        this,
        name,
        this.replay === null ? null : flatten(name, this.replay[name] ?? []),
      );
      this.streams.set(name, stream);
    }
    return stream;
  }

  /** What was answered so far. Streams in order of their names; streams that answered only 0 are left out. */
  log(): ChoiceLog {
    const log: { [stream: string]: readonly (readonly [number, number])[] } = {};
    for (const name of [...this.streams.keys()].sort()) {
      const entries = this.stream(name).entries();
      if (entries.length > 0) log[name] = entries;
    }
    return log;
  }
}

export class ChoiceStream {
  readonly name: StreamName;
  /** For the making of proposals only: what is drawn from it is not a decision until `propose` logs it. */
  readonly random: Sfc32;
  private readonly owner: Choices;
  /** Index and answer by turns, or null when drawing from the seed. */
  private readonly replay: readonly number[] | null;
  private replayAt = 0;
  private index = 0;
  private readonly logged: number[] = [];

  /** Made by `Choices.stream` only. */
  constructor(owner: Choices, name: StreamName, replay: readonly number[] | null) {
    this.owner = owner;
    this.name = name;
    this.random = new Sfc32(owner.seed, name);
    this.replay = replay;
  }

  /** Index of the next choice. With `random.peekUint32()` it says whether two runs made the same draws. */
  get next(): number {
    return this.index;
  }

  /** Uniform in [0, n). */
  below(n: number, label: string): number {
    assert(n >= 1, "a choice needs at least one answer");
    // A log edited by a shrinker may hold an answer from a wider choice: it wraps, so that it stays a decision.
    return this.replay === null ? this.answer(this.random.below(n), label) : this.replayed(label) % n;
  }

  /** True with this probability. Uses one index at probability 0 too, and is false then whatever the log says. */
  chance(probability: number, label: string): boolean {
    if (this.replay !== null) return this.replayed(label) !== 0 && probability > 0;
    return this.answer(this.random.fraction() < probability ? 1 : 0, label) !== 0;
  }

  /**
   * A decision whose answer the caller has made from `random`, by a distribution of its own. Returns the answer that
   * holds: the proposed one, or the log's. The caller must bear any answer, since a log may be edited.
   */
  propose(answer: number, label: string): number {
    return this.replay === null ? this.answer(answer, label) : this.replayed(label);
  }

  /** True when answers come from a log, so that proposals are not asked for. */
  get replaying(): boolean {
    return this.replay !== null;
  }

  /** The answers that are not 0, in order of index. */
  entries(): (readonly [number, number])[] {
    const entries: (readonly [number, number])[] = [];
    for (let i = 0; i < this.logged.length; i += 2) {
      entries.push([this.logged[i] as number, this.logged[i + 1] as number]);
    }
    return entries;
  }

  private replayed(label: string): number {
    const replay = this.replay as readonly number[];
    while (this.replayAt < replay.length && (replay[this.replayAt] as number) < this.index)
      this.replayAt += 2;
    const logged = this.replayAt < replay.length && replay[this.replayAt] === this.index;
    return this.answer(logged ? (replay[this.replayAt + 1] as number) : 0, label);
  }

  private answer(answer: number, label: string): number {
    if (answer !== 0) this.logged.push(this.index, answer);
    if (this.owner.observer !== null) this.owner.observer(this.name, this.index, label, answer);
    this.index++;
    return answer;
  }
}

/** Checks a stream of a log, which may come from a file, and lays it out flat. */
function flatten(name: string, entries: readonly (readonly [number, number])[]): number[] {
  const flat: number[] = [];
  let last = -1;
  for (const [index, answer] of entries) {
    const sound = Number.isSafeInteger(index) && index > last && Number.isSafeInteger(answer) && answer >= 0;
    assert(sound, `choice log of stream ${name} is in order and holds answers of at least 0`);
    flat.push(index, answer);
    last = index;
  }
  return flat;
}
