/**
 * Where things lie on the lanes: spans that overlap get rows of their own, calls a strip below them. Computed once.
 * Also finds the spans that are in sight without looking at all of them.
 */
import type { TraceModel } from "../trace-model.js";
import { lastAtMost } from "../trace-reader.js";

/** Height of a lane that has nothing but calls. */
export const LANE_PX = 20;
export const SPAN_PX = 14;
const PADDING_PX = 3;
const CALLS_PX = 12;
/** Of spans that overlap more deeply, some cover others. */
const ROWS_MAX = 4;

export class Lanes {
  /** Upper edge of each lane; two more for the lane of faults and its lower edge. */
  readonly tops: readonly number[];
  private readonly model: TraceModel;
  private readonly rowOf: Uint8Array;
  /** Spans by first step. */
  private readonly order: readonly number[];
  private readonly firsts: readonly number[];
  private readonly longest: number;

  constructor(model: TraceModel) {
    const { spans, lanes, steps } = model;
    this.model = model;
    this.order = spans.first
      .map((_first, span) => span)
      .sort((a, b) => (spans.first[a] as number) - (spans.first[b] as number));
    this.firsts = this.order.map((span) => spans.first[span] as number);
    this.longest = spans.first.reduce(
      (most, first, span) => Math.max(most, (spans.last[span] as number) - first),
      0,
    );
    this.rowOf = new Uint8Array(spans.first.length);
    const ends: number[][] = lanes.map(() => []);
    for (const span of this.order)
      this.rowOf[span] = this.takeRow(ends[spans.lane[span] as number] as number[], span);
    const withCalls = new Set(steps.lane.filter((_lane, step) => steps.kind[step] === 0));
    const tops = [0];
    lanes.forEach((_name, lane) => {
      const rows = ends[lane]?.length ?? 0;
      const calls = rows === 0 || withCalls.has(lane) ? CALLS_PX : 0;
      tops.push((tops[lane] as number) + Math.max(LANE_PX, 2 * PADDING_PX + rows * SPAN_PX + calls));
    });
    tops.push((tops[lanes.length] as number) + LANE_PX);
    this.tops = tops;
  }

  get bottom(): number {
    return this.tops.at(-1) ?? 0;
  }

  top(lane: number): number {
    return this.tops[lane] ?? 0;
  }

  spanTop(span: number): number {
    return this.top(this.model.spans.lane[span] ?? 0) + PADDING_PX + (this.rowOf[span] as number) * SPAN_PX;
  }

  /** Spans that touch these steps, by first step. */
  *spansBetween(first: number, last: number): Generator<number> {
    const { spans } = this.model;
    const from = Math.max(0, lastAtMost(this.firsts, first - this.longest));
    for (let at = from; at < this.order.length && (this.firsts[at] as number) <= last; at++) {
      const span = this.order[at] as number;
      if ((spans.last[span] as number) >= first) yield span;
    }
  }

  /** The first row that is free where the span begins. */
  private takeRow(ends: number[], span: number): number {
    const { first, last } = this.model.spans;
    let row = ends.findIndex((end) => end <= (first[span] as number));
    if (row < 0) row = ends.length < ROWS_MAX ? ends.length : ends.indexOf(Math.min(...ends));
    ends[row] = last[span] as number;
    return row;
  }
}
