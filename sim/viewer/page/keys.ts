/** The keyboard, and the dialog that explains it. Keys do nothing while somebody types. */
import { byId, el } from "../../../src/admin/page/dom.js";

export interface Actions {
  step(rows: 1 | -1): void;
  operation(direction: 1 | -1): void;
  mark(direction: 1 | -1): void;
  first(): void;
  last(): void;
  page(direction: 1 | -1): void;
  match(direction: 1 | -1): void;
  difference(direction: 1 | -1): void;
  comparison(): void;
  onlyFile(): void;
  zoom(factor: number): void;
  theme(): void;
}

const KEYS: readonly (readonly [keys: string, meaning: string])[] = [
  ["← →", "one step"],
  ["Shift + ← →", "one operation"],
  ["n  p", "next, previous fault or crash"],
  ["Home  End", "first, last step"],
  ["PageUp  PageDown", "a hundred steps"],
  ["/", "search; Enter and Shift + Enter go through what is found"],
  ["d  Shift + d", "next, previous difference in the bytes"],
  ["c", "compare memory with medium, or before with after the step"],
  ["f", "only the steps of the file that is shown"],
  ["+  −", "zoom the lanes (Ctrl + wheel over them does, too)"],
  ["t", "light, dark"],
  ["?", "this help"],
];

export function listenToKeys(actions: Actions): void {
  const dialog = byId("keys", HTMLDialogElement);
  fillDialog(dialog);
  byId("help", HTMLButtonElement).addEventListener("click", () => dialog.showModal());
  const search = byId("search", HTMLInputElement);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") actions.match(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") search.blur();
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open || isTyping(event.target)) return;
    const act = actionOf(event, actions, dialog, search);
    if (act === null) return;
    event.preventDefault();
    act();
  });
}

function actionOf(
  event: KeyboardEvent,
  actions: Actions,
  dialog: HTMLDialogElement,
  search: HTMLInputElement,
): (() => void) | null {
  const { shiftKey } = event;
  switch (event.key) {
    case "ArrowRight":
      return () => (shiftKey ? actions.operation(1) : actions.step(1));
    case "ArrowLeft":
      return () => (shiftKey ? actions.operation(-1) : actions.step(-1));
    case "ArrowDown":
      return isIn(event.target, "steps") ? () => actions.step(1) : null;
    case "ArrowUp":
      return isIn(event.target, "steps") ? () => actions.step(-1) : null;
    case "n":
      return () => actions.mark(1);
    case "p":
      return () => actions.mark(-1);
    case "Home":
      return () => actions.first();
    case "End":
      return () => actions.last();
    case "PageDown":
      return isIn(event.target, "hex") ? null : () => actions.page(1);
    case "PageUp":
      return isIn(event.target, "hex") ? null : () => actions.page(-1);
    case "/":
      return () => search.focus();
    case "d":
      return () => actions.difference(1);
    case "D":
      return () => actions.difference(-1);
    case "c":
      return () => actions.comparison();
    case "f":
      return () => actions.onlyFile();
    case "+":
    case "=":
      return () => actions.zoom(1 / 1.6);
    case "-":
      return () => actions.zoom(1.6);
    case "t":
      return () => actions.theme();
    case "?":
      return () => dialog.showModal();
    default:
      return null;
  }
}

/** The slider is no place to type: its keys are the page's. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.type !== "range";
}

function isIn(target: EventTarget | null, id: string): boolean {
  return target instanceof HTMLElement && target.closest(`#${id}`) !== null;
}

function fillDialog(dialog: HTMLDialogElement): void {
  const list = el("dl");
  for (const [keys, meaning] of KEYS) {
    const names = keys.split("  ").map((key) => el("kbd", {}, key));
    list.append(el("div", {}, el("dt", {}, ...names), el("dd", {}, meaning)));
  }
  const close = el("button", { type: "button" }, "Close");
  close.addEventListener("click", () => dialog.close());
  dialog.append(el("h2", { id: "keys-title" }, "Keys"), list, close);
}
