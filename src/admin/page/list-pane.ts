/**
 * A page of things in a list, one of which is chosen, and the way to the pages around it. Owns keys, focus, and what is shown while
 * there is nothing yet, nothing at all, or a failure. Does not own where pages come from.
 */
import { el } from "./dom.js";
import { problemBox } from "./problems.js";

export interface ListItem {
  /** Its own among those of the page. */
  readonly id: string;
  /** One a column. */
  readonly cells: readonly (Node | string)[];
}

export interface ListPage<Item extends ListItem> {
  readonly items: readonly Item[];
  readonly hasPrevious: boolean;
  readonly hasNext: boolean;
  /** Whether one can go to the last page; where it says nothing, as to the next. */
  readonly hasLast?: boolean;
  /** What page it is, for people. */
  readonly place: string;
}

export type Turn = "first" | "previous" | "next" | "last" | "again";

export interface ListOptions<Item extends ListItem> {
  readonly label: string;
  readonly columns: readonly string[];
  readonly empty: string;
  load(turn: Turn): Promise<ListPage<Item>>;
  /** Null: none is chosen any more. */
  choose(item: Item | null): void;
  /** Enter, or a double click: on to what is chosen. */
  enter(): void;
}

const TURNS = [
  ["first", "⇤", "First page (Shift + Home)"],
  ["previous", "‹ Previous", "Previous page (PageUp)"],
  ["next", "Next ›", "Next page (PageDown)"],
  ["last", "⇥", "Last page (Shift + End)"],
] as const;

let lists = 0;

export class ListPane<Item extends ListItem> {
  readonly element: HTMLElement;
  private readonly options: ListOptions<Item>;
  private readonly prefix = `list-${++lists}`;
  private readonly box: HTMLElement;
  private readonly trouble = el("div", { "aria-live": "polite" });
  private readonly place = el("span", { class: "muted", "aria-live": "polite" });
  private readonly buttons: ReadonlyMap<Turn, HTMLButtonElement>;
  private items: readonly Item[] = [];
  private at = -1;
  private request = 0;

  constructor(options: ListOptions<Item>) {
    this.options = options;
    this.box = el("div", { class: "items", role: "listbox", tabindex: 0, "aria-label": options.label });
    this.buttons = new Map(TURNS.map(([turn, text, title]) => [turn, this.button(turn, text, title)]));
    this.element = el(
      "div",
      { class: "list-pane" },
      el(
        "div",
        { class: "item columns", "aria-hidden": "true" },
        ...options.columns.map((name) => el("span", {}, name)),
      ),
      this.trouble,
      this.box,
      el("div", { class: "pager" }, ...this.buttons.values(), el("span", { class: "gap" }), this.place),
    );
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("click", (event) => {
      const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
      if (option !== null) this.select(Number(option.id.split("-").at(-1)));
    });
    this.box.addEventListener("dblclick", () => options.enter());
  }

  get chosen(): Item | null {
    return this.items[this.at] ?? null;
  }

  focus(): void {
    this.box.focus();
  }

  /** Turns the page; `wanted` is chosen there when it is on it, and else what was chosen before. */
  async turn(turn: Turn, wanted: string | null = this.chosen?.id ?? null): Promise<void> {
    const request = ++this.request;
    this.element.setAttribute("aria-busy", "true");
    try {
      const page = await this.options.load(turn);
      // Somebody has asked for something else meanwhile.
      if (request !== this.request) return;
      this.trouble.replaceChildren();
      this.show(page, turn, wanted);
    } catch (error) {
      if (request === this.request)
        this.trouble.replaceChildren(problemBox(error, () => void this.turn(turn, wanted)));
    } finally {
      if (request === this.request) this.element.removeAttribute("aria-busy");
    }
  }

  private show(
    { items, hasPrevious, hasNext, hasLast = hasNext, place }: ListPage<Item>,
    turn: Turn,
    wanted: string | null,
  ): void {
    const chosen = this.chosen?.id;
    this.items = items;
    this.at = items.findIndex(({ id }) => id === wanted);
    if (this.at < 0 && (turn === "previous" || turn === "last")) this.at = items.length - 1;
    else if (this.at < 0 && turn === "next" && items.length > 0) this.at = 0;
    this.box.replaceChildren(...items.map(({ cells }, at) => this.option(cells, at)));
    if (items.length === 0) this.box.replaceChildren(el("p", { class: "empty muted" }, this.options.empty));
    if (turn !== "again") this.box.scrollTop = 0;
    for (const [name, has] of [
      ["first", hasPrevious],
      ["previous", hasPrevious],
      ["next", hasNext],
      ["last", hasLast],
    ] as const) {
      const button = this.buttons.get(name);
      if (button !== undefined) button.disabled = !has;
    }
    this.place.textContent = place;
    this.mark();
    if (this.chosen?.id !== chosen || turn === "again") this.options.choose(this.chosen);
  }

  private option(cells: readonly (Node | string)[], at: number): HTMLElement {
    const columns = cells.map((cell) => el("span", {}, cell));
    return el(
      "div",
      { class: "item", role: "option", id: `${this.prefix}-${at}`, "aria-selected": "false" },
      ...columns,
    );
  }

  private select(at: number): void {
    if (this.items[at] === undefined || at === this.at) return;
    this.at = at;
    this.mark();
    this.options.choose(this.chosen);
  }

  private mark(): void {
    for (const [at, option] of [...this.box.querySelectorAll("[role=option]")].entries()) {
      option.setAttribute("aria-selected", String(at === this.at));
      if (at === this.at) option.scrollIntoView({ block: "nearest" });
    }
    if (this.at < 0) this.box.removeAttribute("aria-activedescendant");
    else this.box.setAttribute("aria-activedescendant", `${this.prefix}-${this.at}`);
  }

  private button(turn: Turn, text: string, title: string): HTMLButtonElement {
    const button = el(
      "button",
      { type: "button", title, "aria-label": title.replace(/ \(.*/, ""), disabled: true },
      text,
    );
    button.addEventListener("click", () => void this.turn(turn, null));
    return button;
  }

  private key(event: KeyboardEvent): void {
    const last = this.items.length - 1;
    const turn = turnOf(event);
    if (turn !== null) {
      if (this.buttons.get(turn)?.disabled === false) void this.turn(turn, null);
    } else if (event.key === "ArrowDown") this.select(Math.min(last, this.at + 1));
    else if (event.key === "ArrowUp") this.select(Math.max(0, this.at - 1));
    else if (event.key === "Home") this.select(0);
    else if (event.key === "End") this.select(last);
    else if (event.key === "Enter") this.options.enter();
    else return;
    event.preventDefault();
  }
}

function turnOf({ key, shiftKey }: KeyboardEvent): Turn | null {
  if (key === "PageUp") return "previous";
  if (key === "PageDown") return "next";
  if (shiftKey && key === "Home") return "first";
  return shiftKey && key === "End" ? "last" : null;
}
