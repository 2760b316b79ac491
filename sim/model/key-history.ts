/**
 * What the trace of commits says about one key: a list of (commit sequence, value or absence), ascending. The value is
 * kept as its writer and length, or as bytes where a transaction has computed it. Owns one key; the order of commits is the model's.
 */

/** In `writers`: the key is absent from this commit on. */
export const ABSENT = -1;

export class KeyHistory {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly sequences: number[] = [];
  readonly writers: number[] = [];
  readonly lengths: number[] = [];
  /** Null where writer and length say what the value is. */
  readonly literals: (Uint8Array | null)[] = [];

  constructor(key: string, bytes: Uint8Array) {
    this.key = key;
    this.bytes = bytes;
  }

  copy(): KeyHistory {
    const copy = new KeyHistory(this.key, this.bytes);
    copy.sequences.push(...this.sequences);
    copy.writers.push(...this.writers);
    copy.lengths.push(...this.lengths);
    copy.literals.push(...this.literals);
    return copy;
  }

  /** Appends; a second change by the same commit replaces the first. Sequences never go down. */
  push(sequence: number, writer: number, length: number, literal: Uint8Array | null = null): void {
    const last = this.sequences.length - 1;
    if (last >= 0 && this.sequences[last] === sequence) {
      this.writers[last] = writer;
      this.lengths[last] = length;
      this.literals[last] = literal;
      return;
    }
    this.sequences.push(sequence);
    this.writers.push(writer);
    this.lengths.push(length);
    this.literals.push(literal);
  }

  /** Index of the entry that holds after commit `sequence`; -1 when the key was never written by then. */
  indexAt(sequence: number): number {
    let index = this.sequences.length - 1;
    while (index >= 0 && (this.sequences[index] as number) > sequence) index--;
    return index;
  }

  /** The writer whose value holds after commit `sequence`, or `ABSENT`. */
  writerAt(sequence: number): number {
    const index = this.indexAt(sequence);
    return index < 0 ? ABSENT : (this.writers[index] as number);
  }

  /** Takes one commit out, as if it had never been. */
  withdraw(sequence: number): void {
    const index = this.sequences.indexOf(sequence);
    if (index >= 0) this.#splice(index, 1);
  }

  /** Forgets the states before commit `first` and after commit `last`. */
  forgetOutside(first: number, last: number): void {
    const end = this.indexAt(last) + 1;
    this.#splice(end, this.sequences.length - end);
    let begin = this.indexAt(first);
    // What holds at `first` stays, unless it is absence: an empty history says that as well.
    if (begin >= 0 && this.writers[begin] === ABSENT) begin++;
    if (begin > 0) this.#splice(0, begin);
  }

  #splice(index: number, count: number): void {
    this.sequences.splice(index, count);
    this.writers.splice(index, count);
    this.lengths.splice(index, count);
    this.literals.splice(index, count);
  }
}
