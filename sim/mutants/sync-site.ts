/**
 * Where a sync comes from, as a name that stays the same from run to run: what is synced (a kind of file or directory)
 * and the first function of the program under test on the stack, such as `log@wal/segment:sync`. Line numbers are
 * left out, so that a name outlives edits and is the same for sources and compiled code. Works for any program: a
 * `SiteNaming` says which files of source count and what kinds of paths there are.
 * Taking a stack costs some 10 µs, so it is done only while somebody counts or leaves out syncs.
 */
import type { SyncOperation } from "../disk/sync-sabotage.js";

export interface SiteNaming {
  /** Matches the path of a source file of the program; group 1 is what the name shows of it, without ending. */
  readonly source: RegExp;
  kindOf(operation: SyncOperation, path: string): string;
}

const FRAMES_MAX = 24;
const ELSEWHERE = "elsewhere";

/** The name of the sync that is being called now, further up this very stack. */
export function callingSite(naming: SiteNaming, operation: SyncOperation, path: string): string {
  return `${naming.kindOf(operation, path)}@${callingPlace(naming.source)}`;
}

function callingPlace(source: RegExp): string {
  for (const frame of framesBelow()) {
    const file = source.exec(frame.getFileName() ?? "")?.[1];
    if (file !== undefined) return `${file}:${functionOf(frame)}`;
  }
  return ELSEWHERE;
}

/** V8 gives the frames themselves to whoever formats a stack; a text that others map back to sources would be dear. */
function framesBelow(): readonly NodeJS.CallSite[] {
  const { stackTraceLimit, prepareStackTrace } = Error;
  let frames: readonly NodeJS.CallSite[] = [];
  Error.stackTraceLimit = FRAMES_MAX;
  Error.prepareStackTrace = (_error, all) => {
    frames = all;
    return "";
  };
  // The stack is formatted when it is read.
  void new Error("only for its stack").stack;
  Object.assign(Error, { stackTraceLimit, prepareStackTrace });
  return frames;
}

/** Without the class: `open`, `sync`, `tidy`. */
function functionOf(frame: NodeJS.CallSite): string {
  const name = frame.getMethodName() ?? frame.getFunctionName() ?? "";
  return name === "" ? "(module)" : name.slice(name.lastIndexOf(".") + 1).replace(/^#/, "");
}
