/**
 * A small plot of one or two numbers over time, drawn as SVG: its newest values as text, one line each, an axis that fits. Under the
 * pointer, or with the arrow keys, the values of a moment; all plots of a group show the same moment.
 */
import { el } from "./dom.js";
import type { Point, Value } from "./history.js";
import { axisEnd, durationText } from "./numbers.js";
import { svg } from "./svg.js";

export interface PlotSeries {
  readonly key: string;
  readonly label: string;
}

export interface PlotOptions {
  readonly title: string;
  readonly series: readonly PlotSeries[];
  readonly format: (value: number) => string;
  readonly isBytes?: boolean;
}

const HEIGHT_PX = 84;
const AXIS_PX = 4;

export class Plot {
  readonly element: HTMLElement;
  private readonly options: PlotOptions;
  private readonly figures: readonly HTMLElement[];
  private readonly when = el("span", { class: "when muted" });
  private readonly top = el("span", { class: "axis-end muted" });
  private readonly box: HTMLElement;
  private points: readonly Point[] = [];
  private windowMs = 1;
  private widthPx = 0;

  /** `choose` is told which moment somebody points at, as an index from the newest; null when nobody does any more. */
  constructor(options: PlotOptions, choose: (fromNewest: number | null) => void) {
    this.options = options;
    this.figures = options.series.map(() => el("strong", {}, "–"));
    const labels = options.series.map(({ label }, at) =>
      el(
        "span",
        { class: `figure series-${at}` },
        this.figures[at] ?? null,
        el("span", { class: "muted" }, ` ${label}`),
      ),
    );
    this.box = el("div", { class: "canvas", tabindex: 0, role: "img", "aria-label": options.title });
    this.element = el(
      "figure",
      { class: "plot" },
      el("figcaption", {}, el("h3", {}, options.title), this.when),
      el("div", { class: "figures" }, ...labels),
      el("div", { class: "area" }, this.top, this.box),
    );
    new ResizeObserver(([entry]) => {
      this.widthPx = entry?.contentRect.width ?? 0;
      this.draw(this.points, this.windowMs, null);
    }).observe(this.box);
    this.listen(choose);
  }

  draw(points: readonly Point[], windowMs: number, cursor: number | null): void {
    this.points = points;
    this.windowMs = windowMs;
    const newest = points.at(-1);
    const chosen = cursor === null ? newest : points.at(-1 - cursor);
    for (const [at, { key }] of this.options.series.entries()) {
      const value = chosen?.values[key] ?? null;
      (this.figures[at] as HTMLElement).textContent = value === null ? "–" : this.options.format(value);
    }
    const agoMs = (newest?.atMs ?? 0) - (chosen?.atMs ?? 0);
    this.when.textContent = cursor === null || agoMs === 0 ? "" : `${durationText(agoMs)} ago`;
    if (this.widthPx > 0) this.drawLines(newest?.atMs ?? 0, chosen === newest ? undefined : chosen);
    const said = this.options.series.map(({ label }, at) => `${label} ${this.figures[at]?.textContent}`);
    this.box.setAttribute("aria-label", `${this.options.title}: ${said.join(", ")} ${this.when.textContent}`);
  }

  private drawLines(endMs: number, chosen: Point | undefined): void {
    const { series, isBytes = false, format } = this.options;
    const shown = this.points.filter(({ atMs }) => atMs >= endMs - this.windowMs);
    const all = shown.flatMap(({ values }) => series.flatMap(({ key }) => values[key] ?? []));
    const end = axisEnd(
      all.reduce((most, value) => Math.max(most, value), 0),
      isBytes,
    );
    const x = (atMs: number): number => this.widthPx * (1 - (endMs - atMs) / this.windowMs);
    const y = (value: number): number => HEIGHT_PX - AXIS_PX - (value / end) * (HEIGHT_PX - 2 * AXIS_PX);
    this.top.textContent = all.length === 0 ? "" : format(end);
    const rule = (at: number): SVGElement =>
      svg("line", {
        class: "rule",
        x1: 0,
        x2: this.widthPx,
        y1: Math.round(y(at)) + 0.5,
        y2: Math.round(y(at)) + 0.5,
      });
    const drawing = svg(
      "svg",
      { width: this.widthPx, height: HEIGHT_PX, "aria-hidden": "true" },
      rule(0),
      rule(end / 2),
      rule(end),
    );
    // The first is what the plot is about, and lies on top.
    for (const [at, { key }] of [...series.entries()].reverse()) {
      const runs = runsOf(shown, key);
      if (at === 0)
        drawing.append(svg("path", { class: "area", d: runs.map((run) => areaOf(run, x, y)).join("") }));
      drawing.append(
        svg("path", { class: `line series-${at}`, d: runs.map((run) => lineOf(run, x, y)).join("") }),
      );
    }
    if (chosen !== undefined) {
      const at = x(chosen.atMs);
      drawing.append(svg("line", { class: "cursor", x1: at, x2: at, y1: 0, y2: HEIGHT_PX }));
      for (const [index, { key }] of series.entries()) {
        const value = chosen.values[key] ?? null;
        if (value !== null)
          drawing.append(svg("circle", { class: `series-${index}`, cx: at, cy: y(value), r: 3 }));
      }
    }
    this.box.replaceChildren(drawing);
  }

  private listen(choose: (fromNewest: number | null) => void): void {
    const { box } = this;
    let keyboard = 0;
    box.addEventListener("pointermove", (event) => {
      const newest = this.points.at(-1);
      if (newest === undefined) return;
      const share = 1 - (event.clientX - box.getBoundingClientRect().left) / this.widthPx;
      const wantedMs = newest.atMs - share * this.windowMs;
      const at = this.points.findIndex(({ atMs }) => atMs >= wantedMs);
      choose(at < 0 ? 0 : this.points.length - 1 - at);
    });
    box.addEventListener("pointerleave", () => choose(null));
    box.addEventListener("blur", () => choose(null));
    box.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: 1, ArrowRight: -1, PageUp: 30, PageDown: -30 }[event.key];
      if (event.key === "Escape") keyboard = 0;
      else if (steps === undefined) return;
      else keyboard = Math.max(0, Math.min(this.points.length - 1, keyboard + steps));
      event.preventDefault();
      choose(keyboard === 0 ? null : keyboard);
    });
  }
}

type Run = readonly (readonly [atMs: number, value: number])[];

/** Stretches without gaps. */
function runsOf(points: readonly Point[], key: string): Run[] {
  const runs: [number, number][][] = [];
  let before: Value = null;
  for (const { atMs, values } of points) {
    const value = values[key] ?? null;
    if (value !== null && before === null) runs.push([]);
    if (value !== null) runs.at(-1)?.push([atMs, value]);
    before = value;
  }
  return runs;
}

type Scale = (value: number) => number;

function lineOf(run: Run, x: Scale, y: Scale): string {
  return run
    .map(([at, value], index) => `${index === 0 ? "M" : "L"}${place(x(at))} ${place(y(value))}`)
    .join("");
}

function areaOf(run: Run, x: Scale, y: Scale): string {
  const [first] = run[0] ?? [0];
  const [last] = run.at(-1) ?? [0];
  return `${lineOf(run, x, y)}L${place(x(last))} ${place(y(0))}L${place(x(first))} ${place(y(0))}Z`;
}

function place(value: number): string {
  return value.toFixed(1);
}
