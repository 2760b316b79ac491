/** A value as text, as JSON or byte by byte: what it looks like most, until somebody asks for another. Long ones are shown by parts. */
import { hexByte, utf8Of } from "./bytes.js";
import { el } from "./dom.js";
import { type JsonToken, jsonTokens } from "./json-text.js";
import { escapeUnseen, UNSEEN_BUT_LINES } from "./key-text.js";
import { sizeText } from "./numbers.js";

const FORMS = ["text", "JSON", "hex"] as const;
export type ValueForm = (typeof FORMS)[number];

const PART_CHARACTERS = 100_000;
const PART_BYTES = 8_192;
const BYTES_A_ROW = 16;
const COLOURED_TOKENS = 20_000;

/** `wanted` when the value has that form; `changed` is told what somebody chooses. */
export function valueView(
  value: Uint8Array,
  wanted: ValueForm | null,
  changed: (form: ValueForm) => void,
): HTMLElement {
  const text = utf8Of(value);
  const tokens = text === null ? null : jsonTokens(text);
  const can = { text: text !== null, JSON: tokens !== null, hex: true };
  const best = tokens !== null ? "JSON" : text !== null && !UNSEEN_BUT_LINES.test(text) ? "text" : "hex";
  const content = el("div", { class: "value", tabindex: 0, role: "region", "aria-label": "Value" });
  const buttons = FORMS.map((form) => {
    const button = el(
      "button",
      { type: "button", disabled: !can[form], title: can[form] ? null : `The value is no ${form}` },
      form,
    );
    button.addEventListener("click", () => {
      changed(form);
      show(form);
    });
    return button;
  });
  const show = (form: ValueForm): void => {
    for (const [at, button] of buttons.entries())
      button.setAttribute("aria-pressed", String(FORMS[at] === form));
    if (form === "hex" || text === null) content.replaceChildren(...hexParts(value));
    else if (form === "JSON" && tokens !== null) content.replaceChildren(jsonElement(tokens));
    else content.replaceChildren(...textParts(text));
  };
  show(wanted !== null && can[wanted] ? wanted : best);
  return el(
    "div",
    { class: "value-view" },
    el(
      "div",
      { class: "value-bar" },
      el("div", { class: "segmented", role: "group", "aria-label": "Show the value as" }, ...buttons),
      el("span", { class: "muted" }, sizeText(value.length)),
    ),
    content,
  );
}

export function jsonElement(tokens: readonly JsonToken[]): HTMLElement {
  if (tokens.length > COLOURED_TOKENS)
    return el("pre", {}, escapeUnseen(tokens.map(({ text }) => text).join(""), UNSEEN_BUT_LINES));
  const parts = tokens.map(({ kind, text }) =>
    kind === "plain" ? text : el("span", { class: `json-${kind}` }, escapeUnseen(text)),
  );
  return el("pre", {}, ...parts);
}

function textParts(text: string): HTMLElement[] {
  if (text === "") return [el("p", { class: "muted" }, "The value is empty.")];
  // Never between the two halves of a character.
  const whole = (at: number): number => (/[\udc00-\udfff]/.test(text.charAt(at)) ? at + 1 : at);
  return parts(text.length, PART_CHARACTERS, (from, to) =>
    escapeUnseen(text.slice(whole(from), whole(to)), UNSEEN_BUT_LINES),
  );
}

function hexParts(bytes: Uint8Array): HTMLElement[] {
  if (bytes.length === 0) return [el("p", { class: "muted" }, "The value is empty.")];
  const shown = parts(bytes.length, PART_BYTES, (from, to) => {
    const rows: string[] = [];
    for (let at = from; at < to; at += BYTES_A_ROW)
      rows.push(hexRow(bytes.subarray(at, Math.min(to, at + BYTES_A_ROW)), at));
    return `${rows.join("\n")}\n`;
  });
  shown[0]?.classList.add("hex-value");
  return shown;
}

function hexRow(bytes: Uint8Array, at: number): string {
  const pairs = Array.from(bytes, hexByte);
  const halves = [pairs.slice(0, 8).join(" "), pairs.slice(8).join(" ")].join("  ");
  const ascii = Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·",
  ).join("");
  return `${at.toString(16).padStart(6, "0")}  ${halves.padEnd(3 * BYTES_A_ROW)}  ${ascii}`;
}

/** The first part, and a button for each that follows. */
function parts(length: number, size: number, textOf: (from: number, to: number) => string): HTMLElement[] {
  const box = el("pre", {}, textOf(0, Math.min(length, size)));
  if (length <= size) return [box];
  let shown = size;
  const more = el("button", { type: "button" }, "Show more");
  more.addEventListener("click", () => {
    box.append(textOf(shown, Math.min(length, shown + size)));
    shown += size;
    if (shown >= length) more.remove();
  });
  return [box, more];
}
