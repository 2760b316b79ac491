/**
 * A recorded run as plain data: what the recorder writes, the page carries and the reader (`trace-reader.ts`) turns
 * back into the disk at any step. Steps are columns of numbers. What a step did to the disk is a list of changes;
 * key frames are lists of changes too, from an empty disk. Pages are content-addressed: each distinct content is
 * stored once, as a patch of an earlier one. Owns the format; knows nothing of engines, files of this machine or HTML.
 */

export const MODEL_FORMAT = 1;
export const MODEL_PAGE_BYTES = 4096;

/** What a step is; its number in `StepColumns.kind` is the place here. */
export const STEP_KINDS = [
  "call",
  "completion",
  "begins",
  "ends",
  "life",
  "crash-point",
  "crash",
  "damage",
  "finding",
  "note",
  "end",
] as const;

export type StepKind = (typeof STEP_KINDS)[number];

/** One value a step in each. Texts are places in `TraceModel.strings`, of which the first is empty. */
export interface StepColumns {
  readonly kind: readonly number[];
  /** The operation of a call, the text of anything else. */
  readonly what: readonly number[];
  readonly path: readonly number[];
  /** The second path of a rename or link. */
  readonly second: readonly number[];
  readonly a: readonly number[];
  readonly b: readonly number[];
  /** How it went, where there is something to say: an errno, an answer. */
  readonly outcome: readonly number[];
  /** Where in the program the call was made. */
  readonly place: readonly number[];
  readonly lane: readonly number[];
  /** Virtual time in microseconds since the step before. */
  readonly timeUs: readonly number[];
  /** Turns of the scheduler since the step before. */
  readonly turns: readonly number[];
  /** How many changes it made. */
  readonly changes: readonly number[];
}

/** Each change is four numbers: its kind, and three that are explained here. */
export const CHANGE = {
  /** directory, name (a string), node (0: no entry): the entry that processes see */
  volatileName: 0,
  /** as above: the entry on the medium */
  durableName: 1,
  /** file, index of the page, content (0: zeros or a hole): what processes read */
  volatilePage: 2,
  durablePage: 3,
  /** file, bytes, 0 */
  volatileSize: 4,
  durableSize: 5,
  /** file, sector, 1 or 0: whether reading it fails */
  unreadable: 6,
  /** node, 0, 0: nothing can bring it back */
  forget: 7,
} as const;

export const CHANGE_NUMBERS = 4;

export interface KeyFrames {
  /** Ascending; the frame is the disk after this step. */
  readonly step: readonly number[];
  /** How many changes each has. */
  readonly count: readonly number[];
  readonly changes: readonly number[];
}

/** Content `n` (from 1) is content `base` (0: zeros) with `length` bytes of the heap at `start`; they lie in it in order. */
export interface ContentColumns {
  readonly base: readonly number[];
  readonly start: readonly number[];
  readonly length: readonly number[];
}

export interface SpanColumns {
  readonly lane: readonly number[];
  readonly first: readonly number[];
  readonly last: readonly number[];
  readonly text: readonly number[];
  readonly outcome: readonly number[];
}

/** What a power loss decided about one unsynced thing. */
export interface SettledThing {
  readonly what: string;
  readonly fate: string;
}

export interface CrashNote {
  readonly step: number;
  readonly settled: readonly SettledThing[];
}

/** What the page says before anything else. */
export interface Headline {
  /** Which run this is: "seed 4711". */
  readonly subject: string;
  /** The broken promise, or null when the run passed. */
  readonly failure: {
    /** "O8", or empty when not an oracle failed. */
    readonly oracle: string;
    readonly promise: string;
    readonly because: string;
    readonly stack: string;
  } | null;
  /** One sentence, or null when nobody has looked for it. */
  readonly rootCause: string | null;
  /** The command that repeats this run, or empty. */
  readonly reproduce: string;
  /** Further things worth knowing, name and text. */
  readonly facts: readonly (readonly [name: string, text: string])[];
}

/** A recorded run as the page reads it: columns of numbers and texts. */
export interface TraceModel {
  readonly format: typeof MODEL_FORMAT;
  readonly headline: Headline;
  readonly strings: readonly string[];
  /** Names of lanes in order from the top. */
  readonly lanes: readonly string[];
  readonly steps: StepColumns;
  /** Step, kind (a string): two numbers for each fault that struck, in order. */
  readonly faults: readonly number[];
  readonly spans: SpanColumns;
  readonly crashes: readonly CrashNote[];
  /** Of all nodes, those that are directories; the first is the root. */
  readonly directories: readonly number[];
  readonly changes: readonly number[];
  readonly keyFrames: KeyFrames;
  readonly contents: ContentColumns;
}

/** A model with the bytes that its contents are patched from. */
export interface RecordedTrace {
  readonly model: TraceModel;
  readonly heap: Uint8Array;
}
