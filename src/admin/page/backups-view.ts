/** The backups that the server's repository holds, and making one more. */
import type { Backup } from "./answers.js";
import { get, request } from "./api.js";
import { confirmAction } from "./dialogs.js";
import { byId, count, el } from "./dom.js";
import { sizeText } from "./numbers.js";
import { problemBox, problemOf } from "./problems.js";

export class BackupsView {
  private readonly list = byId("backup-list", HTMLDivElement);
  private readonly add = byId("new-backup", HTMLButtonElement);
  private isReadOnly = true;

  constructor() {
    this.add.addEventListener("click", () => void this.create());
  }

  open(readOnly: boolean): void {
    this.isReadOnly = readOnly;
    void this.refresh();
  }

  async refresh(): Promise<void> {
    try {
      const { backups } = await get<{ readonly backups: readonly Backup[] }>("/v1/backups");
      this.add.hidden = this.isReadOnly;
      this.list.replaceChildren(backupTable(backups));
    } catch (error) {
      this.add.hidden = true;
      // A server without a repository is no failure.
      const isNone = ["NOT_SUPPORTED", "UNKNOWN_ROUTE"].includes(problemOf(error).code);
      const hint =
        "This server was started without a place for backups: stillwater serve DIR --backups DIR. On the command line: stillwater backup create.";
      this.list.replaceChildren(
        isNone ? el("p", { class: "empty muted" }, hint) : problemBox(error, () => void this.refresh()),
      );
    }
  }

  private async create(): Promise<void> {
    const note = el("input", { id: "backup-note", maxlength: 200, autocomplete: "off" });
    await confirmAction({
      title: "Back up now",
      content: [
        el(
          "p",
          { class: "muted" },
          "Of what is committed now. Tables that an earlier backup has are not copied again.",
        ),
        el("label", { for: "backup-note" }, "Note"),
        note,
      ],
      action: "Back up",
      act: async () => {
        await request("POST", "/v1/backups", { body: note.value === "" ? {} : { note: note.value } });
      },
    });
    await this.refresh();
    this.add.focus();
  }
}

function backupTable(backups: readonly Backup[]): HTMLElement {
  if (backups.length === 0) return el("p", { class: "empty muted" }, "No backups yet.");
  const head = ["Backup", "Made", "Version", "Tables", "Size", "New in it", "Note"];
  const isNumber = (at: number): boolean => at >= 2 && at <= 5;
  const rows = backups.toReversed().map(({ id, createdAt, note, version, bytes, tables, newBytes }) => {
    const cells = [
      id,
      timeText(createdAt),
      count(version),
      count(tables),
      sizeText(bytes),
      sizeText(newBytes),
      note,
    ];
    return el(
      "tr",
      {},
      ...cells.map((cell, at) => el("td", { class: isNumber(at) ? "number" : null }, cell)),
    );
  });
  const names = head.map((name, at) =>
    el("th", { scope: "col", class: isNumber(at) ? "number" : null }, name),
  );
  return el(
    "div",
    { class: "scroll-x" },
    el("table", { class: "list" }, el("thead", {}, el("tr", {}, ...names)), el("tbody", {}, ...rows)),
  );
}

function timeText(atMs: number): string {
  return new Date(atMs)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " UTC");
}
