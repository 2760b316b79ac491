/**
 * The directory tree of the current step, as processes see it beside as it is on the medium. Names that only one of
 * the two has are marked, and each file has a bar: what is synced, what is not, what a power loss has just taken.
 */

import { byId, bytesText, el, onceAFrame } from "../../../src/admin/page/dom.js";
import type { DiskView, Stretch, TreeRow } from "./disk-view.js";
import { sizeOf } from "./disk-view.js";
import type { State } from "./state.js";

const STRETCH_WORDS: Readonly<Record<Stretch["kind"], string>> = {
  synced: "synced",
  unsynced: "not synced",
  "durable-only": "only on the medium",
  lost: "lost at this crash",
};
/** A stretch is at least so wide, in percent, that it can be seen. */
const STRETCH_MIN = 1.5;

export class TreePane {
  private readonly state: State;
  private readonly disk: DiskView;
  private readonly box = byId("tree", HTMLDivElement);
  private readonly note = byId("tree-note", HTMLSpanElement);
  /** The file whose bytes are shown. */
  private shown = "";
  readonly redraw = onceAFrame(() => this.draw());

  constructor(state: State, disk: DiskView) {
    this.state = state;
    this.disk = disk;
    state.listen((now, before) => {
      if (now.step !== before.step || now.file !== before.file || now.onlyFile !== before.onlyFile)
        this.redraw();
    });
    this.redraw();
  }

  private draw(): void {
    const rows = this.disk.tree();
    this.shown = this.disk.shownFile(this.state.now.file)?.path ?? "";
    const differing = this.disk.unsyncedRows(rows);
    this.note.textContent = this.noteText(differing);
    if (rows.length === 0) {
      this.box.replaceChildren(el("p", { class: "empty muted" }, "The disk is empty."));
      return;
    }
    const table = el(
      "table",
      { class: "names" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("th", { scope: "col" }, "Name"),
          el("th", { scope: "col", class: "size", title: "What processes see" }, "Memory"),
          el(
            "th",
            { scope: "col", class: "bars" },
            el("span", { class: "visually-hidden" }, "What is synced"),
          ),
          el("th", { scope: "col", class: "size", title: "What is durable" }, "Medium"),
        ),
      ),
    );
    const body = el("tbody");
    for (const row of rows) body.append(this.row(row));
    table.append(body);
    // Rows are made anew: who was on a name's button stays on it.
    const focused =
      document.activeElement instanceof HTMLElement ? document.activeElement.dataset.path : undefined;
    this.box.replaceChildren(table);
    if (focused !== undefined) {
      for (const button of body.querySelectorAll<HTMLElement>("button[data-path]")) {
        if (button.dataset.path === focused) button.focus({ preventScroll: true });
      }
    }
  }

  private noteText(differing: number): string {
    if (this.disk.isCrash) return differing === 0 ? "nothing was lost" : `${differing} lost something`;
    if (differing === 0) return "memory and medium are equal";
    return `${differing} ${differing === 1 ? "differs" : "differ"} from the medium`;
  }

  private row(row: TreeRow): HTMLElement {
    const [mark, meaning, className] = markOf(row);
    const isSelected = row.path === this.shown;
    const label = row.isDirectory ? `${row.name}/` : row.name;
    const name = row.isDirectory
      ? el("span", { class: "directory" }, label)
      : el("button", { type: "button", "data-path": row.path, "aria-pressed": String(isSelected) }, label);
    if (name instanceof HTMLButtonElement) {
      name.addEventListener("click", () => this.state.change({ file: row.path }));
    }
    const classes = `${className}${isSelected ? " selected" : ""}${row.touched ? " touched" : ""}`;
    return el(
      "tr",
      { class: classes },
      el(
        "th",
        { scope: "row", style: `padding-left:${10 + row.depth * 14}px` },
        el("span", { class: "mark", title: meaning, "aria-label": meaning }, mark),
        name,
        row.touched
          ? el("span", { class: "dot", title: "changed by this step", "aria-label": "changed by this step" })
          : null,
      ),
      el("td", { class: "size" }, this.sizeText(row, "volatile")),
      el("td", { class: "bars" }, row.isDirectory ? null : this.bar(row)),
      el("td", { class: "size" }, this.sizeText(row, "durable")),
    );
  }

  private sizeText(row: TreeRow, view: "volatile" | "durable"): string {
    const node = row[view];
    if (node === 0) return "—";
    if (row.isDirectory) return "";
    return bytesText(sizeOf(this.disk.file(node), view));
  }

  private bar(row: TreeRow): HTMLElement {
    const { size, stretches } = this.disk.stretches(row);
    const words = new Map<Stretch["kind"], number>();
    const bar = el("div", { class: "extent" });
    for (const { start, end, kind } of stretches) {
      words.set(kind, (words.get(kind) ?? 0) + end - start);
      const width = Math.max(STRETCH_MIN, ((end - start) / size) * 100);
      bar.append(el("i", { class: kind, style: `flex:${width} 0 2px` }));
    }
    const text = [...words].map(([kind, bytes]) => `${bytesText(bytes)} ${STRETCH_WORDS[kind]}`).join(", ");
    bar.setAttribute("role", "img");
    bar.setAttribute("aria-label", text === "" ? "empty" : text);
    bar.title = text === "" ? "empty" : text;
    return bar;
  }
}

function markOf(row: TreeRow): readonly [mark: string, meaning: string, className: string] {
  if (row.volatile === 0 && row.durable === 0) return ["×", "lost at this crash", "lost"];
  if (row.durable === 0) return ["+", "the name is not durable: only processes see it", "volatile-only"];
  if (row.volatile === 0) return ["−", "only on the medium: its removal is not durable", "durable-only"];
  if (row.volatile !== row.durable) return ["≠", "another file has this name on the medium", "replaced"];
  return ["", "", ""];
}
