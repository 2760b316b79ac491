/** Colours of the page for canvases, read from the style sheet, so that light and dark are written down once. */
import { el } from "../../../src/admin/page/dom.js";
import { CATEGORIES, type Category } from "./trace.js";

export interface Colours {
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly panel: string;
  readonly band: string;
  readonly span: string;
  readonly spanInk: string;
  readonly fault: string;
  readonly category: Readonly<Record<Category, string>>;
  readonly font: string;
}

let known: Colours | null = null;

export function colours(): Colours {
  if (known !== null) return known;
  // A custom property is not computed by itself: what `light-dark()` comes to shows only where it is used.
  const probe = el("span", { hidden: true });
  document.body.append(probe);
  const value = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const category = Object.fromEntries(CATEGORIES.map((one) => [one, value(one)])) as Record<Category, string>;
  known = {
    ink: value("ink"),
    muted: value("muted"),
    line: value("line"),
    panel: value("panel"),
    band: value("band"),
    span: value("span"),
    spanInk: value("span-ink"),
    fault: value("fault"),
    category,
    font: getComputedStyle(document.body).fontFamily,
  };
  probe.remove();
  return known;
}

/** Light has become dark, or the other way round. */
export function forgetColours(): void {
  known = null;
}
