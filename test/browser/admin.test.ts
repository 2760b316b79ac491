/**
 * The admin's page in a real browser, on the real server: what it shows is what the store has, what it changes is asked first, data
 * stay data, and nothing is asked of anybody else. Needs Chromium (`CHROMIUM`, or /usr/bin/chromium: `apt-get install -y chromium`)
 * and a built package. Writes screenshots to the folder in `SCREENSHOTS`, when given.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type * as Admin from "../../src/admin/index.js";
import type * as Stillwater from "../../src/index.js";
import { launchChromium } from "./chromium.js";

const ROOT = join(import.meta.dirname, "../..");
const built = (name: string): Promise<unknown> => import(pathToFileURL(join(ROOT, "dist/src", name)).href);
const { collection, count, openDatabase, pack, recordsOn, s, scalar, schema } = (await built(
  "index.js",
)) as typeof Stillwater;
const { adminHandler } = (await built("admin/index.js")) as typeof Admin;

const USERS = 3_000;
const SCRIPT = "<script>window.hacked = 1</script>";
const IMAGE = "<img src=x onerror='window.hacked = 1'>";
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const userKey = (number: number): string => `user:${String(number).padStart(6, "0")}`;

let folder: string;
let browser: Browser;
let page: Page;
let database: Stillwater.StorageDatabase;
let server: Server;
let url: string;
let troubles: string[];
let requests: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "stillwater-admin-page-"));
  browser = await launchChromium();
  database = await openDatabase(join(folder, "store"), {
    store: { backgroundThread: false, memtableBytes: 65_536, tableBytes: 32_768, levelBaseBytes: 131_072 },
  });
  await fill();
  ({ server, url } = await serve({}));
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await browser.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  troubles = [];
  requests = [];
  page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: "light" });
  page.on("console", (message) => troubles.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("dialog", (dialog) => troubles.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => requests.push(request.url()));
});

afterEach(async () => {
  await page.close();
  // Chromium tells of every answer that is no success; those that are expected are looked at where they are shown.
  const unexpected = troubles.filter((one) => !one.includes("Failed to load resource"));
  expect(unexpected, "nothing on the console").toEqual([]);
  const others = requests.filter((one) => !/^(?:http:\/\/127\.0\.0\.1:|data:,)/.test(one));
  expect(others, "nothing is asked of anybody else").toEqual([]);
});

describe("the overview", () => {
  it("shows health, figures and every table of every level", async () => {
    await open("");
    await seen("#health", "healthy");
    await seen("#directory", join(folder, "store"));
    const { levels } = (await answer("/v1/tables")) as { levels: { tables: { number: number }[] }[] };
    const numbers = levels.flatMap(({ tables }) => tables.map(({ number }) => number));
    expect(numbers.length).toBeGreaterThan(1);
    await page.waitForSelector("rect.block");
    const drawn = await page
      .locator("rect.block")
      .evaluateAll((all) => all.map((one) => Number((one as SVGElement).dataset["table"])));
    expect(drawn.sort((a, b) => a - b)).toEqual(numbers.sort((a, b) => a - b));
    await seen("#figures", `${numbers.length}`);
    await screenshot("overview");
  });

  it("says what a table holds under the pointer and by keys, and leads to its rows", async () => {
    await open("");
    const block = page.locator("rect.block").last();
    await block.focus();
    await page.keyboard.press("Enter");
    await seen("#table-details", "Browse these keys");
    const before = await page.locator("#table-details strong").innerText();
    await page.keyboard.press("ArrowLeft");
    await page.waitForFunction(
      (old) => document.querySelector("#table-details strong")?.textContent !== old,
      before,
    );
    await page.locator("rect.block").first().hover({ force: true });
    await page.locator("rect.block").last().click({ force: true });
    const [first = ""] = await page.locator("#table-details .key").allInnerTexts();
    await page.locator("#table-details button").click();
    await page.waitForSelector("#rows [role=option]");
    expect(await page.locator("#rows [role=option] .key").first().innerText()).toBe(first);
  });

  it("plots what goes on, and what it was at a moment", async () => {
    await open("");
    const load = setInterval(() => void put("load", "{}"), 50);
    try {
      await page.waitForFunction(
        () => document.querySelectorAll("#plots path.line.series-0[d*=L]").length > 3,
        undefined,
        { timeout: 20_000 },
      );
      await page.waitForFunction(
        () => parseFloat(document.querySelector("#plots .figure strong")?.textContent ?? "0") > 0,
        undefined,
        { timeout: 20_000 },
      );
    } finally {
      clearInterval(load);
    }
    await page.locator("#plots .canvas").first().focus();
    await page.keyboard.press("ArrowLeft");
    await seen("#plots .plot:nth-of-type(3) .when", "ago");
    expect(await page.locator("#plots line.cursor").count()).toBe(6);
  });

  it("says what has failed, with code and advice, and which table is damaged", async () => {
    await change("**/v1/status", (body) => ({ ...body, failure: "write of 000012.wal: EIO" }));
    await change("**/v1/health", (body) => ({ ...body, status: "stopped" }));
    await change("**/v1/tables?**", (body) => {
      const [level, ...others] = body["levels"] as { tables: object[] }[];
      return {
        ...body,
        levels: [{ ...level, tables: level?.tables.map((one) => ({ ...one, damaged: true })) }, ...others],
      };
    });
    await open("");
    await seen("#health", "stopped");
    await seen("#notice", "FAILED_STOP");
    await seen("#notice", "000012.wal");
    await seen("#notice", "Restart the program");
    await page.locator("rect.block.damaged").first().click({ force: true });
    await seen("#table-details", "damaged");
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });

  it("has room for everything before the first answer comes, so that nothing jumps", async () => {
    await page.route("**/v1/**", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await route.continue();
    });
    await open("");
    await page.waitForSelector("rect.block");
    const shift = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let sum = 0;
          const observer = new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value;
          });
          observer.observe({ type: "layout-shift", buffered: true });
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
        }),
    );
    expect(shift).toBeLessThan(0.05);
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });
});

