/**
 * O20. Verifies: a checkpoint holds all that was acknowledged before the call, opens as a store of its own, at the
 * version that the call gave, with exactly the state of that version, whatever went on beside it; when the call returns
 * it is whole on the medium, and if a power loss cuts the call off, either whole or not there under its name.
 * Does not verify: what a call that was cut off leaves under its temporary name.
 */
import { verifyAtRest } from "../../src/engine/restore.js";
import { StillwaterError } from "../../src/platform/errors.js";
import type { VFS } from "../../src/platform/vfs.js";
import { type Row, scanMismatch } from "../model/comparison.js";
import type { Model, PrefixSpan } from "../model/model.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

export function checkCheckpoint(
  ledger: OracleLedger,
  model: Model,
  span: PrefixSpan,
  rows: readonly Row[],
): void {
  ledger.count("O20");
  let mismatch = "it cannot be compared";
  for (let sequence = span.low; sequence <= span.high; sequence++) {
    const found = scanMismatch(model, sequence, {}, Number.POSITIVE_INFINITY, rows);
    if (found === null) return;
    mismatch = found;
  }
  throw new OracleFailure("O20", `the checkpoint at commit ${span.high} differs: ${mismatch}`);
}

/** `promised`: the newest version that had been acknowledged when the call was made. */
export function checkCheckpointVersion(ledger: OracleLedger, version: number, promised: number): void {
  ledger.count("O20");
  if (version >= promised) return;
  throw new OracleFailure(
    "O20",
    `a checkpoint was made at version ${version}, though ${promised} had been acknowledged`,
  );
}

/** `durable`: what is on the medium, all else left aside. */
export function checkWholeCopy(ledger: OracleLedger, durable: VFS, target: string, when: string): void {
  ledger.count("O20");
  let problem: string | undefined;
  try {
    const { manifest, report } = verifyAtRest(durable, target);
    problem = manifest.isSealed ? report.problems[0] : "its manifest is not sealed";
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
    problem = error.message;
  }
  if (problem !== undefined)
    throw new OracleFailure("O20", `${target}, ${when}, is not whole on the medium: ${problem}`);
}
