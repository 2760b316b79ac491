/** A problem as the page shows it: its code, what was wrong, and what to do about it. */
import { el } from "./dom.js";
import { Problem } from "./problem.js";

/** Only where the server's own sentence does not say what to do with this page. */
const ADVICE: Readonly<Record<string, string>> = {
  UNAUTHORIZED: "Give the token that the server was started with.",
  NO_ANSWER: "Is `stillwater serve` still running? The page tries again by itself.",
  NOT_JSON: "Something other than Stillwater answers at this address, or in between.",
  READ_ONLY: "Start the server without its read-only option to change anything.",
  FAILED_STOP: "Restart the program that has the store open; it recovers to the last durable commit.",
  PRECONDITION_FAILED: "Read it anew, and decide again.",
  INTERNAL: "The server's own log says more.",
};

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem("PAGE", 0, error instanceof Error ? error.message : String(error));
}

/** `retry` is offered where it is given. */
export function problemBox(error: unknown, retry?: () => void): HTMLElement {
  const { code, message } = problemOf(error);
  const advice = ADVICE[code];
  const box = el(
    "div",
    { class: "problem", role: "alert" },
    el("code", {}, code),
    el("p", {}, message, advice === undefined ? null : el("span", { class: "muted" }, ` ${advice}`)),
  );
  if (retry === undefined) return box;
  const button = el("button", { type: "button" }, "Try again");
  button.addEventListener("click", retry);
  box.append(button);
  return box;
}
