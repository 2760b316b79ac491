/**
 * The steps as a list, of which only the rows in sight exist. Filters and search are answered from the columns; the
 * filter also says what one step of the keyboard is.
 */

import { byId, count, el, onceAFrame } from "../../../src/admin/page/dom.js";
import { lastAtMost } from "../trace-reader.js";
import { clamp, type State, toggled } from "./state.js";
import { CATEGORIES, type Category, type Trace } from "./trace.js";

const ROW_PX = 24;
const ROWS_BEYOND = 6;
const CATEGORY_WORDS: Readonly<Record<Category, string>> = {
  write: "writes",
  sync: "syncs",
  name: "names",
  read: "reads",
  run: "run",
  fault: "faults",
};

export class StepList {
  /** Steps that pass the filter, ascending. */
  shown: Uint32Array;
  private readonly trace: Trace;
  private readonly state: State;
  private readonly list = byId("steps", HTMLDivElement);
  private readonly spread: HTMLElement;
  private readonly found = byId("found", HTMLSpanElement);
  private readonly search = byId("search", HTMLInputElement);
  private readonly matches: number[] = [];
  private readonly redraw = onceAFrame(() => this.draw());

  constructor(trace: Trace, state: State) {
    this.trace = trace;
    this.state = state;
    this.spread = this.list.firstElementChild as HTMLElement;
    this.shown = this.filtered();
    this.fillFilters();
    this.list.addEventListener("scroll", this.redraw, { passive: true });
    this.list.addEventListener("click", (event) => {
      const row = (event.target as HTMLElement).closest<HTMLElement>("[data-step]");
      if (row !== null) state.change({ step: Number(row.dataset.step) });
    });
    this.search.addEventListener("input", () =>
      state.change({ search: this.search.value.trim().toLowerCase() }),
    );
    new ResizeObserver(this.redraw).observe(this.list);
    state.listen((now, before) => {
      if (now.hidden !== before.hidden || now.onlyFile !== before.onlyFile) {
        this.shown = this.filtered();
        this.fillFilters();
      }
      if (now.search !== before.search) this.find(now.search);
      this.reveal();
      this.redraw();
    });
    this.reveal();
    this.redraw();
  }

  /** The shown step that lies `rows` further. */
  neighbour(step: number, rows: 1 | -1): number {
    const at = lastAtMost(this.shown, step);
    const isShown = this.shown[at] === step;
    const to = rows > 0 || isShown ? at + rows : at;
    return this.shown[clamp(to, 0, this.shown.length - 1)] ?? step;
  }

  /** The next step that the search finds, around the end. */
  nextMatch(step: number, direction: 1 | -1): number {
    const { matches } = this;
    if (matches.length === 0) return step;
    const at = lastAtMost(matches, direction > 0 ? step : step - 1);
    const to = direction > 0 ? at + 1 : at;
    return matches[(to + matches.length) % matches.length] as number;
  }

  private find(search: string): void {
    this.matches.length = 0;
    if (search !== "") {
      for (let step = 0; step < this.trace.steps; step++) {
        if (this.trace.searchText(step).includes(search)) this.matches.push(step);
      }
    }
    this.found.textContent = search === "" ? "" : `${count(this.matches.length)} found`;
  }

  private filtered(): Uint32Array {
    const { hidden, onlyFile } = this.state.now;
    const { trace } = this;
    const shown = new Uint32Array(trace.steps);
    let length = 0;
    for (let step = 0; step < trace.steps; step++) {
      const category = CATEGORIES[trace.category[step] as number] as Category;
      const isGrave = category === "fault";
      const isHidden = hidden.has(trace.isGrave(step) ? "fault" : category);
      if (isHidden) continue;
      if (onlyFile !== "" && !isGrave && trace.path(step) !== onlyFile && trace.secondPath(step) !== onlyFile)
        continue;
      shown[length++] = step;
    }
    return shown.slice(0, length);
  }

  private fillFilters(): void {
    const { hidden, onlyFile } = this.state.now;
    const group = byId("filters", HTMLDivElement);
    group.replaceChildren();
    for (const category of CATEGORIES) {
      const isOn = !hidden.has(category);
      const button = el(
        "button",
        { type: "button", class: `chip ${category}`, "aria-pressed": String(isOn) },
        CATEGORY_WORDS[category],
      );
      button.addEventListener("click", () =>
        this.state.change({ hidden: toggled(this.state.now.hidden, category) }),
      );
      group.append(button);
    }
    if (onlyFile === "") return;
    const clear = el(
      "button",
      { type: "button", class: "chip only", title: "Show the steps of all files" },
      `${onlyFile} ✕`,
    );
    clear.addEventListener("click", () => this.state.change({ onlyFile: "" }));
    group.append(clear);
  }

  /** Scrolls so that the current step can be seen. */
  private reveal(): void {
    const at = lastAtMost(this.shown, this.state.now.step);
    const top = at * ROW_PX;
    const { scrollTop, clientHeight } = this.list;
    this.spread.style.height = `${this.shown.length * ROW_PX}px`;
    const margin = Math.min(4 * ROW_PX, clientHeight / 3);
    if (top < scrollTop + margin) this.list.scrollTop = top - margin;
    else if (top + ROW_PX > scrollTop + clientHeight - margin)
      this.list.scrollTop = top + ROW_PX - clientHeight + margin;
  }

  private draw(): void {
    const { shown, list, state } = this;
    const first = clamp(Math.floor(list.scrollTop / ROW_PX) - ROWS_BEYOND, 0, shown.length);
    const rows = Math.ceil(list.clientHeight / ROW_PX) + 2 * ROWS_BEYOND;
    const current = shown[lastAtMost(shown, state.now.step)];
    const children: HTMLElement[] = [];
    for (let at = first; at < Math.min(first + rows, shown.length); at++) {
      const step = shown[at] as number;
      children.push(this.row(step, at, step === current));
    }
    this.spread.replaceChildren(...children);
    if (current === undefined) list.removeAttribute("aria-activedescendant");
    else list.setAttribute("aria-activedescendant", `step-${current}`);
  }

  private row(step: number, at: number, isCurrent: boolean): HTMLElement {
    const { trace } = this;
    const category = trace.isGrave(step) ? "fault" : (CATEGORIES[trace.category[step] as number] as Category);
    const { search } = this.state.now;
    const isMatch = search !== "" && this.matches[lastAtMost(this.matches, step)] === step;
    const faults = trace.faultsAt(step);
    const trouble = trace.outcome(step) === "" && faults.length > 0 ? faults.join(", ") : trace.outcome(step);
    const object = trace.object(step);
    return el(
      "div",
      {
        id: `step-${step}`,
        "data-step": step,
        role: "option",
        class: `row ${category}${isMatch ? " match" : ""}`,
        "aria-selected": String(isCurrent),
        "aria-setsize": this.shown.length,
        "aria-posinset": at + 1,
        style: `top:${at * ROW_PX}px`,
        title: object,
      },
      el("span", { class: "number" }, String(step)),
      el("span", { class: "verb" }, trace.verb(step)),
      el("span", { class: "object" }, shorter(object)),
      trouble === "" ? null : el("span", { class: "trouble", title: trouble }, trouble),
    );
  }
}

/** Directories of the store say little in a narrow list. */
function shorter(object: string): string {
  return object.replace(/(^|→ )\/store\//g, "$1").replace(/^operation (\d+) \((\w+)\) /, "$1 $2 ");
}
