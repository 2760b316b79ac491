/**
 * The bytes of one file, two versions side by side: as processes see it and as the medium has it, or before and after
 * the current step. Only the rows in sight exist; bytes that differ, and bytes that one side lacks, are marked.
 */

import { byId, bytesText, count, el, onceAFrame } from "../../../src/admin/page/dom.js";
import type { FileState } from "../trace-reader.js";
import { type DiskView, sizeOf, type TreeRow, type View } from "./disk-view.js";
import { type Comparison, clamp, type State } from "./state.js";

const ROW_PX = 20;
const ROWS_BEYOND = 4;
const WIDE_CHARACTERS = 118;
const ASCII_CHARACTERS = 74;

interface Side {
  readonly label: string;
  readonly file: FileState | null;
  readonly view: View;
}

export class HexPane {
  private readonly state: State;
  private readonly disk: DiskView;
  private readonly bar = byId("hex-bar", HTMLDivElement);
  private readonly box = byId("hex", HTMLDivElement);
  private readonly spread: HTMLElement;
  private sides: readonly [Side, Side] = [NOTHING, NOTHING];
  private differences: readonly (readonly [number, number])[] = [];
  private bytesARow = 16;
  private hasAscii = true;
  /** Whether both versions exist: beside none, every byte would be marked and none would say anything. */
  private hasBoth = true;
  private shownPath = "";
  readonly redraw = onceAFrame(() => this.update());
  private readonly scrolled = onceAFrame(() => this.drawRows());

  constructor(state: State, disk: DiskView) {
    this.state = state;
    this.disk = disk;
    this.spread = this.box.firstElementChild as HTMLElement;
    this.box.addEventListener("scroll", this.scrolled, { passive: true });
    new ResizeObserver(this.redraw).observe(this.box);
    state.listen((now, before) => {
      if (now.step !== before.step || now.file !== before.file || now.comparison !== before.comparison)
        this.redraw();
    });
    this.redraw();
  }

  /** Scrolls to the difference that follows what is in sight, or comes before it. */
  goToDifference(direction: 1 | -1): void {
    const top = Math.ceil(this.box.scrollTop / ROW_PX) * this.bytesARow;
    const found =
      direction > 0
        ? (this.differences.find(([start]) => start >= top + this.bytesARow) ?? this.differences[0])
        : (this.differences.findLast(([start]) => start < top) ?? this.differences.at(-1));
    if (found !== undefined) this.box.scrollTop = Math.floor(found[0] / this.bytesARow) * ROW_PX;
  }

  private update(): void {
    const { comparison } = this.state.now;
    const row = this.disk.shownFile(this.state.now.file) ?? undefined;
    const file = row?.path ?? "";
    this.sides = this.sidesOf(row, comparison);
    const [left, right] = this.sides;
    this.hasBoth = left.file !== null && right.file !== null;
    this.differences = this.hasBoth
      ? this.disk.differences(left.file, left.view, right.file, right.view)
      : [];
    const columns = Math.floor(this.box.clientWidth / characterPx());
    this.bytesARow = columns >= WIDE_CHARACTERS ? 16 : 8;
    this.hasAscii = columns >= ASCII_CHARACTERS;
    this.fillBar(file);
    const size = Math.max(sizeOf(left.file, left.view), sizeOf(right.file, right.view));
    this.spread.style.height = `${Math.ceil(size / this.bytesARow) * ROW_PX}px`;
    if (this.shownPath !== file) {
      this.shownPath = file;
      this.box.scrollTop = 0;
      this.showFirstDifference();
    } else if (comparison === "step" || this.disk.isCrash) this.showFirstDifference();
    this.drawRows();
  }

  /** A change that nobody sees would be missed. */
  private showFirstDifference(): void {
    const [first] = this.differences;
    if (first === undefined) return;
    const top = Math.floor(first[0] / this.bytesARow) * ROW_PX;
    const { scrollTop, clientHeight } = this.box;
    if (top < scrollTop || top > scrollTop + clientHeight - ROW_PX)
      this.box.scrollTop = Math.max(0, top - 2 * ROW_PX);
  }

