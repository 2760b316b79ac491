/** What salvage has to say about a place: plain data, one sentence each, with file and offset where they are known. */
import { type ErrorCode, StillwaterError } from "../../platform/errors.js";

export interface SalvageFinding {
  /** `lost`: acknowledged data is missing for certain. `doubtful`: what was salvaged may not be what was last there. */
  readonly kind: "lost" | "doubtful";
  readonly path: string;
  /** First byte concerned; null: the file as a whole. */
  readonly offset: number | null;
  /** Bytes concerned; null where that is not known. */
  readonly bytes: number | null;
  readonly message: string;
}

const DAMAGE: ReadonlySet<ErrorCode> = new Set(["CORRUPTION", "IO", "NOT_FOUND"]);

/** The error, if it is about damaged or unreadable bytes; anything else is thrown on. */
export function damageOf(error: unknown): StillwaterError {
  if (error instanceof StillwaterError && DAMAGE.has(error.code)) return error;
  throw error;
}
