/**
 * The tape of a program: every call that changed its simulated disk, in order, with its bytes and its place in the
 * program, and between them what the program acknowledged. With the files that were there before, it says all that a
 * crash at any moment could leave: crash states come from the tape, the program runs once. Plain JSON in files. Does not
 * own: recording (`recorder.ts`), replaying (`tape-player.ts`).
 */
import type { VolumeCall, VolumeStep } from "../node-fs/volume.js";

export interface TapeStep {
  readonly kind: "step";
  readonly call: VolumeCall;
  readonly parameters: readonly (string | number | Uint8Array | null)[];
  /** What it is about, for people. */
  readonly path: string;
  readonly changes: boolean;
  /** The line of the program it comes from: `program.mjs:12:5`, with the package in between, if any. */
  readonly site: string;
}

/** A line that the program wrote to its standard output: from here on it has promised this. */
export interface TapeAcknowledgement {
  readonly kind: "acknowledge";
  readonly text: string;
}

export type TapeEvent = TapeStep | TapeAcknowledgement;

/** A file that was in the mounted directory before, durable from the beginning. */
export interface BaseEntry {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink";
  /** Content of a file, or target of a link. */
  readonly content?: Uint8Array | string;
  /** A directory whose entries nobody has looked at: they are read from the real one when somebody does. */
  readonly unread?: boolean;
}

export interface Tape {
  readonly mount: string;
  readonly base: readonly BaseEntry[];
  readonly events: readonly TapeEvent[];
  readonly end: ProgramEnd;
}

export interface ProgramEnd {
  readonly code: number | null;
  /** Why the recording ended before the program did; null when it did not. */
  readonly cut: string | null;
}

/** Stands for the mounted directory in files, so that a tape says nothing about the machine it was made on. */
const MOUNT = "<mount>";

export function tapeToJSON(tape: Tape): unknown {
  const outward = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return bytesToJSON(value);
    return typeof value === "string" ? value.replaceAll(tape.mount, MOUNT) : value;
  };
  return {
    end: tape.end,
    base: tape.base.map((entry) => mapValues(entry, outward)),
    events: tape.events.map((event) =>
      mapValues(event, (value) => (Array.isArray(value) ? value.map(outward) : outward(value))),
    ),
  };
}

/** The opposite of `tapeToJSON`, for a directory that may lie elsewhere now. */
export function tapeFromJSON(json: unknown, mount: string): Tape {
  const inward = (value: unknown): unknown => {
    if (typeof value === "string") return value.replaceAll(MOUNT, mount);
    return isBytes(value) ? bytesFromJSON(value) : value;
  };
  const { end, base, events } = json as { end: ProgramEnd; base: object[]; events: object[] };
  return {
    mount,
    end,
    base: base.map((entry) => mapValues(entry, inward) as unknown as BaseEntry),
    events: events.map(
      (event) =>
        mapValues(event, (value) =>
          Array.isArray(value) ? value.map(inward) : inward(value),
        ) as unknown as TapeEvent,
    ),
  };
}

export function stepOf(step: VolumeStep, site: string): TapeStep {
  return { kind: "step", ...step, site };
}

interface JSONBytes {
  readonly text?: string;
  readonly base64?: string;
}

/** As text where that is what it is, so that people can read a case. */
function bytesToJSON(bytes: Uint8Array): JSONBytes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString("utf8");
  return Buffer.from(text).equals(buffer) ? { text } : { base64: buffer.toString("base64") };
}

function bytesFromJSON(json: JSONBytes): Uint8Array {
  return json.text === undefined ? Buffer.from(json.base64 ?? "", "base64") : Buffer.from(json.text);
}

function isBytes(value: unknown): value is JSONBytes {
  return typeof value === "object" && value !== null && ("text" in value || "base64" in value);
}

function mapValues(object: object, change: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}
