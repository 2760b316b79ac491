/**
 * Where in a program a call comes from, read off the stack: costs some microseconds a call, which is fine while
 * recording. A place is a source file and a function; lanes are found by rules over the whole stack, so that a write
 * of the table builder counts as the flush that it is made for. Knows nothing of a particular program's files.
 */

export interface Frame {
  /** Path or URL of the module. */
  readonly file: string;
  /** Empty at the top level. */
  readonly name: string;
}

/** Tells the lane of a call and the frame that made it; null for no lane, or no place worth telling. */
export type Classify = (frames: readonly Frame[]) => {
  readonly lane: string | null;
  readonly place: string | null;
};

const FRAMES_MAX = 40;

/** The frames above the caller, innermost first, those beyond an `await` included. */
export function currentFrames(above: (...parameters: never[]) => unknown): Frame[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  Error.stackTraceLimit = FRAMES_MAX;
  Error.prepareStackTrace = (_error, sites) => sites;
  try {
    Error.captureStackTrace(holder, above);
    const sites = holder.stack as NodeJS.CallSite[];
    return sites.map((site) => ({ file: site.getFileName() ?? "", name: site.getFunctionName() ?? "" }));
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepareStackTrace === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
    else Error.prepareStackTrace = prepareStackTrace;
  }
}