describe("the data browser", () => {
  it("pages through all rows of a prefix, forwards and back again", async () => {
    await open("#data?prefix=user:00");
    const wanted = Array.from({ length: USERS }, (_, at) => userKey(at));
    const pages: string[][] = [];
    for (;;) {
      pages.push(await keys());
      if (await page.locator("#rows [aria-label='Next page']").isDisabled()) break;
      if (pages.length === 4) break;
      await turn("Next page");
    }
    expect(pages.flat()).toEqual(wanted.slice(0, 200));
    for (const expected of pages.slice(0, -1).reverse()) {
      await turn("Previous page");
      expect(await keys()).toEqual(expected);
    }
    expect(await page.locator("#rows [aria-label='Previous page']").isDisabled()).toBe(true);
    await turn("Last page");
    expect(await keys()).toEqual(wanted.slice(-50));
    expect(await page.locator("#rows [aria-label='Next page']").isDisabled()).toBe(true);
    await turn("Previous page");
    expect(await keys()).toEqual(wanted.slice(-100, -50));
  });

  it("is asked by text, tuples and ranges in hex, and shows tuples unpacked", async () => {
    await open("#data");
    await page.selectOption("#range-form", "tuple");
    await page.fill("#range-first", '["orders", 2026]');
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelectorAll("#rows [role=option]").length === 20);
    expect((await keys())[3]).toBe('("orders", 2026, 3)');
    await page.selectOption("#range-kind", "range");
    await page.selectOption("#range-form", "hex");
    await page.fill("#range-first", Buffer.from(userKey(5)).toString("hex"));
    await page.fill("#range-last", Buffer.from(userKey(8)).toString("hex"));
    await page.click("#range button[type=submit]");
    await page.waitForFunction(() => document.querySelectorAll("#rows [role=option]").length === 3);
    expect(await keys()).toEqual([5, 6, 7].map(userKey));
    await page.fill("#range-first", "0g");
    await page.click("#range button[type=submit]");
    await seen("#range-problem", "hexadecimal");
    expect(page.url()).toContain("#data?from=");
  });

  it("goes by keys from list to value and shows it as JSON, text and bytes", async () => {
    await open("#data?prefix=user:");
    await page.keyboard.press("/");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("range-first");
    await page.locator("#rows [role=listbox]").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await seen("#row-pane", '"name": "Ada 1"');
    await page.locator("#row-pane button:text-is('hex')").click();
    await seen("#row-pane pre", "000000  7b 22 6e 61 6d 65 22 3a");
    await page.locator("#row-pane button:text-is('text')").click();
    await seen("#row-pane pre", '{"name":"Ada 1"}');
    await page.locator("#rows [role=listbox]").focus();
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.className)).toBe("value");
    await page.keyboard.press("Escape");
    await page.keyboard.press("PageDown");
    await page.waitForFunction(
      (key) => document.querySelector("#rows [role=option] .key")?.textContent === key,
      userKey(50),
    );
    await screenshot("data");
  });

  it("adds, replaces and deletes a row, each only when it was confirmed", async () => {
    await open("#data?prefix=mine/");
    await page.click("#new-row");
    await page.fill("#new-key", "mine/1");
    await page.fill("#new-value", "first");
    await page.click("dialog button:text-is('Cancel')");
    expect(await read("mine/1")).toBeUndefined();
    await page.click("#new-row");
    await page.fill("#new-key", "mine/1");
    await page.fill("#new-value", "first");
    await page.click("dialog button:text-is('Add the row')");
    await seen("#row-pane .value", "first");
    expect(await read("mine/1")).toBe("first");

    await page.keyboard.press("e");
    await page.fill("#edit-value", "second\nline");
    await page.click("dialog button:text-is('Replace')");
    await seen("#row-pane .value", "second");
    expect(await read("mine/1")).toBe("second\nline");

    await page.keyboard.press("Delete");
    await seen("#confirm", "Delete this row?");
    await page.keyboard.press("Enter");
    expect(await read("mine/1"), "what cannot be taken back is not what Enter does").toBe("second\nline");
    await page.keyboard.press("Delete");
    await page.click("dialog button:text-is('Delete')");
    await seen("#rows", "No rows here");
    expect(await read("mine/1")).toBeUndefined();
  });

  it("does not overwrite what was written meanwhile, nor a row that is there, and says so", async () => {
    await put("mine/2", "old");
    await open("#data?prefix=mine/2");
    await page.locator("#rows [role=option]").first().click();
    await seen("#row-pane .value", "old");
    await page.click("[data-action=edit]");
    await put("mine/2", "newer");
    await page.fill("#edit-value", "mine");
    await page.click("dialog button:text-is('Replace')");
    await seen("#confirm .problem", "PRECONDITION_FAILED");
    expect(await read("mine/2")).toBe("newer");
    await page.keyboard.press("Escape");
    await page.click("#new-row");
    await page.fill("#new-key", "mine/2");
    await page.click("dialog button:text-is('Add the row')");
    await seen("#confirm .problem", "PRECONDITION_FAILED");
    expect(await read("mine/2")).toBe("newer");
  });

  it("shows rows of collections, and lets nobody write past their indexes", async () => {
    await open("#data");
    await page.click("#new-row");
    await page.selectOption("#new-key-form", "hex");
    const key = await anyRecordKey();
    await page.fill("#new-key", Buffer.concat([key, Uint8Array.of(1)]).toString("hex"));
    await page.click("dialog button:text-is('Add the row')");
    await seen("#confirm .problem", "PROTECTED_RANGE");
  });
});

