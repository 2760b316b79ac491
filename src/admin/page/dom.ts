/** Making elements: a few lines instead of a framework. Text is only ever set as text, never as markup. */

export type Attributes = Readonly<Record<string, string | number | boolean | null>>;

/** An element with attributes and children; null leaves an attribute or a child out, true gives it without a value. */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string | null)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    element.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

/** The element of the page with this id, of the class that is asked for. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`The page has no ${kind.name} #${id}.`);
  return element;
}

/** Calls `draw` once in the next frame, however often it was asked for. */
export function onceAFrame(draw: () => void): () => void {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      draw();
    });
  };
}

const NUMBERS = new Intl.NumberFormat("en-US");

export function count(value: number): string {
  return NUMBERS.format(value);
}

export function bytesText(bytes: number): string {
  if (bytes < 10_000) return `${count(bytes)} B`;
  return bytes < 10_000_000
    ? `${count(Math.round(bytes / 1024))} KiB`
    : `${count(Math.round(bytes / 1024 ** 2))} MiB`;
}

export function timeText(us: number): string {
  if (us < 1000) return `${us} µs`;
  return us < 1_000_000 ? `${(us / 1000).toFixed(2)} ms` : `${(us / 1_000_000).toFixed(3)} s`;
}