  private sidesOf(row: TreeRow | undefined, comparison: Comparison): readonly [Side, Side] {
    const { disk } = this;
    if (row === undefined) return [NOTHING, NOTHING];
    if (comparison === "step") {
      const node = row.lost === 0 ? row.volatile || row.durable : row.lost;
      return [
        { label: "before this step", file: disk.file(node, disk.before), view: "volatile" },
        { label: "after it", file: row.volatile === 0 ? null : disk.file(row.volatile), view: "volatile" },
      ];
    }
    if (disk.isCrash) {
      const was = row.lost === 0 ? row.volatile : row.lost;
      return [
        { label: "in memory before", file: disk.file(was, disk.before), view: "volatile" },
        { label: "on the medium after", file: disk.file(row.durable), view: "durable" },
      ];
    }
    return [
      { label: "in memory", file: disk.file(row.volatile), view: "volatile" },
      { label: "on the medium", file: disk.file(row.durable), view: "durable" },
    ];
  }

  private fillBar(file: string): void {
    const { comparison } = this.state.now;
    if (file === "") {
      this.bar.replaceChildren(
        el("h2", {}, "Bytes"),
        el("span", { class: "muted" }, "Choose a file, or go to a step that is about one."),
      );
      return;
    }
    const choice = (value: Comparison, text: string, title: string): HTMLElement => {
      const button = el(
        "button",
        { type: "button", title, "aria-pressed": String(value === comparison) },
        text,
      );
      button.addEventListener("click", () => this.state.change({ comparison: value }));
      return button;
    };
    const only = el(
      "button",
      { type: "button", class: "quiet", title: "List only the steps of this file (f)" },
      "its steps",
    );
    only.addEventListener("click", () =>
      this.state.change({ onlyFile: this.state.now.onlyFile === file ? "" : file }),
    );
    const follow = el(
      "button",
      { type: "button", class: "quiet", title: "Show the file of each step instead of this one" },
      "follow",
    );
    follow.addEventListener("click", () => this.state.change({ file: "" }));
    this.bar.replaceChildren(
      el("h2", { class: "path", title: file }, file),
      only,
      this.state.now.file === file ? follow : el("span", { class: "muted" }, "following"),
      el("span", { class: "gap" }),
      el(
        "span",
        { class: "segmented", role: "group", "aria-label": "What is compared" },
        choice("views", "memory | medium", "What processes see beside what is durable"),
        choice("step", "before | after", "Memory before this step beside memory after it (c)"),
      ),
      this.versions(),
    );
  }

  private versions(): HTMLElement {
    const [left, right] = this.sides;
    const different = this.differences.reduce((sum, [start, end]) => sum + end - start, 0);
    const many = this.differences.length;
    const verdict =
      many === 0
        ? "equal"
        : `${count(many)} ${many === 1 ? "difference" : "differences"}, ${bytesText(different)}`;
    const size = (side: Side): string =>
      `${side.label} ${side.file === null ? "not there" : bytesText(sizeOf(side.file, side.view))}`;
    return el(
      "span",
      { class: "versions" },
      size(left),
      el("span", { class: "muted" }, " | "),
      size(right),
      el("span", { class: "muted" }, this.hasBoth ? ` · ${verdict}` : ""),
      many === 0 ? null : this.jump(-1, "↑", "Difference before (Shift+d)"),
      many === 0 ? null : this.jump(1, "↓", "Next difference (d)"),
    );
  }

  private jump(direction: 1 | -1, text: string, title: string): HTMLElement {
    const button = el("button", { type: "button", class: "quiet", title, "aria-label": title }, text);
    button.addEventListener("click", () => this.goToDifference(direction));
    return button;
  }

