/** The current step in full: what it is, who did it, when, how it went, what it changed, and what a crash took. */

import { byId, count, el, onceAFrame, timeText } from "../../../src/admin/page/dom.js";
import type { DiskView } from "./disk-view.js";
import type { State } from "./state.js";
import type { Trace } from "./trace.js";

const EFFECTS_SHOWN = 6;

export class Moment {
  private readonly trace: Trace;
  private readonly state: State;
  private readonly disk: DiskView;
  private readonly box = byId("moment", HTMLElement);
  private readonly where = byId("where", HTMLSpanElement);
  private readonly redraw = onceAFrame(() => this.draw());

  constructor(trace: Trace, state: State, disk: DiskView) {
    this.trace = trace;
    this.state = state;
    this.disk = disk;
    state.listen((now, before) => {
      if (now.step !== before.step) this.redraw();
    });
    this.redraw();
  }

  private draw(): void {
    const { trace } = this;
    const { step } = this.state.now;
    this.where.replaceChildren(
      el("strong", {}, `Step ${count(step)}`),
      el(
        "span",
        { class: "muted" },
        ` of ${count(trace.steps - 1)} · ${timeText(trace.timeUs[step] as number)}`,
      ),
    );
    const category = trace.isGrave(step) ? "fault" : "";
    const title = el(
      "p",
      { class: `title ${category}` },
      el("span", { class: "verb" }, trace.verb(step)),
      " ",
      el("span", { class: "object" }, trace.object(step)),
    );
    const context = [trace.lane(step), trace.place(step), `process ${trace.processAt(step)}`];
    context.push(`turn ${count(trace.turn[step] as number)}`);
    const operation = trace.operationAt(step);
    if (operation >= 0 && operation !== step) context.push(trace.what(operation).replace(/ \{.*$/s, ""));
    this.box.replaceChildren(
      title,
      el("p", { class: "muted context" }, context.filter((text) => text !== "").join(" · ")),
      ...this.troubles(step),
      this.result(step),
    );
  }

  private troubles(step: number): HTMLElement[] {
    const { trace } = this;
    const outcome = trace.outcome(step);
    const faults = trace.faultsAt(step);
    const lines: HTMLElement[] = [];
    if (outcome !== "") {
      const text = trace.kind(step) === "crash" ? `at ${outcome}` : outcome;
      lines.push(el("p", { class: trace.isGrave(step) ? "outcome fault" : "outcome" }, text));
    }
    if (faults.length > 0) {
      lines.push(el("p", { class: "faults" }, ...counted(faults)));
    }
    return lines;
  }

  /** What it did; of a crash first what it decided. May be long, so that it scrolls. */
  private result(step: number): HTMLElement {
    const attributes = { class: "result", tabindex: 0, role: "group", "aria-label": "What it did" };
    return el("div", attributes, ...this.settled(step), this.effects());
  }

  private effects(): HTMLElement {
    const effects = this.disk.effects();
    if (effects.length === 0) return el("p", { class: "effects muted" }, "Nothing changes on the disk.");
    const more = effects.length - EFFECTS_SHOWN;
    const shown = more > 1 ? effects.slice(0, EFFECTS_SHOWN) : effects;
    return el(
      "ul",
      { class: "effects" },
      ...shown.map((effect) => el("li", {}, effect)),
      more > 1 ? el("li", { class: "muted" }, `and ${more} more`) : null,
    );
  }

  private settled(step: number): HTMLElement[] {
    const note = this.trace.crashNote(step);
    if (note === null || note.settled.length === 0) return [];
    const table = el(
      "table",
      { class: "settled" },
      el("caption", {}, "What was unsynced, and what became of it"),
    );
    // What was kept is as it was: the rest comes first.
    const lost = note.settled.filter(({ fate }) => fate !== "kept");
    const kept = note.settled.filter(({ fate }) => fate === "kept");
    for (const { what, fate } of [...lost, ...kept]) {
      table.append(el("tr", {}, el("td", { class: `fate ${fate}` }, fate), el("td", {}, what)));
    }
    return [table];
  }
}

/** Each kind of fault once, with how often it struck. */
function counted(faults: readonly string[]): HTMLElement[] {
  const times = new Map<string, number>();
  for (const kind of faults) times.set(kind, (times.get(kind) ?? 0) + 1);
  return [...times].map(([kind, number]) =>
    el("span", { class: "fault-chip" }, number === 1 ? kind : `${kind} × ${number}`),
  );
}
