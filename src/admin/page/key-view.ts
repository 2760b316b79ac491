/** A key as an element: one line, its own direction of writing, a mark where it is not simply text. */

import { utf8Of } from "./bytes.js";
import { el } from "./dom.js";
import { escapedBytes, escapeUnseen, type KeyStyle, keyTextOf } from "./key-text.js";

const SHOWN_CHARACTERS = 400;

export function keyElement(key: Uint8Array, style: KeyStyle): HTMLElement {
  const { text, form } = keyTextOf(key.subarray(0, SHOWN_CHARACTERS * 2), style);
  const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  if (key.length === 0) return el("span", { class: "key muted" }, "the empty key");
  return el("bdi", { class: `key ${form}`, title: shown }, shown);
}

/** The beginning of a value, on one line. */
export function valuePreview(beginning: Uint8Array, isTruncated: boolean): HTMLElement {
  const text = isTruncated ? beginningOfText(beginning) : utf8Of(beginning);
  const shown = text === null ? escapedBytes(beginning) : escapeUnseen(text);
  return el(
    "bdi",
    { class: text === null ? "preview bytes" : "preview" },
    `${shown}${isTruncated ? "…" : ""}`,
  );
}

/** Without a character that is cut off. Null when it is no UTF-8. */
function beginningOfText(bytes: Uint8Array): string | null {
  for (let cut = 0; cut < 4; cut++) {
    const text = utf8Of(bytes.subarray(0, bytes.length - cut));
    if (text !== null) return text;
  }
  return null;
}
