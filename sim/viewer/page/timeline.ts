/**
 * Time, twice: a strip of the whole run with its faults and crashes, which is also the scrubber, and the lanes of
 * tasks around the current step. Both are canvases, drawn from the columns for what is visible only.
 */

import { byId, onceAFrame } from "../../../src/admin/page/dom.js";
import { lastAtMost } from "../trace-reader.js";
import { type Colours, colours } from "./colours.js";
import { LANE_PX, Lanes, SPAN_PX } from "./lanes.js";
import { clamp, type State } from "./state.js";
import { CATEGORIES, type Trace } from "./trace.js";

const GUTTER_PX = 116;
const NARROW_PX = 620;
const AXIS_PX = 16;
const OVERVIEW_PX = 34;
const WINDOW_MIN = 20;
const ZOOM = 1.6;

export class Timeline {
  private readonly trace: Trace;
  private readonly state: State;
  private readonly overview = byId("overview", HTMLCanvasElement);
  private readonly lanes = byId("lanes", HTMLCanvasElement);
  private readonly scrub = byId("scrub", HTMLInputElement);
  /** First step that the lanes show; may be a fraction while dragging. */
  private first = 0;
  private readonly layout: Lanes;
  private overviewImage: ImageData | null = null;
  readonly redraw = onceAFrame(() => this.draw());

  constructor(trace: Trace, state: State) {
    this.trace = trace;
    this.state = state;
    this.layout = new Lanes(trace.model);
    this.scrub.max = String(trace.steps - 1);
    this.scrub.addEventListener("input", () => state.change({ step: Number(this.scrub.value) }));
    this.lanes.addEventListener("pointerdown", (event) => this.drag(event));
    this.lanes.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    byId("zoom-in", HTMLButtonElement).addEventListener("click", () => this.zoom(1 / ZOOM));
    byId("zoom-out", HTMLButtonElement).addEventListener("click", () => this.zoom(ZOOM));
    new ResizeObserver(() => this.resized()).observe(this.lanes.parentElement as HTMLElement);
    state.listen(() => this.follow());
    this.follow();
  }

  /** The style has changed. */
  resized(): void {
    this.overviewImage = null;
    this.redraw();
  }

  zoom(factor: number, around = this.state.now.step): void {
    const window = clamp(this.window * factor, WINDOW_MIN, Math.max(WINDOW_MIN, this.trace.steps));
    const share = (around - this.first) / this.window;
    this.first = around - share * window;
    this.state.change({ window });
  }

  private get window(): number {
    return Math.min(this.state.now.window, Math.max(WINDOW_MIN, this.trace.steps));
  }

  /** Keeps the current step in sight, away from the edges. */
  private follow(): void {
    const { step } = this.state.now;
    const edge = this.window / 8;
    if (step < this.first + edge) this.first = step - edge;
    if (step > this.first + this.window - edge) this.first = step - this.window + edge;
    this.first = clamp(this.first, 0, Math.max(0, this.trace.steps - this.window));
    this.scrub.value = String(step);
    this.scrub.setAttribute("aria-valuetext", `step ${step} of ${this.trace.steps - 1}`);
    this.redraw();
  }

  private drag(down: PointerEvent): void {
    this.lanes.setPointerCapture(down.pointerId);
    const move = (event: PointerEvent): void => {
      const x = event.offsetX - this.gutter;
      this.state.change({
        step: clamp(Math.round(this.first + x / this.stepPx - 0.5), 0, this.trace.steps - 1),
      });
    };
    move(down);
    const up = (): void => {
      this.lanes.removeEventListener("pointermove", move);
    };
    this.lanes.addEventListener("pointermove", move);
    this.lanes.addEventListener("pointerup", up, { once: true });
    this.lanes.addEventListener("pointercancel", up, { once: true });
  }