describe("data are data", () => {
  it("whatever keys, values and documents are made of", async () => {
    await open("#data?prefix=xss");
    expect(await keys()).toEqual([`xss ${IMAGE}`, `xss ${SCRIPT}`]);
    for (const at of [0, 1]) {
      await page.locator("#rows [role=option]").nth(at).click();
      await seen("#row-pane .value", "window.hacked");
      for (const form of ["hex", "JSON", "text"]) {
        const button = page.locator(`#row-pane button:text-is('${form}')`);
        if (await button.isEnabled()) await button.click();
      }
    }
    await page.click("[data-action=delete]");
    await seen("#confirm", SCRIPT);
    await page.keyboard.press("Escape");
    await open(`#data?prefix=${encodeURIComponent(IMAGE)}`);
    await open("#collections?name=Person");
    await page.locator("#documents [role=option]").last().click();
    await seen("#document-pane", "<img");
    await page.goto(`${url}/?${encodeURIComponent(SCRIPT)}#${encodeURIComponent(SCRIPT)}`);
    const state = await page.evaluate(() => ({
      hacked: "hacked" in window,
      images: document.images.length,
      scripts: document.scripts.length,
    }));
    expect(state).toEqual({ hacked: false, images: 0, scripts: 1 });
  });

  it("also if the page had a bug: no markup is made of text, no other script runs, nobody frames it", async () => {
    await open("");
    const refused = await page.evaluate(() => {
      const outcome: Record<string, boolean> = {};
      try {
        document.body.insertAdjacentHTML("beforeend", "<b>x</b>");
        outcome["markup"] = false;
      } catch (error) {
        outcome["markup"] = error instanceof TypeError;
      }
      return outcome;
    });
    expect(refused).toEqual({ markup: true });
    const { headers } = await fetch(url);
    expect(headers.get("content-security-policy")).toMatch(
      /script-src 'sha256-[^']+';.*frame-ancestors 'none'/,
    );
    expect(headers.get("content-security-policy")).not.toContain("unsafe");
    troubles = troubles.filter((one) => !one.includes("TrustedHTML"));
  });
});

