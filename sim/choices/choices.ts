/**
 * Every random decision of a simulation, as data. A decision is one answer, an integer of at least 0, at the next
 * index of a named stream; 0 is by convention the benign one. Drawn from a seed, the answers that are not 0 are
 * logged; replayed from a log, they are answered literally and everything else is 0, without the generator.
 *
 * A run divides itself into segments (`begin`): one for each operation, one for each crash. In each of them the indices
 * of every stream start anew, so that what is left out of one segment shifts no decision of another: a shrinker may
 * delete an operation, and the faults of all the others still strike where they did.
 *
 * Promises: a draw in one stream never shifts another; the log of a run replays that run exactly; deleting one entry
 * of a log makes exactly that decision benign. Does not own: what an answer means, or where segments begin.
 */
import { assert } from "../../src/platform/assert.js";
import { Sfc32 } from "./random.js";

export const STREAM_NAMES = [
  "options",
  "workload",
  "disk.read",
  "disk.write",
  "disk.sync",
  "disk.name",
  "disk.close",
  "disk.stat",
  "disk.life",
  "disk.lie",
  "crash.rename",
  "crash",
  "schedule",
  "latency",
  "buggify",
  "random",
  "clock",
  "yields",
  "lateness",
  "process",
  "strays",
  "space",
  "rest",
  "clients",
  "backups",
  "disk.hold",
] as const;
/** The kinds of questions. */
export type StreamName = (typeof STREAM_NAMES)[number];

/** Where a decision is: `segment:index`, or the bare index before the first segment begins. */
export type ChoiceAddress = number | string;

/** Plain JSON: for each stream, in the order in which they were made, the answers that are not 0. */
export type ChoiceLog = {
  readonly [stream: string]: readonly (readonly [at: ChoiceAddress, answer: number])[];
};

/** Told of every answer, 0 included; for a full trace. `index` is the one in the segment. */
export type ChoiceObserver = (stream: StreamName, index: number, label: string, answer: number) => void;

/** Streams that are drawn in spite of a log, and the seed that they are drawn from. */
export interface Redraw {
  readonly streams: ReadonlySet<string>;
  readonly seed: string;
}

/** All answers of a run: drawn from a seed, or taken from a log. */
export class Choices {
  readonly seed: string;
  observer: ChoiceObserver | null = null;
  private readonly replay: ChoiceLog | null;
  private readonly redraw: Redraw | null;
  private readonly streams = new Map<StreamName, ChoiceStream>();
  private readonly segments: string[] = [""];

  private constructor(seed: string, replay: ChoiceLog | null, redraw: Redraw | null) {
    this.seed = seed;
    this.replay = replay;
    this.redraw = redraw;
  }

  /** Draws from the seed, and logs. */
  static fromSeed(seed: string): Choices {
    return new Choices(seed, null, null);
  }

  /** Answers from the log and 0 otherwise; the streams of `redraw` are drawn as from a seed of their own. */
  static fromLog(seed: string, log: ChoiceLog, redraw: Redraw | null = null): Choices {
    return new Choices(seed, log, redraw);
  }

  /** From here on decisions belong to this segment. A name that comes again continues nothing: it must be new. */
  begin(segment: string): void {
    this.segments.push(segment);
  }

  /** Name of the segment that decisions belong to now; empty before the first. */
  get segment(): string {
    return this.segments[this.segments.length - 1] as string; // never empty
  }

  /** How many segments have begun. */
  get segmentNumber(): number {
    return this.segments.length - 1;
  }

  segmentAt(number: number): string {
    const segment = this.segments[number];
    assert(segment !== undefined, "the segment has begun");
    return segment;
  }

  stream(name: StreamName): ChoiceStream {
    let stream = this.streams.get(name);
    if (stream === undefined) {
      const { replay, redraw } = this;
      const redrawn = redraw?.streams.has(name) === true;
      const log = replay === null || redrawn ? null : bySegment(name, replay[name] ?? []);
      stream = new ChoiceStream(this, name, redrawn ? (redraw?.seed ?? "") : this.seed, log);
      this.streams.set(name, stream);
    }
    return stream;
  }

  /** What was answered so far. Streams in order of their names; streams that answered only 0 are left out. */
  log(): ChoiceLog {
    const log: { [stream: string]: readonly (readonly [ChoiceAddress, number])[] } = {};
    for (const name of [...this.streams.keys()].sort()) {
      const entries = this.stream(name).entries();
      if (entries.length > 0) log[name] = entries;
    }
    return log;
  }
}

