/**
 * The trace of a run: everything that happened, folded into one 64-bit hash, and kept as lines while recording.
 * Promise: the hash depends on every event and its order, never on whether lines are kept, so a run and its recorded
 * replay have the same hash. Cheap: no allocation per event. Does not own: what an event's numbers mean; it detects
 * accidents, not attacks.
 */

export class Trace {
  /** Whether lines are kept. May be switched at any time. */
  recording: boolean;
  private low = 0x9e3779b9 | 0;
  private high = 0x85ebca6b | 0;
  private count = 0;
  private readonly kept: string[] = [];

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
  }

  /** Folds a text, and keeps it as a line while recording. */
  text(kind: string, detail: string): void {
    this.count++;
    this.foldText(kind);
    this.foldText(detail);
    if (this.recording) this.kept.push(`${kind} ${detail}`);
  }

  /** Keeps a line for the reader while recording. Not part of the hash: callers fold what it says by `event`. */
  line(line: string): void {
    if (this.recording) this.kept.push(line);
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

function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function hexadecimal(value: number): string {
  return value.toString(16).padStart(8, "0");
}
