/**
 * Where in the program a call comes from, read off the stack: the first line of the program's own code, and the package
 * that made the call for it, if one did.
 */
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const FRAMES = 30;

/** `ours`: a folder whose lines are not the program's. `root`: paths are shown from there. */
export function callSite(ours: string, root: string): string {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  const { stack = "" } = new Error("call site");
  Error.stackTraceLimit = before;
  let viaPackage: string | null = null;
  for (const line of stack.split("\n").slice(1)) {
    const place = placeOf(line);
    if (place === null || place.startsWith("node:") || place.startsWith(ours)) continue;
    const shown = relative(root, place.replace(/:\d+$/, "")).replaceAll(sep, "/");
    if (!place.includes("/node_modules/")) return viaPackage === null ? shown : `${shown}, in ${viaPackage}`;
    viaPackage ??= shown.slice(shown.lastIndexOf("node_modules/") + "node_modules/".length);
  }
  return viaPackage ?? "(no line of the program)";
}

/** `path:line:column` of a line of a stack. */
function placeOf(line: string): string | null {
  const match = /\(([^()]+:\d+:\d+)\)$/.exec(line) ?? /at (?:async )?([^ ()]+:\d+:\d+)$/.exec(line);
  const place = match?.[1];
  if (place === undefined) return null;
  return place.startsWith("file:")
    ? fileURLToPath(place.replace(/(:\d+:\d+)$/, "")) + place.replace(/^.*?((:\d+){2})$/, "$1")
    : place;
}
