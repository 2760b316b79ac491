/**
 * The tables of every level as blocks on one line of keys, so that one sees which of them lie over which, where the bytes are, and
 * what is damaged. A block is chosen by a click or with the arrow keys; what it holds is said below, where there is room for it
 * from the beginning.
 */
import type { TableAnswer, Tables } from "./answers.js";
import { bytesOfBase64url } from "./bytes.js";
import { byId, count, el, onceAFrame } from "./dom.js";
import { type PlacedLevel, placeOnKeyLine } from "./key-line.js";
import { keyElement } from "./key-view.js";
import { sizeText } from "./numbers.js";
import { svg } from "./svg.js";

export interface ShownTable {
  readonly level: number;
  readonly number: number;
  readonly bytes: number;
  readonly entries: number;
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  readonly largestExclusive: boolean;
  readonly damaged: boolean;
}

const LANE_PX = 14;
const LANES_SHOWN = 8;
const BLOCK_PX_MIN = 2;

export class LevelsPicture {
  private readonly box = byId("levels", HTMLDivElement);
  private readonly details = byId("table-details", HTMLDivElement);
  private readonly list = byId("table-list", HTMLTableSectionElement);
  private readonly browse: (from: Uint8Array, to: Uint8Array) => void;
  private tables: readonly ShownTable[] = [];
  private placed: readonly PlacedLevel<ShownTable>[] = [];
  private chosen: number | null = null;
  private pointed: number | null = null;
  private fingerprint = "";
  private readonly redraw = onceAFrame(() => this.draw());

  constructor(browse: (from: Uint8Array, to: Uint8Array) => void) {
    this.browse = browse;
    new ResizeObserver(this.redraw).observe(this.box);
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("pointerover", (event) => this.point(tableAt(event.target)));
    this.box.addEventListener("pointerleave", () => this.point(null));
    this.box.addEventListener("click", (event) => this.choose(tableAt(event.target)));
  }

  show({ levels }: Tables): void {
    const fingerprint = JSON.stringify(
      levels.map(({ tables }) => tables.map(({ number, damaged }) => [number, damaged])),
    );
    if (fingerprint === this.fingerprint) return;
    this.fingerprint = fingerprint;
    const shown = levels.map(({ level, tables }) => tables.map((table) => shownTable(level, table)));
    this.tables = shown.flat();
    this.placed = placeOnKeyLine(shown);
    if (!this.tables.some(({ number }) => number === this.chosen)) this.chosen = null;
    this.list.replaceChildren(...this.tables.map((table) => this.listed(table)));
    this.redraw();
  }

  private draw(): void {
    const hasFocus = this.box.contains(document.activeElement);
    // The empty ones below say nothing.
    const depth = this.placed.findLastIndex(({ blocks }) => blocks.length > 0) + 1;
    const rows = this.placed.slice(0, depth).map((level, at) => this.row(level, at));
    if (this.tables.length === 0)
      rows.push(el("p", { class: "empty muted" }, "No tables yet: everything is in memory and in the log."));
    this.box.replaceChildren(...rows);
    if (hasFocus) this.focusable()?.focus();
    this.describe();
  }

  private row({ blocks, lanes }: PlacedLevel<ShownTable>, level: number): HTMLElement {
    const widthPx = Math.max(80, this.box.clientWidth - this.labelPx());
    const laneCount = Math.min(lanes, LANES_SHOWN);
    const bytes = blocks.reduce((sum, { table }) => sum + table.bytes, 0);
    const drawing = svg("svg", { width: widthPx, height: laneCount * LANE_PX, role: "presentation" });
    for (const { table, from, to, lane } of blocks) {
      const x = from * widthPx;
      drawing.append(
        svg("rect", {
          class: this.classOf(table),
          "data-table": table.number,
          role: "button",
          tabindex: table.number === (this.chosen ?? this.tables[0]?.number) ? 0 : -1,
          "aria-label": `table ${table.number}, level ${level}, ${sizeText(table.bytes)}${table.damaged ? ", damaged" : ""}`,
          "aria-pressed": String(table.number === this.chosen),
          x,
          y: (lane % laneCount) * LANE_PX + 1,
          width: Math.max(BLOCK_PX_MIN, (to - from) * widthPx - 1),
          height: LANE_PX - 2,
          rx: 1.5,
        }),
      );
    }
    const tables = blocks.length === 1 ? "1 table" : `${count(blocks.length)} tables`;
    const label = el(
      "div",
      { class: "level-label" },
      el("strong", {}, `L${level}`),
      el("span", {}, blocks.length === 0 ? "–" : sizeText(bytes)),
      el("span", { class: "muted" }, tables),
    );
    return el(
      "div",
      { class: "level", role: "group", "aria-label": `Level ${level}: ${tables}, ${sizeText(bytes)}` },
      label,
      drawing,
    );
  }

  private labelPx(): number {
    return this.box.clientWidth < 560 ? 0 : 190;
  }