const NO_ANSWERS: readonly number[] = [];

/** The answers to one kind of question; 0 is the benign one. */
export class ChoiceStream {
  readonly name: StreamName;
  /** For the making of proposals only: what is drawn from it is not a decision until `propose` logs it. */
  readonly random: Sfc32;
  private readonly owner: Choices;
  /** For each segment index and answer by turns, or null when drawing. */
  private readonly replay: ReadonlyMap<string, readonly number[]> | null;
  /** The part of `replay` for the segment, and how far it is used. */
  private answers: readonly number[] = NO_ANSWERS;
  private answersAt = 0;
  private segment = -1;
  /** In the segment, and in all. */
  private index = 0;
  private asked = 0;
  /** Segment, index and answer by turns. */
  private readonly logged: number[] = [];

  /** Made by `Choices.stream` only. */
  constructor(
    owner: Choices,
    name: StreamName,
    seed: string,
    replay: ReadonlyMap<string, readonly number[]> | null,
  ) {
    this.owner = owner;
    this.name = name;
    this.random = new Sfc32(seed, name);
    this.replay = replay;
  }

  /** Number of the next choice. With `random.peekUint32()` it says whether two runs made the same draws. */
  get next(): number {
    return this.asked;
  }

  /** Where the next choice will be in the log. */
  get address(): ChoiceAddress {
    const { segment } = this.owner;
    const index = this.segment === this.owner.segmentNumber ? this.index : 0;
    return segment === "" ? index : `${segment}:${index}`;
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

  /** The answers that are not 0, in the order in which they were given. */
  entries(): (readonly [ChoiceAddress, number])[] {
    const entries: (readonly [ChoiceAddress, number])[] = [];
    const { logged, owner } = this;
    for (let i = 0; i < logged.length; i += 3) {
      const segment = owner.segmentAt(logged[i] as number);
      const index = logged[i + 1] as number;
      entries.push([segment === "" ? index : `${segment}:${index}`, logged[i + 2] as number]);
    }
    return entries;
  }

  private replayed(label: string): number {
    this.enterSegment();
    const { answers } = this;
    // In a segment indices only grow, and so do those of the log.
    while (this.answersAt < answers.length && (answers[this.answersAt] as number) < this.index)
      this.answersAt += 2;
    const logged = this.answersAt < answers.length && answers[this.answersAt] === this.index;
    return this.answer(logged ? (answers[this.answersAt + 1] as number) : 0, label);
  }

  private answer(answer: number, label: string): number {
    this.enterSegment();
    if (answer !== 0) this.logged.push(this.segment, this.index, answer);
    if (this.owner.observer !== null) this.owner.observer(this.name, this.index, label, answer);
    this.index++;
    this.asked++;
    return answer;
  }

  private enterSegment(): void {
    if (this.segment === this.owner.segmentNumber) return;
    this.segment = this.owner.segmentNumber;
    this.index = 0;
    if (this.replay === null) return;
    this.answers = this.replay.get(this.owner.segment) ?? NO_ANSWERS;
    this.answersAt = 0;
  }
}

/** Segment and index of an address; null for what is none. */
export function parseAddress(at: ChoiceAddress): { readonly segment: string; readonly index: number } | null {
  if (typeof at === "number") return Number.isSafeInteger(at) && at >= 0 ? { segment: "", index: at } : null;
  const match = /^([^:]+):(\d{1,15})$/.exec(at);
  return match === null ? null : { segment: match[1] as string, index: Number(match[2]) };
}

/** Checks a stream of a log, which may come from a file, and lays it out by segments. */
function bySegment(
  name: string,
  entries: readonly (readonly [ChoiceAddress, number])[],
): Map<string, number[]> {
  const segments = new Map<string, number[]>();
  for (const [at, answer] of entries) {
    const address = parseAddress(at);
    const flat = segments.get(address?.segment ?? "") ?? [];
    const last = flat.length === 0 ? -1 : (flat[flat.length - 2] as number);
    const sound = address !== null && address.index > last && Number.isSafeInteger(answer) && answer >= 0;
    assert(sound, `choice log of stream ${name} is in order and holds answers of at least 0`);
    flat.push(address.index, answer);
    segments.set(address.segment, flat);
  }
  return segments;
}
