/**
 * Documents of one collection as JSON, in the order of their primary keys or those with given values in an index; the one that is
 * chosen can be changed where the server knows enough for that. Pages go by the server's tokens; those of the pages before are kept.
 */
import type { CollectionAnswer, DocumentAnswer, Documents, IndexAnswer } from "./answers.js";
import { get, request } from "./api.js";
import { confirmAction } from "./dialogs.js";
import { byId, count, el } from "./dom.js";
import { jsonTokens } from "./json-text.js";
import { escapeUnseen } from "./key-text.js";
import { type ListItem, type ListPage, ListPane, type Turn } from "./list-pane.js";
import { Problem } from "./problem.js";
import { jsonElement } from "./value-view.js";

const PAGE_DOCUMENTS = 50;
const PREVIEW_CHARACTERS = 200;

interface DocumentItem extends ListItem {
  readonly answer: DocumentAnswer;
}

export class DocumentsView {
  private readonly pane = byId("document-pane", HTMLDivElement);
  private readonly index = byId("document-index", HTMLSelectElement);
  private readonly values = byId("document-values", HTMLInputElement);
  private readonly add = byId("new-document", HTMLButtonElement);
  private readonly list: ListPane<DocumentItem>;
  private collection: CollectionAnswer | null = null;
  private readOnly = true;
  /** Tokens of the pages up to this one; the first has none. */
  private tokens: (string | undefined)[] = [undefined];
  private next: string | undefined;