describe("collections", () => {
  it("are shown with their indexes, and their documents as JSON, also by an index", async () => {
    await open("#collections");
    await page.waitForSelector("#collection-body tbody tr");
    await seen("#collection-names", "Person");
    await seen("#collection-body", "byCity");
    await seen("#collection-body", "readable");
    await page.selectOption("#document-index", "byCity");
    await page.fill("#document-values", '["Kyoto"]');
    await page.click("#documents-range button[type=submit]");
    await page.waitForFunction(() => document.querySelectorAll("#documents [role=option]").length === 10);
    await page.locator("#documents [role=option]").first().click();
    await seen("#document-pane", '"city": "Kyoto"');
    await screenshot("collections");
    await change("**/indexes", (body) => {
      const shadow = { generation: 1, build: { itemsDone: 12, fraction: 0.25, isComplete: false } };
      return { ...body, indexes: (body["indexes"] as object[]).map((one) => ({ ...one, shadow })) };
    });
    await seen("#collection-body", "25 %, 12 items of a second copy");
    expect(await page.locator("#collection-body progress").first().getAttribute("value")).toBe("0.25");
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await page.fill("#document-values", "Kyoto");
    await page.click("#documents-range button[type=submit]");
    await seen("#documents .problem", "INVALID_ARGUMENT");
  });

  it("take changes of documents, with their index entries", async () => {
    await open("#collections?name=Person");
    await page.click("#new-document");
    await page.fill("#edit-document", '{"id":"zoe","city":"Quito"}');
    await page.click("dialog button:text-is('Add the document')");
    await page.waitForSelector("dialog", { state: "hidden" });
    await page.selectOption("#document-index", "byCity");
    await page.fill("#document-values", '["Quito"]');
    await page.click("#documents-range button[type=submit]");
    await page.waitForFunction(() => document.querySelectorAll("#documents [role=option]").length === 1);
    await page.locator("#documents [role=option]").first().click();
    await page.click("#document-pane button:text-is('Edit')");
    await page.fill("#edit-document", '{"id":"zoe","city":7}');
    await page.click("dialog button:text-is('Replace')");
    await seen("#confirm .problem", "VALIDATION_FAILED");
    await page.keyboard.press("Escape");
    await page.click("#document-pane button:text-is('Delete')");
    await page.click("dialog button:text-is('Delete')");
    await seen("#documents", "No documents here");
  });
});