  private classOf({ number, damaged }: ShownTable): string {
    return [
      "block",
      damaged ? "damaged" : "",
      number === this.chosen ? "chosen" : "",
      number === this.pointed ? "pointed" : "",
    ]
      .filter((name) => name !== "")
      .join(" ");
  }

  private point(number: number | null): void {
    if (number === this.pointed) return;
    this.pointed = number;
    this.mark();
  }

  private choose(number: number | null): void {
    this.chosen = number === this.chosen ? null : number;
    this.mark();
  }

  /** Without drawing anew, which would take the focus away. */
  private mark(): void {
    for (const rect of this.box.querySelectorAll<SVGElement>("rect")) {
      const table = this.tables.find(({ number }) => String(number) === rect.dataset["table"]);
      if (table === undefined) continue;
      rect.setAttribute("class", this.classOf(table));
      rect.setAttribute("aria-pressed", String(table.number === this.chosen));
    }
    this.describe();
  }

  private describe(): void {
    const table = this.tables.find(({ number }) => number === (this.pointed ?? this.chosen));
    if (table === undefined) {
      const hint =
        "Point at a table for what it holds; click to keep it there. Width is bytes, from the first key to the last.";
      this.details.replaceChildren(el("p", { class: "muted" }, hint));
      return;
    }
    const browse = el("button", { type: "button", class: "quiet" }, "Browse these keys");
    browse.addEventListener("click", () => this.browse(table.smallest, table.largest));
    this.details.replaceChildren(
      el(
        "p",
        {},
        el("strong", {}, `Table ${table.number}`),
        ` in level ${table.level}, ${sizeText(table.bytes)}, ${count(table.entries)} entries `,
        table.damaged ? el("span", { class: "state bad" }, "damaged: not read any more") : null,
        browse,
      ),
      el(
        "p",
        { class: "keys-of-table" },
        keyElement(table.smallest, "auto"),
        el("span", { class: "muted" }, table.largestExclusive ? " up to, without, " : " to "),
        keyElement(table.largest, "auto"),
      ),
    );
  }

  private listed(table: ShownTable): HTMLElement {
    const { level, number, bytes, entries, damaged } = table;
    return el(
      "tr",
      {},
      el("td", {}, `L${level}`),
      el("td", {}, String(number), damaged ? el("span", { class: "state bad" }, "damaged") : null),
      el("td", { class: "number" }, sizeText(bytes)),
      el("td", { class: "number" }, count(entries)),
      el("td", { class: "wide" }, keyElement(table.smallest, "auto")),
      el("td", { class: "wide" }, keyElement(table.largest, "auto")),
    );
  }

  private key(event: KeyboardEvent): void {
    const now = tableAt(event.target);
    if (event.key === "Enter" || event.key === " ") this.choose(now);
    else if (event.key === "Escape") this.choose(this.chosen);
    else {
      const next = this.neighbour(now, event.key);
      if (next === null) return;
      this.chosen = next;
      this.mark();
      this.focusable()?.focus();
    }
    event.preventDefault();
  }

  /** Left and right along a level; up and down to the table that lies nearest there. */
  private neighbour(number: number | null, key: string): number | null {
    const level = this.placed.findIndex(({ blocks }) => blocks.some(({ table }) => table.number === number));
    const blocks = this.placed[level]?.blocks ?? [];
    const at = blocks.findIndex(({ table }) => table.number === number);
    const block = blocks[at];
    if (block === undefined) return null;
    if (key === "ArrowLeft" || key === "ArrowRight")
      return blocks[at + (key === "ArrowLeft" ? -1 : 1)]?.table.number ?? number;
    if (key !== "ArrowUp" && key !== "ArrowDown") return null;
    const middle = (block.from + block.to) / 2;
    const others = this.placed.slice(
      key === "ArrowUp" ? 0 : level + 1,
      key === "ArrowUp" ? level : undefined,
    );
    const other = (key === "ArrowUp" ? others.reverse() : others).find((one) => one.blocks.length > 0);
    if (other === undefined) return number;
    const away = (one: { from: number; to: number }): number =>
      Math.max(one.from - middle, middle - one.to, 0);
    return other.blocks.reduce((best, one) => (away(one) < away(best) ? one : best)).table.number;
  }

  private focusable(): SVGElement | null {
    const number = this.chosen ?? this.tables[0]?.number;
    for (const rect of this.box.querySelectorAll<SVGElement>("rect"))
      rect.setAttribute("tabindex", rect.dataset["table"] === String(number) ? "0" : "-1");
    return this.box.querySelector(`rect[data-table="${number}"]`);
  }
}

function tableAt(target: EventTarget | null): number | null {
  const number = target instanceof SVGElement ? target.dataset["table"] : undefined;
  return number === undefined ? null : Number(number);
}

function shownTable(level: number, { smallest, largest, ...rest }: TableAnswer): ShownTable {
  return {
    ...rest,
    level,
    smallest: bytesOfBase64url(smallest) ?? new Uint8Array(),
    largest: bytesOfBase64url(largest) ?? new Uint8Array(),
  };
}
