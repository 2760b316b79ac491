/** Making elements of SVG. */
import type { Attributes } from "./dom.js";

export function svg(
  name: string,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(key, String(value));
  }
  element.append(...children);
  return element;
}