  private wheel(event: WheelEvent): void {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const under = this.first + (event.offsetX - this.gutter) / this.stepPx;
      this.zoom(event.deltaY > 0 ? ZOOM : 1 / ZOOM, under);
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.first = clamp(
        this.first + event.deltaX / this.stepPx,
        0,
        Math.max(0, this.trace.steps - this.window),
      );
      this.redraw();
    }
  }

  private get gutter(): number {
    return this.lanes.clientWidth < NARROW_PX ? 0 : GUTTER_PX;
  }

  private get stepPx(): number {
    return (this.lanes.clientWidth - this.gutter) / this.window;
  }

  private draw(): void {
    this.drawOverview();
    this.drawLanes();
  }

  private drawOverview(): void {
    const { trace } = this;
    const width = this.overview.clientWidth;
    const context = prepare(this.overview, width, OVERVIEW_PX);
    const tint = colours();
    const px = (step: number): number => (step / Math.max(1, trace.steps - 1)) * (width - 2) + 1;
    if (this.overviewImage === null || this.overviewImage.width !== this.overview.width) {
      paintProcesses(context, trace, tint, px, 0, OVERVIEW_PX);
      paintDensity(context, trace, tint, width);
      for (const mark of trace.marks) {
        const isCrash = trace.kind(mark) === "crash";
        context.fillStyle = tint.fault;
        context.globalAlpha = isCrash ? 1 : 0.55;
        context.fillRect(px(mark) - 0.75, isCrash ? 0 : OVERVIEW_PX - 7, 1.5, isCrash ? OVERVIEW_PX : 7);
      }
      context.globalAlpha = 1;
      this.overviewImage = context.getImageData(0, 0, this.overview.width, this.overview.height);
    } else context.putImageData(this.overviewImage, 0, 0);
    const left = px(this.first);
    context.strokeStyle = tint.muted;
    context.strokeRect(left, 0.5, Math.max(3, px(this.first + this.window) - left), OVERVIEW_PX - 1);
    context.fillStyle = tint.ink;
    context.fillRect(px(this.state.now.step) - 1, 0, 2, OVERVIEW_PX);
  }

  private drawLanes(): void {
    const { trace, gutter } = this;
    const names = [...trace.model.lanes, "faults and crashes"];
    const bottom = this.layout.bottom;
    const height = bottom + AXIS_PX;
    const width = this.lanes.clientWidth;
    this.lanes.style.height = `${height}px`;
    const context = prepare(this.lanes, width, height);
    const tint = colours();
    context.font = `11px ${tint.font}`;
    context.textBaseline = "middle";
    const px = (step: number): number => gutter + (step - this.first) * this.stepPx;
    context.save();
    context.beginPath();
    context.rect(gutter, 0, width - gutter, height);
    context.clip();
    paintProcesses(context, trace, tint, px, 0, height - AXIS_PX);
    context.strokeStyle = tint.line;
    for (const top of this.layout.tops.slice(1)) line(context, gutter, top + 0.5, width, top + 0.5);
    this.paintSpans(context, tint, px, width);
    this.paintTicks(context, tint, px);
    this.paintMarks(context, tint, px, height);
    this.paintAxis(context, tint, px, height);
    const { step } = this.state.now;
    context.fillStyle = tint.ink;
    context.globalAlpha = 0.1;
    context.fillRect(px(step), 0, Math.max(2, this.stepPx), height);
    context.globalAlpha = 1;
    context.fillRect(px(step) + this.stepPx / 2 - 0.75, 0, 1.5, height);
    context.restore();
    context.fillStyle = tint.muted;
    // Without room beside the lanes their names stand in their upper corners.
    const y = gutter > 0 ? LANE_PX / 2 + 1 : 6;
    if (gutter === 0) context.font = `9px ${tint.font}`;
    names.forEach((name, lane) => {
      // The uppermost lane is full of spans, which say it themselves.
      if (gutter > 0 || lane > 0) context.fillText(name, 2, this.layout.top(lane) + y);
    });
  }

  private paintSpans(
    context: CanvasRenderingContext2D,
    tint: Colours,
    px: (step: number) => number,
    width: number,
  ): void {
    const { spans } = this.trace.model;
    for (const span of this.layout.spansBetween(this.first, this.first + this.window)) {
      const x = Math.max(px(spans.first[span] as number), this.gutter - 4);
      const w = Math.max(2, Math.min(px((spans.last[span] as number) + 1), width + 4) - x - 1);
      const y = this.layout.spanTop(span);
      context.fillStyle = tint.span;
      context.beginPath();
      context.roundRect(x, y, w, SPAN_PX - 1, 3);
      context.fill();
      const label = spanLabels(this.trace.string(spans.text[span])).find(
        (text) => context.measureText(text).width + 8 <= w,
      );
      if (label === undefined) continue;
      context.fillStyle = tint.spanInk;
      context.fillText(label, x + 4, y + SPAN_PX / 2);
    }
  }

  private paintTicks(context: CanvasRenderingContext2D, tint: Colours, px: (step: number) => number): void {
    const { trace } = this;
    const { lane, kind } = trace.model.steps;
    const from = Math.max(0, Math.floor(this.first));
    const to = Math.min(trace.steps - 1, Math.ceil(this.first + this.window));
    const width = clamp(this.stepPx * 0.6, 1, 7);
    for (let step = from; step <= to; step++) {
      const number = lane[step] as number;
      if (number < 0 || kind[step] !== 0) continue;
      const category = CATEGORIES[trace.category[step] as number] ?? "run";
      const tall = category === "read" ? 4 : 9;
      context.fillStyle = tint.category[category];
      const y = this.layout.top(number + 1) - 2 - tall;
      context.fillRect(px(step) + (this.stepPx - width) / 2, y, width, tall);
    }
  }

  private paintMarks(
    context: CanvasRenderingContext2D,
    tint: Colours,
    px: (step: number) => number,
    height: number,
  ): void {
    const { marks } = this.trace;
    const y = this.layout.bottom - LANE_PX + LANE_PX / 2;
    let labelEnd = 0;
    for (let i = Math.max(0, lastAtMost(marks, this.first)); i < marks.length; i++) {
      const step = marks[i] as number;
      if (step > this.first + this.window) break;
      const x = px(step) + this.stepPx / 2;
      const kind = this.trace.kind(step);
      context.fillStyle = tint.fault;
      if (kind === "crash") context.fillRect(x - 1, 0, 2, height - AXIS_PX);
      context.beginPath();
      context.moveTo(x, y - 5);
      context.lineTo(x + 5, y);
      context.lineTo(x, y + 5);
      context.lineTo(x - 5, y);
      context.fill();
      const label =
        kind === "call" || kind === "completion"
          ? (this.trace.faultsAt(step)[0] ?? "")
          : this.trace.verb(step);
      const text = kind === "crash" ? this.trace.what(step) : label;
      const wide = context.measureText(text).width;
      const next = marks[i + 1];
      if (x + 8 < labelEnd || (next !== undefined && px(next) < x + wide)) continue;
      context.fillText(text, x + 8, y + 1);
      labelEnd = x + 12 + wide;
    }
  }

  private paintAxis(
    context: CanvasRenderingContext2D,
    tint: Colours,
    px: (step: number) => number,
    height: number,
  ): void {
    context.fillStyle = tint.muted;
    const every = niceStep(this.window / Math.max(2, (this.lanes.clientWidth - this.gutter) / 90));
    for (let step = Math.ceil(this.first / every) * every; step < this.first + this.window; step += every) {
      const x = px(step) + this.stepPx / 2;
      context.fillRect(x, height - AXIS_PX, 1, 4);
      context.fillText(String(step), x + 4, height - 7);
    }
  }
}

