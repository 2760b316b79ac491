/**
 * The target of a request as bytes were sent, taken apart without forgiveness: what Node, a URL parser or a router would repair
 * (`%zz`, `%ff`, `/a/../b`, a parameter given twice) is refused or kept as it is, so that no two programs on the way can read it
 * differently.
 */
import { RequestError } from "./problem.js";

export interface RequestTarget {
  /** As it was sent, beginning with "/". */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
}

/** Throws `URL_TOO_LONG`, `BAD_REQUEST`. */
export function parseTarget(target: string, urlBytesMax: number): RequestTarget {
  if (target.length > urlBytesMax)
    throw new RequestError("URL_TOO_LONG", `a URL may have at most ${urlBytesMax} bytes.`);
  if (!target.startsWith("/"))
    throw new RequestError("BAD_REQUEST", "the target of a request must be a path, not a whole URL.");
  if (/[^\u0021-\u007e]|[\\#]/.test(target))
    throw new RequestError("BAD_REQUEST", "the URL has characters that must be percent-encoded.");
  const mark = target.indexOf("?");
  if (mark < 0) return { path: target, query: new Map() };
  return { path: target.slice(0, mark), query: parseQuery(target.slice(mark + 1)) };
}

/** Throws `BAD_REQUEST` for what is not UTF-8 behind its percent signs. */
export function decodeSegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new RequestError(
      "BAD_REQUEST",
      "the URL has a percent sign with no UTF-8 behind it. For bytes that are not UTF-8 use keyEncoding=hex or base64url.",
    );
  }
}

function parseQuery(text: string): Map<string, string> {
  const query = new Map<string, string>();
  for (const part of text.split("&")) {
    if (part === "") continue;
    const mark = part.indexOf("=");
    const [rawName, rawValue] = mark < 0 ? [part, ""] : [part.slice(0, mark), part.slice(mark + 1)];
    const name = decodeSegment(rawName.replaceAll("+", " "));
    if (query.has(name)) {
      throw new RequestError(
        "BAD_REQUEST",
        `the parameter ${JSON.stringify(name.slice(0, 40))} is there twice.`,
      );
    }
    query.set(name, decodeSegment(rawValue.replaceAll("+", " ")));
  }
  return query;
}