  private drawRows(): void {
    const [left, right] = this.sides;
    const sizes = [sizeOf(left.file, left.view), sizeOf(right.file, right.view)] as const;
    const total = Math.ceil(Math.max(...sizes) / this.bytesARow);
    const first = clamp(Math.floor(this.box.scrollTop / ROW_PX) - ROWS_BEYOND, 0, total);
    const last = Math.min(total, first + Math.ceil(this.box.clientHeight / ROW_PX) + 2 * ROWS_BEYOND);
    const length = Math.max(0, last - first) * this.bytesARow;
    const position = first * this.bytesARow;
    const bytes = [this.bytesOf(left, position, length), this.bytesOf(right, position, length)] as const;
    const rows: HTMLElement[] = [];
    for (let number = first; number < last; number++) {
      rows.push(this.row(number, bytes, number * this.bytesARow - position, sizes));
    }
    this.spread.replaceChildren(...rows);
  }

  private bytesOf({ file, view }: Side, position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    if (file !== null) this.disk.reader.read(file, view, bytes, position);
    return bytes;
  }

  private row(
    number: number,
    [left, right]: readonly [Uint8Array, Uint8Array],
    start: number,
    [sizeLeft, sizeRight]: readonly [number, number],
  ): HTMLElement {
    const offset = number * this.bytesARow;
    const differs: boolean[] = [];
    for (let i = 0; i < this.bytesARow; i++) {
      const at = offset + i;
      const hasLeft = at < sizeLeft;
      const hasRight = at < sizeRight;
      const isDifferent = hasLeft !== hasRight || (hasLeft && left[start + i] !== right[start + i]);
      differs.push(this.hasBoth && isDifferent);
    }
    const row = el("div", { class: "hex-row", style: `top:${number * ROW_PX}px` });
    row.append(el("span", { class: "offset" }, offset.toString(16).padStart(6, "0")));
    for (const [bytes, size, name] of [
      [left, sizeLeft, "left"] as const,
      [right, sizeRight, "right"] as const,
    ]) {
      const there = clamp(size - offset, 0, this.bytesARow);
      row.append(cells(bytes, start, there, this.bytesARow, differs, name, hexByte));
      if (this.hasAscii)
        row.append(cells(bytes, start, there, this.bytesARow, differs, `${name} ascii`, asciiByte));
    }
    return row;
  }
}

/** Bytes as text, equal ones and different ones in runs, so that a row has few elements. */
function cells(
  bytes: Uint8Array,
  start: number,
  there: number,
  width: number,
  differs: readonly boolean[],
  name: string,
  text: (byte: number | null, isLast: boolean) => string,
): HTMLElement {
  const group = el("span", { class: `bytes ${name}` });
  for (let i = 0; i < width; ) {
    const isDifferent = differs[i] === true;
    let run = "";
    const isThere = i < there;
    const goesOn = (at: number): boolean =>
      at < width && (differs[at] === true) === isDifferent && at < there === isThere;
    while (goesOn(i)) {
      const ends = !goesOn(i + 1);
      run += text(i < there ? (bytes[start + i] as number) : null, ends);
      i++;
    }
    if (isDifferent) group.append(el("mark", { class: isThere ? "" : "absent" }, run));
    else group.append(run);
    if (text === hexByte && i < width) group.append(" ");
  }
  return group;
}

function hexByte(byte: number | null, isLast: boolean): string {
  return (byte === null ? "  " : byte.toString(16).padStart(2, "0")) + (isLast ? "" : " ");
}

function asciiByte(byte: number | null): string {
  if (byte === null) return " ";
  return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·";
}

const NOTHING: Side = { label: "", file: null, view: "volatile" };

let measured = 0;

/** Width of a character of the byte view. */
function characterPx(): number {
  if (measured > 0) return measured;
  const probe = el(
    "span",
    { class: "hex-row", style: "position:absolute;visibility:hidden" },
    "0".repeat(100),
  );
  byId("hex", HTMLDivElement).append(probe);
  measured = probe.getBoundingClientRect().width / 100;
  probe.remove();
  return measured > 0 ? measured : 7;
}
