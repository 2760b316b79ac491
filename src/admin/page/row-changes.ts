/**
 * Setting and deleting rows, each after a question. Every change is a transaction that expects the row to be what was shown, so that
 * nobody undoes what somebody else has written meanwhile without having seen it.
 */
import { request } from "./api.js";
import { base64urlOf, bytesOfText, TEXT_ENCODINGS, type TextEncoding, textOfBytes, utf8Of } from "./bytes.js";
import { confirmAction } from "./dialogs.js";
import { el } from "./dom.js";
import { chosenForm, formSelect } from "./form-select.js";
import { bytesOfInput, INPUT_FORMS } from "./key-input.js";
import { UNSEEN_BUT_LINES } from "./key-text.js";
import { keyElement } from "./key-view.js";
import { sizeText } from "./numbers.js";

/** A value of this size can be edited; a larger one would be a file. */
export const EDITED_BYTES_MAX = 1024 * 1024;

/** The key of the row that was set, or null. */
export async function putNewRow(): Promise<Uint8Array | null> {
  const keyForm = formSelect(INPUT_FORMS, "The key is written as", "new-key-form");
  const valueForm = formSelect(TEXT_ENCODINGS, "The value is written as", "new-value-form");
  const key = el("input", { id: "new-key", autocomplete: "off", spellcheck: "false" });
  const value = el("textarea", { id: "new-value", rows: 8, spellcheck: "false" });
  let bytes: Uint8Array | null = null;
  const isDone = await confirmAction({
    title: "New row",
    content: [
      el("div", { class: "label-line" }, el("label", { for: "new-key" }, "Key"), keyForm),
      key,
      el("div", { class: "label-line" }, el("label", { for: "new-value" }, "Value"), valueForm),
      value,
    ],
    action: "Add the row",
    act: async () => {
      bytes = bytesOfInput(key.value, chosenForm(keyForm));
      await change(bytes, null, bytesOfInput(value.value, chosenForm(valueForm)));
    },
  });
  return isDone ? bytes : null;
}

/** Asks for a new value, and whether it is to replace the one that was shown. Resolves to whether it has. */
export function replaceRow(key: Uint8Array, shown: Uint8Array): Promise<boolean> {
  let form = formOf(shown);
  const select = formSelect(TEXT_ENCODINGS, "The value is written as", "edit-value-form");
  const value = el("textarea", { id: "edit-value", rows: 14, spellcheck: "false" });
  const size = el("p", { class: "muted", "aria-live": "polite" });
  select.value = form;
  value.value = textOfBytes(shown, form) ?? "";
  const say = (): void => {
    const bytes = bytesOfText(value.value, form);
    size.textContent = `${sizeText(shown.length)} now, ${bytes === null ? `and this is not ${form}` : `${sizeText(bytes.length)} then`}`;
  };
  value.addEventListener("input", say);
  select.addEventListener("change", () => {
    const wanted = TEXT_ENCODINGS.find((one) => one === select.value) ?? "hex";
    const bytes = bytesOfText(value.value, form);
    const text = bytes === null ? null : textOfBytes(bytes, wanted);
    // What cannot be written so stays as it is.
    if (text === null) select.value = form;
    else {
      form = wanted;
      value.value = text;
    }
    say();
  });
  say();
  return confirmAction({
    title: "Replace the value",
    content: [
      el("p", {}, keyElement(key, "auto")),
      el("div", { class: "label-line" }, el("label", { for: "edit-value" }, "Value"), select),
      value,
      size,
    ],
    action: "Replace",
    act: () => change(key, shown, bytesOfInput(value.value, form)),
  });
}

export function deleteRow(key: Uint8Array, shown: Uint8Array): Promise<boolean> {
  return confirmAction({
    title: "Delete this row?",
    content: [
      el("p", {}, keyElement(key, "auto")),
      el("p", {}, `Its value of ${sizeText(shown.length)} is gone then. This cannot be taken back here.`),
    ],
    action: "Delete",
    isDangerous: true,
    act: () => change(key, shown, null),
  });
}

/** Null: no row. */
async function change(key: Uint8Array, expected: Uint8Array | null, value: Uint8Array | null): Promise<void> {
  const name = base64urlOf(key);
  await request("POST", "/v1/transactions", {
    body: {
      keyEncoding: "base64url",
      expect: [{ key: name, value: expected === null ? null : base64urlOf(expected) }],
      writes: [
        value === null
          ? { type: "delete", key: name }
          : { type: "put", key: name, value: base64urlOf(value) },
      ],
    },
  });
}

/** What a text area keeps as it is: it turns every end of line into one. */
function formOf(value: Uint8Array): TextEncoding {
  const text = utf8Of(value);
  return text === null || UNSEEN_BUT_LINES.test(text) ? "hex" : "utf8";
}
