/**
 * The errors of records: what was wrong, and with which collection, index, field and value. Owns their shape; each throw site says
 * what to do.
 */
import { Uuid } from "../keyspace/tuple-elements.js";
import { type ErrorCode, type ErrorDetails, StillwaterError } from "../platform/errors.js";

export interface RecordErrorDetails extends ErrorDetails {
  readonly collection?: string | undefined;
  readonly index?: string | undefined;
  /** The path of the field within the document. */
  readonly field?: string | undefined;
  readonly value?: unknown;
}

/** An error of records: which collection, index, field and value it is about, where there is one. */
export class RecordError extends StillwaterError {
  readonly collection: string | undefined;
  readonly index: string | undefined;
  readonly field: string | undefined;
  readonly value: unknown;

  constructor(code: ErrorCode, message: string, details: RecordErrorDetails = {}) {
    super(code, message, details);
    this.name = "RecordError";
    this.collection = details.collection;
    this.index = details.index;
    this.field = details.field;
    this.value = details.value;
  }
}

const SHOWN_CHARACTERS = 80;

/** A value as a message shows it: short, and never throwing. */
export function shown(value: unknown): string {
  const text = shownWhole(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

function shownWhole(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "object":
      if (value === null) return "null";
      if (value instanceof Uint8Array)
        return `0x${Buffer.from(value.subarray(0, SHOWN_CHARACTERS)).toString("hex")}`;
      if (value instanceof Uuid) return String(value);
      if (value instanceof Date)
        return Number.isNaN(value.getTime()) ? "an invalid date" : value.toISOString();
      return Array.isArray(value) ? `a list of ${value.length}` : "an object";
    case "function":
      return "a function";
    default:
      return String(value);
  }
}
