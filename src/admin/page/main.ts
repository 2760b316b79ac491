/** Starts the admin's page: makes its parts, leads addresses and keys to them, and keeps what is shown up to date. */
import type { Health, MetricsSnapshot, Status, Tables } from "./answers.js";
import { forgetToken, get, hasToken, onTokenNeeded } from "./api.js";
import { BackupsView } from "./backups-view.js";
import { CollectionsView } from "./collections-view.js";
import { CompactionControl } from "./compaction.js";
import { DataView } from "./data-view.js";
import { askForToken, showKeys } from "./dialogs.js";
import { byId, count } from "./dom.js";
import { LevelsPicture } from "./levels.js";
import { durationText } from "./numbers.js";
import { Overview } from "./overview.js";
import { POLL_MS, Poller } from "./poller.js";
import { Problem } from "./problem.js";
import { problemBox } from "./problems.js";
import { nextTheme, startTheme } from "./theme.js";

const VIEWS = ["overview", "data", "collections", "backups"] as const;
type View = (typeof VIEWS)[number];

const KEYS = [
  ["1  2  3  4", "overview, data, collections, backups"],
  ["/", "which rows to show"],
  ["↑  ↓", "in lists: the row above, below"],
  ["PageUp  PageDown", "in lists: the page before, the next"],
  ["Shift + Home  Shift + End", "in lists: the first page, the last"],
  ["Enter  Escape", "from the list to the value, and back"],
  ["n  e  Delete", "new row, edit, delete the chosen one"],
  ["← → ↑ ↓", "in the levels: from table to table; in plots: back in time"],
  ["p", "pause, go on"],
  ["t", "light, dark"],
  ["?", "this help"],
] as const;

class AdminPage {
  private readonly data = new DataView();
  private readonly collections = new CollectionsView();
  private readonly backups = new BackupsView();
  private readonly compaction = new CompactionControl();
  private readonly overview = new Overview(
    new LevelsPicture((from, to) => this.data.showRange(from, to)),
    POLL_MS,
  );
  private readonly poller = new Poller(
    () => this.round(),
    (error) => this.showNoAnswer(error),
  );
  private view: View = "overview";
  /** Null: nobody has said yet. */
  private isReadOnly: boolean | null = null;

  start(): void {
    this.listenToTokens();
    const onClick = (id: string, act: () => void): void =>
      byId(id, HTMLButtonElement).addEventListener("click", act);
    onClick("pause", () => this.togglePause());
    onClick("theme", nextTheme);
    onClick("help", () => showKeys(KEYS));
    addEventListener("hashchange", () => this.showView());
    document.addEventListener("keydown", (event) => this.key(event));
    this.showView();
    this.poller.now();
    document.documentElement.dataset["ready"] = "true";
  }

  /** Who cannot be reached at all is not asked further; what one part cannot get is no matter to the others. */
  private async round(): Promise<void> {
    const status = await get<Status>("/v1/status");
    const health = await get<Health>("/v1/health");
    showHead(status, health);
    this.overview.showStatus(status);
    if (status.readOnly !== this.isReadOnly) {
      this.isReadOnly = status.readOnly;
      this.showView();
    }
    if (this.view === "collections") await this.collections.refresh();
    if (this.view === "backups") await this.backups.refresh();
    await Promise.all([
      part("plots-problem", async () =>
        this.overview.addMetrics(await get<MetricsSnapshot>("/v1/metrics"), performance.now()),
      ),
      part("levels-problem", async () => {
        this.overview.showTables(await get<Tables>("/v1/tables", { keyEncoding: "base64url" }));
        await this.compaction.refresh(status.readOnly);
      }),
    ]);
  }

  private showNoAnswer(error: unknown): void {
    showState("no answer", "bad");
    byId("notice", HTMLDivElement).replaceChildren(problemBox(error, () => this.poller.now()));
  }

  private showView(): void {
    const [name, ...rest] = location.hash.slice(1).split("?");
    const address = new URLSearchParams(rest.join("?"));
    this.view = VIEWS.find((one) => one === name) ?? "overview";
    document.body.dataset["view"] = this.view;
    for (const one of VIEWS) byId(`view-${one}`, HTMLElement).hidden = one !== this.view;
    for (const link of document.querySelectorAll<HTMLAnchorElement>(".tabs a")) {
      if (link.dataset["view"] === this.view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    // What may be changed is known with the first answer.
    if (this.isReadOnly === null) return;
    if (this.view === "data") this.data.open(address, this.isReadOnly);
    else if (this.view === "collections") this.collections.open(address, this.isReadOnly);
    else if (this.view === "backups") this.backups.open(this.isReadOnly);
  }

  private listenToTokens(): void {
    const forget = byId("forget", HTMLButtonElement);
    forget.hidden = !hasToken();
    onTokenNeeded(async () => {
      const token = await askForToken(hasToken());
      forget.hidden = false;
      return token;
    });
    forget.addEventListener("click", () => {
      forgetToken();
      location.reload();
    });
  }

  private togglePause(): void {
    const isPaused = !this.poller.paused;
    this.poller.pause(isPaused);
    const button = byId("pause", HTMLButtonElement);
    button.setAttribute("aria-pressed", String(isPaused));
    button.textContent = isPaused ? "Go on" : "Pause";
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const view = VIEWS[Number(event.key) - 1];
    if (view !== undefined) location.hash = view;
    else if (event.key === "p") this.togglePause();
    else if (event.key === "t") nextTheme();
    else if (event.key === "?") showKeys(KEYS);
    else if (this.view !== "data") return;
    else if (event.key === "/") this.data.focusInput();
    else if (event.key === "n") this.data.change("put");
    else if (event.key === "e") this.data.change("edit");
    else if (event.key === "Delete") this.data.change("delete");
    else return;
    event.preventDefault();
  }
}

async function part(id: string, action: () => Promise<void>): Promise<void> {
  const place = byId(id, HTMLDivElement);
  try {
    await action();
    place.replaceChildren();
  } catch (error) {
    place.replaceChildren(problemBox(error));
  }
}

function showHead(status: Status, { status: state, version }: Health): void {
  const { directory, uptimeMs, readOnly, failure } = status;
  const names = { ok: readOnly ? "healthy, read-only" : "healthy", failing: "failing", stopped: "stopped" };
  showState(names[state], state === "ok" ? "good" : "bad");
  byId("directory", HTMLElement).textContent = directory;
  byId("facts", HTMLElement).textContent = `version ${count(version)} · up ${durationText(uptimeMs)}`;
  document.title = `${directory.split(/[\\/]/).at(-1)} – Stillwater`;
  const code = state === "stopped" ? "FAILED_STOP" : "BACKGROUND_FAILURE";
  byId("notice", HTMLDivElement).replaceChildren(
    ...(failure === null ? [] : [problemBox(new Problem(code, 0, failure))]),
  );
}

function showState(text: string, kind: "good" | "bad"): void {
  const health = byId("health", HTMLElement);
  if (health.textContent !== text) health.textContent = text;
  health.className = `state ${kind}`;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select, dialog") !== null;
}

startTheme();
new AdminPage().start();
