/** Collections, their indexes with what state each is in and how far it is built, and the way to their documents. */
import type { BuildAnswer, CollectionAnswer, Collections, IndexAnswer, Indexes } from "./answers.js";
import { get } from "./api.js";
import { DocumentsView } from "./documents-view.js";
import { byId, count, el } from "./dom.js";
import { shareText } from "./numbers.js";
import { problemBox } from "./problems.js";

const STATES = {
  readable: ["readable", "good"],
  writeOnly: ["being built", "busy"],
  disabled: ["disabled", "bad"],
} as const;

export class CollectionsView {
  private readonly documents = new DocumentsView();
  private readonly names = byId("collection-names", HTMLElement);
  private readonly body = byId("collection-body", HTMLDivElement);
  private collections: readonly CollectionAnswer[] = [];
  private chosen: string | null = null;
  private isReadOnly = true;

  open(address: URLSearchParams, readOnly: boolean): void {
    const wanted = address.get("name");
    const isOther = (wanted !== null && wanted !== this.chosen) || readOnly !== this.isReadOnly;
    this.isReadOnly = readOnly;
    if (isOther) this.chosen = wanted;
    void this.refresh(isOther);
  }

  /** Asked for again and again while it is in sight: builds go on. */
  async refresh(isOther = false): Promise<void> {
    const problem = byId("collections-problem", HTMLDivElement);
    try {
      const { collections, schemaVersion } = await get<Collections>("/v1/collections");
      this.collections = collections;
      byId("schema-version", HTMLSpanElement).textContent =
        schemaVersion === null ? "" : `schema ${schemaVersion}`;
      byId("documents-range", HTMLFormElement).hidden = collections.length === 0;
      byId("documents-browser", HTMLDivElement).hidden = collections.length === 0;
      const collection = collections.find(({ name }) => name === this.chosen) ?? collections[0];
      if (collection === undefined) this.showNone();
      else await this.show(collection, isOther);
      problem.replaceChildren();
    } catch (error) {
      problem.replaceChildren(problemBox(error, () => void this.refresh(isOther)));
    }
  }

  private showNone(): void {
    const hint =
      "No collections yet. A program declares them with openRecords; its rows are to be seen under Data.";
    this.names.replaceChildren();
    this.body.replaceChildren(el("p", { class: "empty muted" }, hint));
  }

  private async show(collection: CollectionAnswer, isOther: boolean): Promise<void> {
    const { name } = collection;
    if (isOther || name !== this.chosen) this.documents.show(collection, this.isReadOnly);
    this.chosen = name;
    const { indexes } = await get<Indexes>(`/v1/collections/${encodeURIComponent(name)}/indexes`);
    this.names.replaceChildren(...this.collections.map((one) => this.link(one)));
    this.documents.offer(indexes);
    const why =
      collection.isWritable || this.isReadOnly
        ? null
        : el("p", { class: "muted why" }, `Documents cannot be changed here: ${collection.whyNotWritable}`);
    this.body.replaceChildren(indexTable(indexes), ...(why === null ? [] : [why]));
  }

  private link({ name }: CollectionAnswer): HTMLElement {
    const address = new URLSearchParams({ name });
    return el(
      "a",
      { href: `#collections?${address}`, "aria-current": name === this.chosen ? "true" : null },
      name,
    );
  }
}

function indexTable(indexes: readonly IndexAnswer[]): HTMLElement {
  if (indexes.length === 0) return el("p", { class: "empty muted" }, "This collection has no indexes.");
  const names = ["Index", "Kind", "Fields", "State", "Build"];
  const rows = indexes.map(({ index, kind, fields, state, build, shadow }) => {
    const [text, colour] = STATES[state];
    const underWay = shadow?.build ?? (state === "writeOnly" ? build : null);
    return el(
      "tr",
      {},
      el("td", {}, index),
      el("td", { class: "muted" }, kind),
      el("td", {}, el("code", {}, fields.join(", "))),
      el("td", {}, el("span", { class: `state ${colour}` }, text)),
      el("td", {}, buildElement(underWay, shadow !== null)),
    );
  });
  const head = el("tr", {}, ...names.map((name) => el("th", { scope: "col" }, name)));
  return el(
    "div",
    { class: "scroll-x" },
    el("table", { class: "list" }, el("thead", {}, head), el("tbody", {}, ...rows)),
  );
}

function buildElement(build: BuildAnswer | null, isShadow: boolean): HTMLElement {
  if (build === null) return el("span", { class: "muted" }, isShadow ? "a second copy, not begun" : "");
  const { fraction, itemsDone } = build;
  const text = `${shareText(fraction)}, ${count(itemsDone)} items${isShadow ? " of a second copy" : ""}`;
  return el(
    "span",
    { class: "build" },
    el("progress", { max: 1, value: fraction, "aria-label": text }),
    el("span", { class: "muted" }, text),
  );
}
