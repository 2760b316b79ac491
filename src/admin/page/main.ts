/** Starts the admin's page: makes its parts, leads addresses and keys to them, and keeps what is shown up to date. */

import type { Health, MetricsSnapshot, Status, Tables } from "./answers.js";
import { forgetToken, get, hasToken, onTokenNeeded } from "./api.js";
import { DataView } from "./data-view.js";
import { askForToken, showKeys } from "./dialogs.js";
import { byId, count } from "./dom.js";
import { LevelsPicture } from "./levels.js";
import { Overview } from "./overview.js";
import { POLL_MS, Poller } from "./poller.js";
import { problemBox, problemOf } from "./problems.js";
import { durationText } from "./svg.js";
import { nextTheme, startTheme } from "./theme.js";

const VIEWS = ["overview", "data", "collections", "backups"] as const;
type View = (typeof VIEWS)[number];

const KEYS = [
  ["1  2  3  4", "overview, data, collections, backups"],
  ["p", "pause, go on"],
  ["t", "light, dark"],
  ["?", "this help"],
] as const;

function start(): void {
  let hadToken = hasToken();
  onTokenNeeded(async () => {
    const token = await askForToken(hadToken);
    hadToken = true;
    byId("forget", HTMLButtonElement).hidden = false;
    return token;
  });
  const data = new DataView();
  const overview = new Overview(new LevelsPicture((from, to) => data.showRange(from, to)), POLL_MS);
  const showView = (): void => {
    const { view, address } = placeOf(location.hash);
    markView(view);
    if (view === "data") data.open(address);
  };
  const poller = new Poller(
    async () => {
      // Who cannot be reached at all is not asked further.
      const [status, health] = [await get<Status>("/v1/status"), await get<Health>("/v1/health")];
      overview.showStatus(status);
      showHead(status, health);
      if (data.readOnly !== status.readOnly) {
        data.readOnly = status.readOnly;
        showView();
      }
      await Promise.all([
        part("plots-problem", async () =>
          overview.addMetrics(await get<MetricsSnapshot>("/v1/metrics"), performance.now()),
        ),
        part("levels-problem", async () =>
          overview.showTables(await get<Tables>("/v1/tables", { keyEncoding: "base64url" })),
        ),
      ]);
    },
    (error) => {
      showState("no answer", "bad");
      byId("notice", HTMLDivElement).replaceChildren(problemBox(error, () => poller.now()));
    },
  );
  const pause = byId("pause", HTMLButtonElement);
  const togglePause = (): void => {
    poller.pause(!poller.paused);
    pause.setAttribute("aria-pressed", String(poller.paused));
    pause.textContent = poller.paused ? "Go on" : "Pause";
  };
  pause.addEventListener("click", togglePause);
  byId("theme", HTMLButtonElement).addEventListener("click", nextTheme);
  byId("help", HTMLButtonElement).addEventListener("click", () => showKeys(KEYS));
  const forget = byId("forget", HTMLButtonElement);
  forget.hidden = !hasToken();
  forget.addEventListener("click", () => {
    forgetToken();
    location.reload();
  });
  addEventListener("hashchange", showView);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const view = VIEWS[Number(event.key) - 1];
    if (view !== undefined) location.hash = view;
    else if (event.key === "p") togglePause();
    else if (event.key === "t") nextTheme();
    else if (event.key === "?") showKeys(KEYS);
    else return;
    event.preventDefault();
  });
  showView();
  poller.now();
  document.documentElement.dataset["ready"] = "true";
}

/** What one part of a round cannot get is said where it would be, and is no matter to the others. */
async function part(id: string, action: () => Promise<void>): Promise<void> {
  const place = byId(id, HTMLDivElement);
  try {
    await action();
    place.replaceChildren();
  } catch (error) {
    place.replaceChildren(problemBox(error));
  }
}

function placeOf(hash: string): { readonly view: View; readonly address: URLSearchParams } {
  const [name, ...rest] = hash.slice(1).split("?");
  return {
    view: VIEWS.find((one) => one === name) ?? "overview",
    address: new URLSearchParams(rest.join("?")),
  };
}

function markView(view: View): void {
  document.body.dataset["view"] = view;
  for (const one of VIEWS) byId(`view-${one}`, HTMLElement).hidden = one !== view;
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".tabs a")) {
    if (link.dataset["view"] === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function showHead({ directory, uptimeMs, readOnly, failure }: Status, { status, version }: Health): void {
  const names = { ok: "healthy", failing: "failing", stopped: "stopped" } as const;
  showState(
    readOnly && status === "ok" ? "healthy, read-only" : names[status],
    status === "ok" ? "good" : "bad",
  );
  byId("directory", HTMLElement).textContent = directory;
  byId("facts", HTMLElement).textContent = `version ${count(version)} · up ${durationText(uptimeMs)}`;
  document.title = `${directory.split(/[\\/]/).at(-1)} – Stillwater`;
  const notice = byId("notice", HTMLDivElement);
  if (failure === null) notice.replaceChildren();
  else notice.replaceChildren(problemBox(problemOf(new Error(failure))));
}

function showState(text: string, kind: "good" | "bad"): void {
  const health = byId("health", HTMLElement);
  if (health.textContent !== text) health.textContent = text;
  health.className = `state ${kind}`;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.closest("input, textarea, select, dialog") !== null;
}

startTheme();
start();