describe("a server", () => {
  it("with a token is asked with the one that somebody gives, which is kept in the tab and never in an address", async () => {
    const token = "secret-of-24-characters!";
    const other = await serve({ token });
    await page.goto(other.url);
    await seen("#token", "asks for a token");
    await page.keyboard.press("Escape");
    await page.fill("#token-input", "another-of-some-characters");
    await page.keyboard.press("Enter");
    await seen("#token", "does not take that one");
    await page.fill("#token-input", token);
    await page.keyboard.press("Enter");
    await seen("#health", "healthy");
    await page.reload();
    await seen("#health", "healthy");
    expect(await page.evaluate(() => Object.values(sessionStorage))).toEqual([token]);
    expect(await page.evaluate(() => Object.values(localStorage))).toEqual([]);
    expect(requests.filter((one) => one.includes("secret-of"))).toEqual([]);
    await page.click("#forget");
    await seen("#token", "asks for a token");
    other.server.closeAllConnections();
    other.server.close();
  });

  it("that is read-only is shown so, and offers no change", async () => {
    const other = await serve({ readOnly: true });
    await page.goto(`${other.url}/#data?prefix=user:`);
    await seen("#health", "read-only");
    await page.locator("#rows [role=option]").first().click();
    await seen("#row-pane .value", "name");
    expect(await page.locator("[data-action=edit], [data-action=delete], #new-row:visible").count()).toBe(0);
    await page.keyboard.press("n");
    await page.keyboard.press("1");
    await page.waitForSelector("rect.block");
    expect(await page.locator("#compact:visible, dialog[open]").count()).toBe(0);
    await page.keyboard.press("3");
    await page.locator("#documents [role=option]").first().click();
    expect(await page.locator("#document-pane button, #new-document:visible").count()).toBe(0);
    other.server.closeAllConnections();
    other.server.close();
  });

  it("that goes away is missed, with what to do, and found again", async () => {
    await open("");
    await seen("#health", "healthy");
    await page.route("**/v1/**", (route) => route.abort());
    await seen("#notice", "NO_ANSWER");
    await seen("#notice", "stillwater serve");
    await seen("#health", "no answer");
    await page.unroute("**/v1/**");
    await page.click("#notice button");
    await seen("#health", "healthy");
    expect(await page.locator("#notice").innerText()).toBe("");
  });

  it("that fails is shown with code and advice where the answer would be", async () => {
    await page.route("**/v1/rows?**", (route) =>
      route.fulfill({
        status: 503,
        contentType: "application/problem+json",
        body: '{"code":"FAILED_STOP","detail":"The disk is gone."}',
      }),
    );
    await open("#data");
    await seen("#rows .problem", "FAILED_STOP");
    await seen("#rows .problem", "The disk is gone.");
    await seen("#rows .problem", "Restart the program");
    await page.unroute("**/v1/rows?**");
    await page.click("#rows .problem button");
    await page.waitForSelector("#rows [role=option]");
  });

  it("is what `stillwater serve` starts", async () => {
    const store = join(folder, "served");
    await (await openDatabase(store)).close();
    const cli = spawn(process.execPath, [
      join(ROOT, "dist/src/cli/main.js"),
      "serve",
      store,
      "--port",
      "0",
      "--json",
    ]);
    const [line] = (await once(cli.stdout, "data")) as [Buffer];
    await page.goto((JSON.parse(line.toString()) as { url: string }).url);
    await seen("#health", "healthy");
    await seen("#levels", "No tables yet");
    await page.keyboard.press("2");
    await seen("#rows", "No rows here");
    await page.keyboard.press("3");
    await seen("#collection-body", "No collections yet");
    await page.keyboard.press("4");
    await seen("#backup-list", "backup");
    cli.kill();
    await once(cli, "exit");
  });
});

describe("everybody", () => {
  it("may have it light or dark", async () => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await open("");
    const light = await ground();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.keyboard.press("t");
    expect(await ground()).toBe(light);
    await page.reload();
    expect(await ground()).toBe(light);
  });

  it("may have a narrow window or a wide one: nothing scrolls sideways", async () => {
    for (const [width, height] of [
      [360, 740],
      [820, 1100],
      [1440, 900],
      [2200, 1200],
    ] as const) {
      await page.setViewportSize({ width, height });
      for (const view of ["overview", "data", "collections", "backups"]) {
        await open(`#${view}`);
        await seen("#health", "healthy");
        await page.waitForFunction(
          () =>
            document.querySelector(
              "rect.block, #rows [role=option], #documents [role=option], #backup-list *",
            ) !== null,
        );
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, `${view}, ${width} wide`).toBeLessThanOrEqual(0);
        await screenshot(`${view}-${width}`);
      }
    }
  });

  it("finds every control named, and sees where the keyboard is", async () => {
    for (const view of ["overview", "data", "collections", "backups"]) {
      await open(`#${view}`);
      await seen("#health", "healthy");
      const nameless = await page.evaluate(() =>
        [
          ...document.querySelectorAll(
            "button, input, select, textarea, [role=listbox], [role=img], [role=button]",
          ),
        ]
          .filter((one) => {
            const labels = (one as HTMLInputElement).labels?.length ?? 0;
            return (one.textContent ?? "").trim() === "" && !one.hasAttribute("aria-label") && labels === 0;
          })
          .map((one) => one.outerHTML),
      );
      expect(nameless, view).toEqual([]);
      for (let i = 0; i < 12; i++) {
        await page.keyboard.press("Tab");
        const unmarked = await page.evaluate(() => {
          const active = document.activeElement as Element;
          const { outlineStyle, stroke } = getComputedStyle(active);
          // Behind the last control comes the body.
          const isMarked = active === document.body || outlineStyle !== "none" || stroke !== "none";
          return isMarked ? null : active.id;
        });
        expect(unmarked, view).toBeNull();
      }
    }
    await page.keyboard.press("?");
    await seen("#keys", "this help");
  });
});

