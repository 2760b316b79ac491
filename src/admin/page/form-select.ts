/** Which form something that is typed has, as a choice. */
import { el } from "./dom.js";
import { FORM_NAMES, INPUT_FORMS, type InputForm } from "./key-input.js";

export function formSelect(forms: readonly InputForm[], label: string, id: string): HTMLSelectElement {
  return el(
    "select",
    { id, "aria-label": label },
    ...forms.map((form) => el("option", { value: form }, FORM_NAMES[form])),
  );
}

/** The form that a select of `formSelect` says. */
export function chosenForm({ value }: HTMLSelectElement): InputForm {
  return INPUT_FORMS.find((form) => form === value) ?? "utf8";
}
