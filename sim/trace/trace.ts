/**
 * The trace of a run: everything that happened, folded into one 64-bit hash, and kept as lines while recording.
 * Promise: the hash depends on every event and its order, never on whether lines are kept, so a run and its recorded
 * replay have the same hash. Cheap: no allocation per event. Does not own: what an event's numbers mean; it detects
 * accidents, not attacks.
 */

/** At most so many marks are kept; when there are more, every second one goes. */
const MARKS_MAX = 32;
const MARK_EVERY_AT_FIRST = 64;

/** Hashes of the beginnings of a trace, after each `every` events: two runs parted between two of them. */
export interface TraceMarks {
  readonly every: number;
  readonly hashes: readonly string[];
}

/** Two runs agree up to `same` events, and no more at event `different`. */
export interface Divergence {
  readonly same: number;
  readonly different: number;
}

/** Everything that happened in a run, in order, as text or as a hash. */
export class Trace {
  /** Whether lines are kept. May be switched at any time. */
  recording: boolean;
  private low = 0x9e3779b9 | 0;
  private high = 0x85ebca6b | 0;
  private count = 0;
  private readonly kept: string[] = [];
  /** How many events came before each line that is kept. */
  private readonly keptAt: number[] = [];
  private markEvery = MARK_EVERY_AT_FIRST;
  private nextMark = MARK_EVERY_AT_FIRST;
  private marked: string[] = [];

  constructor(recording = false) {
    this.recording = recording;
  }

  /** Folds four numbers: safe integers, of which sizes and offsets may exceed 32 bits. */
  event(kind: number, a: number, b: number, c: number): void {
    this.count++;
    this.fold(kind);
    this.fold(a);
    this.fold(b);
    this.fold(c);
    // What exceeds 32 bits would be lost by the folding above; it is rare, so it pays for itself only there.
    if (b > 0xffffffff) this.fold(Math.floor(b / 0x100000000));
    if (c > 0xffffffff) this.fold(Math.floor(c / 0x100000000));
    if (this.count === this.nextMark) this.mark();
  }

  /** Folds a text, and keeps it as a line while recording. */
  text(kind: string, detail: string): void {
    this.count++;
    this.foldText(kind);
    this.foldText(detail);
    if (this.recording) this.keep(`${kind} ${detail}`);
    if (this.count === this.nextMark) this.mark();
  }

  /** Keeps a line for the reader while recording. Not part of the hash: callers fold what it says by `event`. */
  line(line: string): void {
    if (this.recording) this.keep(line);
  }

  /** 16 hexadecimal digits. Reading it changes nothing. */
  hash(): string {
    return hexadecimal(finish(this.high ^ this.count)) + hexadecimal(finish(this.low));
  }

  /** Events and texts so far. */
  get length(): number {
    return this.count;
  }

  lines(): readonly string[] {
    return this.kept;
  }

  /** The lines that were kept while the number of events was in [from, to]. */
  linesBetween(from: number, to: number): readonly string[] {
    return this.kept.filter((_, i) => (this.keptAt[i] as number) >= from && (this.keptAt[i] as number) <= to);
  }

  marks(): TraceMarks {
    return { every: this.markEvery, hashes: [...this.marked] };
  }

  private keep(line: string): void {
    this.kept.push(line);
    this.keptAt.push(this.count);
  }

  private mark(): void {
    this.marked.push(this.hash());
    if (this.marked.length >= MARKS_MAX) {
      this.marked = this.marked.filter((_, i) => i % 2 === 1);
      this.markEvery *= 2;
    }
    this.nextMark += this.markEvery;
  }

  private foldText(text: string): void {
    this.fold(text.length);
    for (let i = 0; i < text.length; i++) this.fold(text.charCodeAt(i));
  }

  /** Two multiply-and-rotate lanes with different odd constants; each step is a bijection of the lane. */
  private fold(value: number): void {
    const mixed = Math.imul(this.low ^ value, 0x9e3779b1);
    this.low = (mixed << 13) | (mixed >>> 19);
    this.high = Math.imul(this.high ^ value, 0xc2b2ae3d) + this.low;
    this.high = (this.high << 17) | (this.high >>> 15);
  }
}

/**
 * Where two runs parted, as exactly as their marks say; null when these agree as far as both go. `lengths` are the
 * numbers of events of the two runs.
 */
export function divergenceOf(
  one: TraceMarks,
  other: TraceMarks,
  lengths: readonly [number, number],
): Divergence | null {
  // Both are the first distance times a power of two.
  const every = Math.max(one.every, other.every);
  const markOf = ({ every: own, hashes }: TraceMarks, at: number) => hashes[at / own - 1];
  let same = 0;
  for (let at = every; ; at += every) {
    const [mine, theirs] = [markOf(one, at), markOf(other, at)];
    if (mine === undefined || theirs === undefined) break;
    if (mine !== theirs) return { same, different: at };
    same = at;
  }
  return lengths[0] === lengths[1] ? null : { same, different: Math.min(...lengths) + 1 };
}

function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function hexadecimal(value: number): string {
  return value.toString(16).padStart(8, "0");
}