/** Rows of several kinds, some dangerous ones, and a collection. */
async function fill(): Promise<void> {
  const rows: [string | Uint8Array, string][] = [];
  for (let at = 0; at < USERS; at++) rows.push([userKey(at), JSON.stringify({ name: `Ada ${at}` })]);
  for (let at = 0; at < 40; at++) rows.push([pack(["orders", 2025 + (at % 2), at >> 1]), "1"]);
  rows.push([`xss ${SCRIPT}`, IMAGE], [`xss ${IMAGE}`, JSON.stringify({ [IMAGE]: SCRIPT })]);
  for (let from = 0; from < rows.length; from += 200) {
    await database.transact(async (transaction) => {
      for (const [key, value] of rows.slice(from, from + 200))
        transaction.set(typeof key === "string" ? text(key) : key, text(value));
    });
  }
  const Person = collection("Person", {
    schema: s.object({ id: s.string(), city: s.string() }),
    primaryKey: "id",
    indexes: [scalar("city", { name: "byCity" }), count({ by: ["city"], name: "perCity" })],
  });
  const records = await recordsOn(database, schema({ version: "1.0.0", collections: [Person] }));
  const cities = ["Oslo", "Kyoto", "Lima"];
  for (let at = 0; at < 30; at++)
    await records.collection("Person").put({ id: `p${at}`, city: cities[at % 3] as string });
  await records.collection("Person").put({ id: IMAGE, city: SCRIPT });
  await records.collection("Person").put({ id: `z${IMAGE}`, city: SCRIPT });
}

async function serve(options: Admin.AdminOptions): Promise<{ server: Server; url: string }> {
  const started = createServer({ maxHeaderSize: 131_072 }, adminHandler(database, options));
  started.listen(0, "127.0.0.1");
  await once(started, "listening");
  return { server: started, url: `http://127.0.0.1:${(started.address() as AddressInfo).port}` };
}

async function put(key: string, value: string): Promise<void> {
  await database.transact(async (transaction) => transaction.set(text(key), text(value)));
}

async function read(key: string): Promise<string | undefined> {
  const value = await database.read((reader) => reader.get(text(key)));
  return value === undefined ? undefined : Buffer.from(value).toString();
}

async function anyRecordKey(): Promise<Uint8Array> {
  const { rows } = (await answer("/v1/rows?keyEncoding=hex&limit=1000&from=00&to=2d")) as {
    rows: { key: string; value: string }[];
  };
  const found = rows.find(({ key }) => !key.startsWith(Buffer.from(pack(["orders"])).toString("hex")));
  return Buffer.from(found?.key ?? "", "hex");
}

async function answer(path: string): Promise<unknown> {
  return (await fetch(`${url}${path}`)).json();
}

async function open(hash: string): Promise<void> {
  // A new address behind the # alone does not load the page anew.
  await page.goto("about:blank");
  await page.goto(`${url}/${hash}`);
  await page.waitForSelector("html[data-ready]");
  if (hash.startsWith("#data"))
    await page.waitForSelector("#rows [role=option], #rows .empty, #rows .problem");
  else if (hash.startsWith("#collections")) await page.waitForSelector("#documents [role=option]");
  else if (hash === "") await page.waitForSelector("rect.block");
}

/** As if the server had answered something else. */
async function change(
  address: string,
  changed: (body: Record<string, unknown>) => Record<string, unknown>,
): Promise<void> {
  await page.route(address, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: changed((await response.json()) as Record<string, unknown>) });
  });
}

function keys(): Promise<string[]> {
  return page.locator("#rows [role=option] .key").allInnerTexts();
}

async function turn(name: string): Promise<void> {
  const [before] = await keys();
  await page.click(`#rows [aria-label='${name}']`);
  await page.waitForFunction(
    (old) => document.querySelector("#rows [role=option] .key")?.textContent !== old,
    before,
  );
}

/** Waits for it: answers take their time. */
async function seen(selector: string, wanted: string): Promise<void> {
  await page
    .locator(selector)
    .filter({ hasText: wanted })
    .first()
    .waitFor({ timeout: 20_000 })
    .catch(async () => expect(await page.locator(selector).allInnerTexts()).toContain(wanted));
}

async function screenshot(name: string): Promise<void> {
  const target = process.env["SCREENSHOTS"];
  if (target !== undefined) await page.screenshot({ path: join(target, `admin-${name}.png`) });
}
