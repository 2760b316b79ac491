/** The head of the page: what failed, why, and how to see it again. Said once, from the trace's headline. */
import { count, el } from "../../../src/admin/page/dom.js";
import type { Trace } from "./trace.js";

export function fillHead(head: HTMLElement, trace: Trace, goTo: (step: number) => void): void {
  const { headline } = trace;
  const { failure, rootCause, reproduce } = headline;
  head.append(
    el(
      "p",
      { class: "subject" },
      headline.subject,
      el(
        "span",
        { class: "muted" },
        ` · ${count(trace.steps)} steps · ${count(trace.crashes.length)} ${trace.crashes.length === 1 ? "crash" : "crashes"}`,
      ),
    ),
  );
  if (failure === null) head.append(el("h1", { class: "passed" }, "No promise was broken"));
  else {
    const name = failure.oracle === "" ? null : el("span", { class: "oracle" }, failure.oracle);
    head.append(
      el("h1", { class: "failed" }, name, el("span", { class: "broken" }, "broken: "), failure.promise),
    );
  }
  const list = el("dl");
  const add = (term: string, ...what: (Node | string | null)[]): void => {
    list.append(el("div", {}, el("dt", {}, term), el("dd", {}, ...what)));
  };
  if (failure !== null) add("Found", `${failure.because} `, stepLink(trace.failedAt(), "at step", "", goTo));
  if (rootCause !== null) add("Cause", rootCause);
  if (trace.crashes.length > 0) add("Crashes", crashLinks(trace, goTo));
  if (reproduce !== "") add("Repeat", command(reproduce));
  head.append(list, details(trace));
}

/** The crashes one after another; of many the first and the last ones. */
const CRASHES_SHOWN = 8;

function crashLinks(trace: Trace, goTo: (step: number) => void): HTMLElement {
  const line = el("span", { class: "links" });
  const { crashes } = trace;
  crashes.forEach((step, index) => {
    const isShown =
      crashes.length <= CRASHES_SHOWN || index < 2 || index >= crashes.length - CRASHES_SHOWN + 2;
    if (!isShown) {
      if (index === 2) line.append(el("span", { class: "muted" }, "…"));
      return;
    }
    line.append(stepLink(step, `${trace.what(step)} at`, trace.outcome(step), goTo));
  });
  return line;
}

function stepLink(step: number, text: string, title: string, goTo: (step: number) => void): HTMLElement {
  const link = el("a", { href: `#step=${step}`, title }, `${text} ${count(step)}`);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    goTo(step);
  });
  return link;
}

function command(text: string): HTMLElement {
  const button = el("button", { class: "quiet", type: "button" }, "Copy");
  button.addEventListener("click", () => {
    // Without permission the text is there to be selected.
    navigator.clipboard?.writeText(text).then(
      () => {
        button.textContent = "Copied";
      },
      () => {
        button.textContent = "Select and copy";
      },
    );
  });
  return el("span", { class: "command" }, el("code", {}, text), button);
}

function details(trace: Trace): HTMLElement {
  const { facts, failure } = trace.headline;
  const list = el("dl");
  for (const [name, text] of facts) {
    list.append(
      el("div", {}, el("dt", {}, name), el("dd", {}, name === "options" ? el("code", {}, text) : text)),
    );
  }
  const stack = failure === null || failure.stack === "" ? null : el("pre", { tabindex: 0 }, failure.stack);
  return el("details", {}, el("summary", {}, "Options and stack"), list, stack);
}
