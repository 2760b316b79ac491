/**
 * What the page shows now: step, file, place in it, comparison, filter. One object, changed through `change`, which
 * tells the parts of the page and keeps the address up to date, so that a link leads to the same view.
 */
import { CATEGORIES, type Category } from "./trace.js";

/** `views`: memory against medium, now. `step`: memory before the step against memory after it. */
export type Comparison = "views" | "step";

export interface PageState {
  readonly step: number;
  /** Path of the file whose bytes are shown; empty: none. */
  readonly file: string;
  readonly comparison: Comparison;
  readonly hidden: ReadonlySet<Category>;
  /** Only steps about this path; empty: all. */
  readonly onlyFile: string;
  readonly search: string;
  /** Steps that the lanes show at once. */
  readonly window: number;
}

export type Listener = (now: PageState, before: PageState) => void;

const ADDRESS_DELAY_MS = 150;

export class State {
  now: PageState;
  private readonly listeners: Listener[] = [];
  private readonly steps: number;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(steps: number, initial: PageState) {
    this.steps = steps;
    this.now = this.withAddress(initial);
  }

  listen(listener: Listener): void {
    this.listeners.push(listener);
  }

  change(part: Partial<PageState>): void {
    const before = this.now;
    const step = clamp(Math.round(part.step ?? before.step), 0, this.steps - 1);
    this.now = { ...before, ...part, step };
    for (const listener of this.listeners) listener(this.now, before);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.writeAddress(), ADDRESS_DELAY_MS);
  }

  /** Somebody has followed a link, or gone back. */
  readAddress(): void {
    const { step, file, comparison } = this.withAddress(this.now);
    this.change({ step, file, comparison });
  }

  private withAddress(state: PageState): PageState {
    const parts = new URLSearchParams(location.hash.slice(1));
    const step = Number(parts.get("step") ?? state.step);
    return {
      ...state,
      step: Number.isFinite(step) ? clamp(Math.round(step), 0, this.steps - 1) : state.step,
      file: parts.get("file") ?? state.file,
      comparison: parts.get("compare") === "step" ? "step" : state.comparison,
    };
  }

  private writeAddress(): void {
    const { step, file, comparison } = this.now;
    const parts = [`step=${step}`];
    if (file !== "") parts.push(`file=${encodeURIComponent(file).replaceAll("%2F", "/")}`);
    if (comparison === "step") parts.push("compare=step");
    const address = `#${parts.join("&")}`;
    if (location.hash !== address) history.replaceState(null, "", address);
  }
}

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

/** Everything shown but what is asked to be hidden. */
export function toggled(hidden: ReadonlySet<Category>, category: Category): ReadonlySet<Category> {
  return new Set(CATEGORIES.filter((one) => hidden.has(one) !== (one === category)));
}