/** Sizes the canvas for the screen and clears it. */
function prepare(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = devicePixelRatio;
  const pixelsWide = Math.max(1, Math.round(width * ratio));
  const pixelsHigh = Math.round(height * ratio);
  if (canvas.width !== pixelsWide) canvas.width = pixelsWide;
  if (canvas.height !== pixelsHigh) canvas.height = pixelsHigh;
  const context = canvas.getContext("2d", { willReadFrequently: false });
  if (context === null) throw new Error("The browser has no canvas.");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** Every second process has a shade, so that lives can be told apart. */
function paintProcesses(
  context: CanvasRenderingContext2D,
  trace: Trace,
  tint: Colours,
  px: (step: number) => number,
  y: number,
  height: number,
): void {
  context.fillStyle = tint.band;
  for (let life = 1; life < trace.lives.length; life += 2) {
    const begin = px(trace.lives[life] as number);
    context.fillRect(begin, y, px(trace.lives[life + 1] ?? trace.steps) - begin, height);
  }
}

/** How much is written and synced where, a column for each pixel. */
function paintDensity(context: CanvasRenderingContext2D, trace: Trace, tint: Colours, width: number): void {
  const columns = Math.max(1, Math.floor(width));
  const kinds = ["read", "write", "name", "sync"] as const;
  const sums = kinds.map(() => new Float64Array(columns));
  for (let step = 0; step < trace.steps; step++) {
    const at = kinds.indexOf(CATEGORIES[trace.category[step] as number] as (typeof kinds)[number]);
    const column = Math.floor((step / trace.steps) * columns);
    const sum = sums[at];
    if (sum !== undefined) sum[column] = (sum[column] as number) + 1;
  }
  const most = Math.max(1, trace.steps / columns);
  for (let column = 0; column < columns; column++) {
    let y = OVERVIEW_PX - 8;
    kinds.forEach((kind, at) => {
      const share = Math.min(1, (sums[at]?.[column] ?? 0) / most) * (OVERVIEW_PX - 14);
      context.fillStyle = tint.category[kind];
      context.fillRect(column, y - share, 1, share);
      y -= share;
    });
  }
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

/** What may be written on a span, the longest first. */
function spanLabels(text: string): readonly string[] {
  const operation = /^operation (\d+) \((\w+)\)/.exec(text);
  if (operation !== null) return [`${operation[1]} ${operation[2]}`, `${operation[1]}`];
  const commit = /^commit (\d+)/.exec(text);
  return commit === null ? [text] : [`commit ${commit[1]}`, `${commit[1]}`];
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  const share = value / power;
  if (share <= 1) return power;
  if (share <= 2) return 2 * power;
  return share <= 5 ? 5 * power : 10 * power;
}
