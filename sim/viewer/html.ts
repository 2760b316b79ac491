/**
 * The time-travel page: one HTML file that needs nothing but a browser. Puts a recorded trace into the page that
 * `scripts/build.mjs` makes of `sim/viewer/page`; the data is deflated and written as base64, which the page reads
 * without a network. Owns the way in for the data; the page owns how it looks.
 */
import { readFileSync } from "node:fs";
import { deflateRawSync } from "node:zlib";
import { StillwaterError } from "../../src/platform/errors.js";
import type { RecordedTrace } from "./trace-model.js";

/** Stand in the template once each. */
const TITLE = "@@TITLE@@";
const MODEL = "@@MODEL@@";
const HEAP = "@@HEAP@@";

/** The page as text. The same trace gives the same page. */
export function timeTravelPage(trace: RecordedTrace, template = pageTemplate()): string {
  const { subject, failure } = trace.model.headline;
  const broken = failure === null ? "passed" : `${failure.oracle} broken`.trim();
  const parts: readonly (readonly [string, string])[] = [
    [TITLE, escapeHtml(`${subject}: ${broken}`)],
    [MODEL, packed(Buffer.from(JSON.stringify(trace.model)))],
    [HEAP, packed(trace.heap)],
  ];
  let page = template;
  for (const [mark, text] of parts) {
    const at = page.indexOf(mark);
    if (at < 0) throw new Error(`the page's template has no ${mark}`);
    page = page.slice(0, at) + text + page.slice(at + mark.length);
  }
  return page;
}

/** The page without data, as the build has left it beside this module. */
export function pageTemplate(module: string | URL = import.meta.url): string {
  const place = new URL("./page.html", module);
  try {
    return readFileSync(place, "utf8");
  } catch (error) {
    throw new StillwaterError(
      "NOT_FOUND",
      `The template of the page is missing at ${place.pathname}. It is part of the built package: run \`npm run build\` and use dist.`,
      { path: place.pathname, cause: error },
    );
  }
}

function packed(bytes: Uint8Array): string {
  return deflateRawSync(bytes, { level: 9 }).toString("base64");
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
