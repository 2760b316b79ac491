/**
 * Loads what makes calls of Level only for a run that makes them: it needs the package abstract-level, which who simulates the store
 * need not have. Throws `MISSING_DEPENDENCY` where it is not there.
 */
import { isLevelWorkload } from "../workload/level-workloads.js";
import type { LevelClient } from "./level.js";
import type { Session } from "./session.js";

let Client: typeof LevelClient | null = null;

/** To be awaited before the session of a run is made. */
export async function prepareLevel(workload: string): Promise<void> {
  if (isLevelWorkload(workload)) ({ LevelClient: Client } = await import("./level.js"));
}

export function levelClientOf(session: Session): LevelClient | null {
  return Client !== null && isLevelWorkload(session.options.workload) ? new Client(session) : null;
}
