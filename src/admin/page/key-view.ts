/** A key as an element: one line, its own direction of writing, a mark where it is not simply text. */
import { el } from "./dom.js";
import { type KeyStyle, keyTextOf } from "./key-text.js";

const SHOWN_CHARACTERS = 400;

export function keyElement(key: Uint8Array, style: KeyStyle): HTMLElement {
  const { text, form } = keyTextOf(key.subarray(0, SHOWN_CHARACTERS * 2), style);
  const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  if (key.length === 0) return el("span", { class: "key muted" }, "the empty key");
  return el("bdi", { class: `key ${form}`, title: shown }, shown);
}
