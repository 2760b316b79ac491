/**
 * Starts the time-travel page: unpacks the data that lies in it, makes the parts and connects them. Loads nothing.
 * The parts share the trace (what happened), the disk (what was on it) and the state (what is shown).
 */

import { byId, el } from "../../../src/admin/page/dom.js";
import { nextTheme, startTheme } from "../../../src/admin/page/theme.js";
import { MODEL_FORMAT, type TraceModel } from "../trace-model.js";
import { lastAtMost } from "../trace-reader.js";
import { forgetColours } from "./colours.js";
import { DiskView } from "./disk-view.js";
import { fillHead } from "./head.js";
import { HexPane } from "./hex-pane.js";
import { listenToKeys } from "./keys.js";
import { Moment } from "./moment.js";
import { State } from "./state.js";
import { StepList } from "./step-list.js";
import { Timeline } from "./timeline.js";
import { Trace } from "./trace.js";
import { TreePane } from "./tree-pane.js";

const WINDOW_STEPS = 160;
const PAGE_STEPS = 100;

async function start(): Promise<void> {
  const model: TraceModel = JSON.parse(new TextDecoder().decode(await unpacked("model")));
  if (model.format !== MODEL_FORMAT) throw new Error(`This page's data has format ${model.format}.`);
  const trace = new Trace(model);
  const disk = new DiskView({ model, heap: await unpacked("heap") });
  const state = new State(trace.steps, {
    step: trace.firstView(),
    file: "",
    comparison: "views",
    hidden: new Set(),
    onlyFile: "",
    search: "",
    window: WINDOW_STEPS,
  });
  const look = (): void => {
    const { step } = state.now;
    disk.goTo(step, trace.kind(step) === "crash", [trace.secondPath(step), trace.path(step)]);
  };
  look();
  // Before the parts listen, so that they see the disk of the new step.
  state.listen((now, before) => {
    if (now.step !== before.step) look();
  });
  if (state.now.file === "" && trace.headline.failure !== null) {
    state.change({ file: interestingFile(trace, disk) });
  }
  fillHead(byId("head", HTMLElement), trace, (step) => state.change({ step }));
  fillLegend();
  const timeline = new Timeline(trace, state);
  const steps = new StepList(trace, state);
  const moment = new Moment(trace, state, disk);
  const tree = new TreePane(state, disk);
  const hex = new HexPane(state, disk);
  const actions = {
    step: (rows: 1 | -1) => state.change({ step: steps.neighbour(state.now.step, rows) }),
    operation: (direction: 1 | -1) =>
      state.change({ step: along(trace.operations, state.now.step, direction) }),
    mark: (direction: 1 | -1) => state.change({ step: along(trace.marks, state.now.step, direction) }),
    first: () => state.change({ step: 0 }),
    last: () => state.change({ step: trace.steps - 1 }),
    page: (direction: 1 | -1) => state.change({ step: state.now.step + direction * PAGE_STEPS }),
    match: (direction: 1 | -1) => state.change({ step: steps.nextMatch(state.now.step, direction) }),
    difference: (direction: 1 | -1) => hex.goToDifference(direction),
    comparison: () => state.change({ comparison: state.now.comparison === "views" ? "step" : "views" }),
    onlyFile: () =>
      state.change({
        onlyFile: state.now.onlyFile === "" ? (disk.shownFile(state.now.file)?.path ?? "") : "",
      }),
    zoom: (factor: number) => timeline.zoom(factor),
    theme: nextTheme,
  };
  listenToKeys(actions);
  const onClick = (id: string, act: () => void): void =>
    byId(id, HTMLButtonElement).addEventListener("click", act);
  onClick("first", actions.first);
  onClick("last", actions.last);
  onClick("previous", () => actions.step(-1));
  onClick("next", () => actions.step(1));
  onClick("previous-mark", () => actions.mark(-1));
  onClick("next-mark", () => actions.mark(1));
  onClick("theme", actions.theme);
  const recolour = (): void => {
    forgetColours();
    timeline.resized();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  addEventListener("hashchange", () => state.readAddress());
  document.documentElement.dataset.ready = String(moment !== null && tree !== null);
}

/** Bytes that the page carries as base64 of deflated data. */
async function unpacked(id: string): Promise<Uint8Array> {
  const text = atob(byId(id, HTMLScriptElement).text);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The file that the finding names, or else one that is not as it is on the medium. */
function interestingFile(trace: Trace, disk: DiskView): string {
  const rows = disk.tree().filter(({ isDirectory }) => !isDirectory);
  const because = trace.headline.failure?.because ?? "";
  const differs = (row: (typeof rows)[number]): boolean =>
    row.volatile !== row.durable || disk.stretches(row).stretches.some(({ kind }) => kind !== "synced");
  const named = rows.find(({ path }) => because.includes(path));
  return (named ?? rows.find(differs) ?? rows[0])?.path ?? "";
}

/** The next of the ascending steps in this direction; the same step when there is none. */
function along(values: readonly number[], step: number, direction: 1 | -1): number {
  const at = lastAtMost(values, direction > 0 ? step : step - 1);
  return values[direction > 0 ? at + 1 : at] ?? step;
}

const LEGEND = [
  ["write", "write"],
  ["sync", "sync"],
  ["name", "name"],
  ["read", "read"],
  ["fault", "fault, crash"],
  ["synced", "synced"],
  ["unsynced", "not synced"],
  ["durable-only", "only on the medium"],
  ["lost", "lost"],
] as const;

function fillLegend(): void {
  const list = byId("legend", HTMLUListElement);
  for (const [name, text] of LEGEND) list.append(el("li", {}, el("i", { class: `key ${name}` }), text));
}

startTheme();
start().catch((error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  byId("head", HTMLElement).append(
    el("p", { class: "failed", role: "alert" }, `This page cannot be shown: ${text}`),
  );
  throw error;
});