  constructor() {
    this.list = new ListPane<DocumentItem>({
      label: "Documents",
      columns: ["Primary key", "Document"],
      empty: "No documents here.",
      load: (turn) => this.load(turn),
      choose: (item) => this.showDocument(item),
      enter: () => this.pane.querySelector<HTMLElement>(".value")?.focus(),
    });
    this.list.element.classList.add("two-columns");
    byId("documents", HTMLDivElement).append(this.list.element);
    byId("documents-range", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.list.turn("first", null);
    });
    this.index.addEventListener("change", () => this.showInput());
    this.add.addEventListener("click", () => void this.edit(null));
    this.pane.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.list.focus();
    });
  }

  show(collection: CollectionAnswer, readOnly: boolean): void {
    this.collection = collection;
    this.readOnly = readOnly || !collection.isWritable;
    this.add.hidden = this.readOnly;
    this.values.value = "";
    this.index.replaceChildren(el("option", { value: "" }, collection.primaryKey));
    this.showInput();
    void this.list.turn("first", null);
  }

  /** Those that can be asked by values. */
  offer(indexes: readonly IndexAnswer[]): void {
    const chosen = this.index.value;
    const names = indexes.filter(({ kind, state }) => kind === "scalar" && state === "readable");
    this.index.replaceChildren(
      el("option", { value: "" }, `primary key, ${this.collection?.primaryKey ?? ""}`),
      ...names.map(({ index, fields }) => el("option", { value: index }, `${index} (${fields.join(", ")})`)),
    );
    this.index.value = names.some(({ index }) => index === chosen) ? chosen : "";
  }

  private showInput(): void {
    const byKey = this.index.value === "";
    this.values.placeholder = byKey ? "keys that begin with" : 'values, as ["Greek"]';
    this.values.setAttribute(
      "aria-label",
      byKey ? "Prefix of the primary key" : "Values of the index, a JSON list",
    );
  }

  private async load(turn: Turn): Promise<ListPage<DocumentItem>> {
    const { tokens } = this;
    if (turn === "first" || turn === "last") this.tokens = [undefined];
    else if (turn === "next" && this.next !== undefined) this.tokens = [...tokens, this.next];
    else if (turn === "previous" && tokens.length > 1) this.tokens = tokens.slice(0, -1);
    const index = this.index.value;
    const given = this.values.value.trim();
    const query = index === "" ? { prefix: given || undefined } : { index, values: given || undefined };
    const answer = await get<Documents>(this.path(), {
      ...query,
      limit: PAGE_DOCUMENTS,
      pageToken: this.tokens.at(-1),
    });
    this.next = answer.nextPageToken;
    return {
      items: answer.documents.map(documentItem),
      hasPrevious: this.tokens.length > 1,
      hasNext: this.next !== undefined,
      hasLast: false,
      place:
        answer.documents.length === 0 ? "" : `page ${this.tokens.length} at version ${count(answer.version)}`,
    };
  }

  private path(answer?: DocumentAnswer): string {
    const documents = `/v1/collections/${encodeURIComponent(this.collection?.name ?? "")}/documents`;
    return answer === undefined ? documents : `${documents}/${encodeURIComponent(answer.key)}`;
  }

  private showDocument(item: DocumentItem | null): void {
    if (item === null) {
      this.pane.replaceChildren(el("p", { class: "empty muted" }, "Choose a document to see all of it."));
      return;
    }
    const { answer } = item;
    const head = el("div", { class: "value-head" }, el("bdi", { class: "key" }, escapeUnseen(answer.key)));
    if (!this.readOnly)
      head.append(
        this.button("Edit", () => this.edit(answer)),
        this.button("Delete", () => this.remove(answer)),
      );
    const tokens = jsonTokens(JSON.stringify(answer.document));
    const content = tokens === null ? el("pre", {}, JSON.stringify(answer.document)) : jsonElement(tokens);
    this.pane.replaceChildren(
      head,
      el("div", { class: "value", tabindex: 0, role: "region", "aria-label": "Document" }, content),
    );
  }

  private button(text: string, act: () => Promise<void>): HTMLButtonElement {
    const made = el("button", { type: "button" }, text);
    made.addEventListener("click", () => void act());
    return made;
  }

  /** Null: a new one. */
  private async edit(shown: DocumentAnswer | null): Promise<void> {
    const text = el("textarea", { id: "edit-document", rows: 16, spellcheck: "false" });
    text.value =
      shown === null
        ? "{\n}"
        : (jsonTokens(JSON.stringify(shown.document)) ?? []).map((token) => token.text).join("");
    const primaryKey = this.collection?.primaryKey ?? "";
    const isDone = await confirmAction({
      title: shown === null ? `New document of ${this.collection?.name}` : "Replace the document",
      content: [
        el("label", { for: "edit-document" }, "Document (JSON)"),
        text,
        el(
          "p",
          { class: "muted" },
          `Its primary key is its ${primaryKey}. The server checks it by the stored schema; hooks of the program do not run.`,
        ),
      ],
      action: shown === null ? "Add the document" : "Replace",
      act: async () => {
        const document = parsedDocument(text.value);
        if (shown !== null) await this.requireUnchanged(shown);
        const answer = shown ?? { ...keyOf(document, primaryKey), document };
        await request("PUT", this.path(answer), { query: { keyType: answer.keyType }, body: { document } });
      },
    });
    if (isDone) void this.list.turn("again");
    this.list.focus();
  }

  private async remove(shown: DocumentAnswer): Promise<void> {
    const isDone = await confirmAction({
      title: "Delete this document?",
      content: [
        el("p", {}, el("bdi", { class: "key" }, escapeUnseen(shown.key))),
        el("p", {}, "It is gone then, with its index entries. This cannot be taken back here."),
      ],
      action: "Delete",
      isDangerous: true,
      act: async () => {
        await this.requireUnchanged(shown);
        await request("DELETE", this.path(shown), { query: { keyType: shown.keyType } });
      },
    });
    if (isDone) void this.list.turn("again");
    this.list.focus();
  }

  /** So that hardly ever something is overwritten that nobody has seen: the API has no condition for documents. */
  private async requireUnchanged(shown: DocumentAnswer): Promise<void> {
    const { document: now } = await get<{ readonly document: DocumentAnswer }>(this.path(shown), {
      keyType: shown.keyType,
    });
    if (JSON.stringify(now.document) !== JSON.stringify(shown.document))
      throw new Problem(
        "DOCUMENT_CHANGED",
        409,
        "somebody has changed this document meanwhile. Close this, and choose it again.",
      );
  }
}

function documentItem(answer: DocumentAnswer): DocumentItem {
  const text = JSON.stringify(answer.document);
  const preview = text.length > PREVIEW_CHARACTERS ? `${text.slice(0, PREVIEW_CHARACTERS)}…` : text;
  return {
    id: `${answer.keyType} ${answer.key}`,
    answer,
    cells: [
      el("bdi", { class: answer.keyType === "text" ? "key" : "key tuple" }, escapeUnseen(answer.key)),
      el("bdi", { class: "preview" }, escapeUnseen(preview)),
    ],
  };
}

function parsedDocument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Problem("INVALID_INPUT", 0, `this is not JSON: ${error.message}.`);
  }
}

/** As the document itself says it. */
function keyOf(document: unknown, primaryKey: string): Pick<DocumentAnswer, "key" | "keyType"> {
  const fields = primaryKey.split(".");
  const value = fields.reduce<unknown>(
    (inner, field) => (inner as Record<string, unknown> | null)?.[field],
    document,
  );
  if (value === undefined)
    throw new Problem("INVALID_INPUT", 0, `the document has no ${primaryKey}, which is its primary key.`);
  return typeof value === "string"
    ? { key: value, keyType: "text" }
    : { key: JSON.stringify(value), keyType: "json" };
}
