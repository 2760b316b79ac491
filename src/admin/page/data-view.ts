/**
 * The data browser: rows of a prefix or a range, page by page in both directions, and the value of the one that is chosen. Pages are
 * found by keys, not by numbers: the next begins behind the last key shown, the previous ends before the first, whatever has
 * been written meanwhile. What is shown is in the address, behind the #, which no server is told.
 */
import { compareKeys } from "../../engine/format/bytes.js";
import type { RowAnswer, Rows } from "./answers.js";
import { get } from "./api.js";
import { base64urlOf, bytesOfBase64url, endOfPrefix, hexOf, nextKey, utf8Of } from "./bytes.js";
import { byId, count, el } from "./dom.js";
import { chosenForm } from "./form-select.js";
import { bytesOfInput, type InputForm } from "./key-input.js";
import { type KeyStyle, keyTextOf } from "./key-text.js";
import { keyElement, valuePreview } from "./key-view.js";
import { type ListItem, type ListPage, ListPane, type Turn } from "./list-pane.js";
import { sizeText } from "./numbers.js";
import { problemBox } from "./problems.js";
import { deleteRow, EDITED_BYTES_MAX, putNewRow, replaceRow } from "./row-changes.js";
import { type ValueForm, valueView } from "./value-view.js";

const PAGE_ROWS = 50;
const PREVIEW_BYTES = 120;
const LOADED_BYTES_MAX = 1024 * 1024;
const STYLES = ["auto", "utf8", "tuple", "hex", "base64url"] as const;

interface Bounds {
  readonly begin: Uint8Array;
  readonly end: Uint8Array | null;
}

interface RowItem extends ListItem {
  readonly key: Uint8Array;
  readonly valueBytes: number;
}

export class DataView {
  private readonly kind = byId("range-kind", HTMLSelectElement);
  private readonly first = byId("range-first", HTMLInputElement);
  private readonly last = byId("range-last", HTMLInputElement);
  private readonly form = byId("range-form", HTMLSelectElement);
  private readonly style = byId("key-style", HTMLSelectElement);
  private readonly pane = byId("row-pane", HTMLDivElement);
  private readonly list: ListPane<RowItem>;
  private bounds: Bounds = { begin: new Uint8Array(), end: null };
  private shown: readonly RowItem[] = [];
  private lastTurn: Turn = "first";
  /** Where the next page is to begin. */
  private anchor: Uint8Array | null = null;
  private valueForm: ValueForm | null = null;
  private request = 0;
  private isStarted = false;
  /** No change is offered. */
  private readOnly = true;

