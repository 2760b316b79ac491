/** What the background thread and the store say to each other: plain data, errors included. */
import { CorruptionError, type ErrorCode, StillwaterError } from "../../platform/errors.js";
import type { JobDescription, JobResult } from "../compaction/job.js";

export interface WorkerRequest {
  readonly id: number;
  readonly description: JobDescription;
}

export interface WorkerReply {
  readonly id: number;
  readonly error: PlainError | null;
  readonly result: JobResult | null;
}

export interface PlainError {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly path: string | null;
  readonly offset: number | null;
  readonly operation: string | null;
}

export function errorToPlain(error: Error): PlainError {
  const typed = error instanceof StillwaterError ? error : null;
  return {
    code: typed?.code ?? null,
    message: error.message,
    path: typed?.path ?? null,
    offset: typed?.offset ?? null,
    operation: typed?.operation ?? null,
  };
}

export function errorFromPlain(plain: PlainError): Error {
  const details = {
    ...(plain.path === null ? {} : { path: plain.path }),
    ...(plain.offset === null ? {} : { offset: plain.offset }),
    ...(plain.operation === null ? {} : { operation: plain.operation }),
  };
  if (plain.code === null) return new Error(plain.message);
  if (plain.code === "CORRUPTION") {
    // The message says the place already.
    const error = new CorruptionError("", { ...details, path: plain.path ?? "" });
    error.message = plain.message;
    return error;
  }
  return new StillwaterError(plain.code, plain.message, details);
}
