/** Questions that stop everything else: for a token, and whether something is really to be changed. */
import { byId, el } from "./dom.js";
import { problemBox } from "./problems.js";

/** Asks for the token of the server. Resolves when one was given: without one there is nothing to see. */
export function askForToken(isWrong: boolean): Promise<string> {
  const dialog = byId("token", HTMLDialogElement);
  const input = el("input", {
    id: "token-input",
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
    size: 40,
  });
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", { id: "token-title" }, "This server asks for a token"),
    el(
      "p",
      { class: "muted" },
      "It was chosen, or printed, when the server was started. It is kept in this tab until it is closed, and sent in a header only.",
    ),
    isWrong ? el("p", { class: "bad", role: "alert" }, "The server does not take that one.") : null,
    el("label", { for: "token-input" }, "Token"),
    input,
    el("div", { class: "buttons" }, el("button", { type: "submit", class: "primary" }, "Open")),
  );
  dialog.replaceChildren(form);
  const closed = new AbortController();
  // Escape would leave a page that says nothing.
  dialog.addEventListener("cancel", (event) => event.preventDefault(), { signal: closed.signal });
  return new Promise((resolve) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      closed.abort();
      dialog.close();
      resolve(input.value.trim());
      input.value = "";
    });
    dialog.showModal();
  });
}

export interface Question {
  readonly title: string;
  readonly content: readonly (Node | string)[];
  readonly action: string;
  readonly isDangerous?: boolean;
  /** Does it. While it fails, the dialog stays open and says why. */
  act(): Promise<void>;
}

/** Resolves to whether it was done. */
export function confirmAction({
  title,
  content,
  action,
  isDangerous = false,
  act,
}: Question): Promise<boolean> {
  const dialog = byId("confirm", HTMLDialogElement);
  const cancel = el("button", { type: "button" }, "Cancel");
  const go = el("button", { type: "submit", class: isDangerous ? "danger" : "primary" }, action);
  const trouble = el("div", { "aria-live": "polite" });
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", { id: "confirm-title" }, title),
    ...content,
    trouble,
    el("div", { class: "buttons" }, cancel, go),
  );
  dialog.replaceChildren(form);
  return new Promise((resolve) => {
    let isDone = false;
    cancel.addEventListener("click", () => dialog.close());
    const closed = new AbortController();
    const finish = (): void => {
      // The event comes late: it may be that of the question before, when this one is open already.
      if (dialog.open) return;
      closed.abort();
      resolve(isDone);
    };
    dialog.addEventListener("close", finish, { signal: closed.signal });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      go.disabled = true;
      try {
        await act();
        isDone = true;
        dialog.close();
      } catch (error) {
        trouble.replaceChildren(problemBox(error));
      } finally {
        go.disabled = false;
      }
    });
    dialog.showModal();
    // What cannot be taken back is not what Enter does.
    (form.querySelector<HTMLElement>("textarea, input, select") ?? (isDangerous ? cancel : go)).focus();
  });
}

export function showKeys(keys: readonly (readonly [keys: string, meaning: string])[]): void {
  const dialog = byId("keys", HTMLDialogElement);
  const close = el("button", { type: "button" }, "Close");
  close.addEventListener("click", () => dialog.close());
  const list = el("dl");
  for (const [names, meaning] of keys) {
    list.append(
      el(
        "div",
        {},
        el("dt", {}, ...names.split("  ").map((key) => el("kbd", {}, key))),
        el("dd", {}, meaning),
      ),
    );
  }
  dialog.replaceChildren(el("h2", { id: "keys-title" }, "Keys"), list, close);
  dialog.showModal();
}
