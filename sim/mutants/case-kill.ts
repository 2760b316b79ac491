/**
 * Kills by saved cases: some bugs need circumstances so rare that no budget of seeds meets them, but a run that once did
 * is kept literally. A case kills a mutant when its oracle fails with the mutant and nothing does without.
 */
import { existsSync } from "node:fs";
import { listCases, readCase } from "../cases/files.js";
import { replayCase } from "../cases/replay.js";
import { failureClass, type OracleId } from "../oracles/failure.js";
import type { FailureClass } from "../run/seed.js";

export interface CaseKill {
  readonly name: string;
  readonly oracle: OracleId;
  readonly class: FailureClass;
}

/** The first case in the directory that kills the mutant; null when there is none, or no directory. */
export async function killByCase(directory: string, mutant: string): Promise<CaseKill | null> {
  if (!existsSync(directory)) return null;
  for (const path of listCases(directory)) {
    const one = readCase(path);
    const { oracle } = one.expect;
    if (oracle === null || one.mutants.length !== 1 || one.mutants[0] !== mutant) continue;
    const { asExpected } = await replayCase(one);
    const sound = await replayCase(one, { mutants: [] });
    if (asExpected && sound.result.failure === null) {
      return { name: one.name, oracle, class: failureClass(oracle) };
    }
  }
  return null;
}