  constructor() {
    this.list = new ListPane<RowItem>({
      label: "Rows",
      columns: ["Key", "Value", "Size"],
      empty: "No rows here. Ask for a shorter prefix, or for all keys with an empty one.",
      load: (turn) => this.load(turn),
      choose: (item) => void this.showValue(item),
      enter: () => this.pane.querySelector<HTMLElement>(".value")?.focus(),
    });
    byId("rows", HTMLDivElement).append(this.list.element);
    byId("range", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
    this.kind.addEventListener("change", () => this.showInputs());
    this.style.addEventListener("change", () => void this.list.turn("again"));
    byId("new-row", HTMLButtonElement).addEventListener("click", () => void this.addRow());
    this.pane.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.list.focus();
    });
  }

  /** Somebody goes here, perhaps by an address that says what to show. */
  open(address: URLSearchParams, readOnly: boolean): void {
    this.readOnly = readOnly;
    byId("new-row", HTMLButtonElement).hidden = readOnly;
    if (this.isStarted && address.size === 0) return;
    this.isStarted = true;
    const isRange = address.has("from") || address.has("to");
    this.kind.value = isRange ? "range" : "prefix";
    this.first.value = address.get(isRange ? "from" : "prefix") ?? "";
    this.last.value = address.get("to") ?? "";
    this.form.value = address.get("as") ?? "utf8";
    this.showInputs();
    this.ask(address.get("row"));
  }

  /** From the first key of a table to its last, for example. */
  showRange(from: Uint8Array, to: Uint8Array): void {
    const address = new URLSearchParams({
      from: base64urlOf(from),
      to: base64urlOf(nextKey(to)),
      as: "base64url",
    });
    location.hash = `data?${address}`;
  }

  focusInput(): void {
    this.first.focus();
    this.first.select();
  }

  change(what: "put" | "edit" | "delete"): void {
    if (this.readOnly) return;
    if (what === "put") void this.addRow();
    else this.pane.querySelector<HTMLButtonElement>(`[data-action="${what}"]`)?.click();
  }

  private ask(row: string | null = null): void {
    const form = chosenForm(this.form);
    const isRange = this.kind.value === "range";
    const { value: first } = this.first;
    const { value: last } = this.last;
    try {
      const begin = first === "" ? new Uint8Array() : bytesOfInput(first, form);
      const end = last === "" ? null : bytesOfInput(last, form);
      this.bounds = { begin, end: isRange ? end : endOfPrefix(begin) };
    } catch (error) {
      byId("range-problem", HTMLDivElement).replaceChildren(problemBox(error));
      return;
    }
    byId("range-problem", HTMLDivElement).replaceChildren();
    this.anchor = row === null ? null : bytesOfBase64url(row);
    this.writeAddress(form, row);
    void this.list.turn("first", row);
  }

  private writeAddress(form: InputForm, row: string | null): void {
    const address = new URLSearchParams();
    const add = (name: string, value: string): void => {
      if (value !== "") address.set(name, value);
    };
    const isRange = this.kind.value === "range";
    add(isRange ? "from" : "prefix", this.first.value);
    if (isRange) add("to", this.last.value);
    if (form !== "utf8") add("as", form);
    add("row", row ?? "");
    if (location.hash.startsWith("#data"))
      history.replaceState(null, "", address.size === 0 ? "#data" : `#data?${address}`);
  }

  private showInputs(): void {
    const isRange = this.kind.value === "range";
    byId("range-more", HTMLSpanElement).hidden = !isRange;
    this.first.setAttribute("aria-label", isRange ? "First key" : "Prefix");
    this.first.placeholder = isRange ? "from the first key" : "all keys  /";
  }

  private async load(turn: Turn): Promise<ListPage<RowItem>> {
    const { begin, end } = this.bounds;
    const { anchor } = this;
    this.anchor = null;
    if (anchor !== null && isWithin(anchor, this.bounds)) {
      this.lastTurn = "next";
      return { ...(await this.page({ begin: anchor, end }, false)), hasPrevious: true };
    }
    if (turn !== "again") this.lastTurn = turn;
    const head = this.shown[0]?.key;
    const tail = this.shown.at(-1)?.key;
    if (turn === "previous" && head !== undefined) {
      const page = await this.page({ begin, end: head }, true);
      // One that is not full is the first, and there is more behind it.
      if (page.items.length === PAGE_ROWS) return { ...page, hasPrevious: page.hasNext, hasNext: true };
    } else if (turn === "last") {
      const page = await this.page(this.bounds, true);
      return { ...page, hasPrevious: page.hasNext, hasNext: false };
    } else if (turn === "next" && tail !== undefined) {
      const page = await this.page({ begin: nextKey(tail), end }, false);
      if (page.items.length > 0) return { ...page, hasPrevious: true };
    } else if (turn === "again" && head !== undefined && this.lastTurn !== "first") {
      const page = await this.page({ begin: head, end }, false);
      if (page.items.length > 0) return { ...page, hasPrevious: true };
    }
    return this.page(this.bounds, false);
  }

  private async page({ begin, end }: Bounds, reverse: boolean): Promise<ListPage<RowItem>> {
    const answer = await get<Rows>("/v1/rows", {
      keyEncoding: "base64url",
      valueEncoding: "base64url",
      valueLimitBytes: PREVIEW_BYTES,
      limit: PAGE_ROWS,
      reverse,
      from: begin.length === 0 ? undefined : base64urlOf(begin),
      to: end === null ? undefined : base64urlOf(end),
    });
    const rows = reverse ? answer.rows.toReversed() : answer.rows;
    const style = STYLES.find((one) => one === this.style.value) ?? "auto";
    this.shown = rows.map((row) => rowItem(row, style));
    const hasMore = answer.nextPageToken !== undefined;
    return {
      items: this.shown,
      hasPrevious: false,
      hasNext: hasMore,
      place: placeOf(rows.length, answer.version),
    };
  }

  private async showValue(item: RowItem | null, load = false): Promise<void> {
    const request = ++this.request;
    if (item === null) {
      this.pane.replaceChildren(el("p", { class: "empty muted" }, "Choose a row to see its value."));
      return;
    }
    const head = el("div", { class: "value-head" }, keyElement(item.key, "auto"));
    if (item.valueBytes > LOADED_BYTES_MAX && !load) {
      const go = el("button", { type: "button" }, `Load ${sizeText(item.valueBytes)}`);
      go.addEventListener("click", () => void this.showValue(item, true));
      this.pane.replaceChildren(head, el("p", { class: "empty" }, "This value is large. ", go));
      return;
    }
    try {
      const path = `/v1/rows/${item.id}`;
      const { row } = await get<{ readonly row: RowAnswer }>(path, {
        keyEncoding: "base64url",
        valueEncoding: "base64url",
      });
      if (request !== this.request) return;
      const value = bytesOfBase64url(row.value) ?? new Uint8Array();
      head.append(...this.actions(item.key, value));
      const view = valueView(value, this.valueForm, (form) => {
        this.valueForm = form;
      });
      this.pane.replaceChildren(head, view);
    } catch (error) {
      if (request === this.request)
        this.pane.replaceChildren(
          head,
          problemBox(error, () => void this.showValue(item, load)),
        );
    }
  }

  private actions(key: Uint8Array, value: Uint8Array): HTMLElement[] {
    // Only an address that nobody can tamper with has a clipboard.
    const copy =
      navigator.clipboard === undefined
        ? []
        : [button("Copy key", "copy", () => void navigator.clipboard.writeText(copiedKey(key)))];
    if (this.readOnly) return copy;
    const again = (isDone: boolean): void => {
      if (isDone) void this.list.turn("again");
      this.list.focus();
    };
    const edit = button("Edit", "edit", () => void replaceRow(key, value).then(again));
    if (value.length > EDITED_BYTES_MAX) {
      edit.disabled = true;
      edit.title = `Values of up to ${sizeText(EDITED_BYTES_MAX)} are edited here`;
    }
    return [...copy, edit, button("Delete", "delete", () => void deleteRow(key, value).then(again))];
  }

  private async addRow(): Promise<void> {
    const key = await putNewRow();
    if (key === null) return;
    const id = base64urlOf(key);
    // Where it is not to be seen among those that were asked for, all are.
    if (!isWithin(key, this.bounds)) {
      this.first.value = "";
      this.last.value = "";
    }
    this.ask(id);
  }
}

function isWithin(key: Uint8Array, { begin, end }: Bounds): boolean {
  return compareKeys(key, begin) >= 0 && (end === null || compareKeys(key, end) < 0);
}

function rowItem({ key, value, valueBytes, isTruncated }: RowAnswer, style: KeyStyle): RowItem {
  const bytes = bytesOfBase64url(key) ?? new Uint8Array();
  const preview = valuePreview(bytesOfBase64url(value) ?? new Uint8Array(), isTruncated);
  return {
    id: key,
    key: bytes,
    valueBytes,
    cells: [keyElement(bytes, style), preview, sizeText(valueBytes)],
  };
}

function placeOf(rows: number, version: number): string {
  return rows === 0 ? "" : `${rows} rows at version ${count(version)}`;
}

/** As it is where it is text, else in hexadecimal. */
function copiedKey(key: Uint8Array): string {
  return keyTextOf(key, "auto").form === "text" ? (utf8Of(key) ?? "") : hexOf(key);
}

function button(text: string, action: string, act: () => void): HTMLButtonElement {
  const made = el("button", { type: "button", "data-action": action }, text);
  made.addEventListener("click", act);
  return made;
}
