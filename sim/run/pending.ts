/**
 * Everything that a life waits for, in lines, for the report of one that does not settle (O15); and the proof, before
 * anybody blames the engine for it, that the simulated world leaves it a way to settle (simulation.md B8, B4): faults off,
 * space there, no crash armed, damage only where it is allowed. Does not own: deciding that a life is stuck (`world.ts`).
 */
import { OracleFailure } from "../oracles/failure.js";
import { capped } from "../world/report-lines.js";
import type { Session } from "./session.js";

/** What the main task does, calls without an answer, calls of the disk, and what the process holds. */
export function describePending(session: Session): string[] {
  const { inFlight, disk, iterators, snapshots, world } = session;
  const lines = [
    `main task: ${session.doing}`,
    ...capped(inFlight.describe()),
    ...capped(disk.describeLife()),
    ...capped([...iterators].map(([id, { version }]) => `iterator ${id} is open, at version ${version}`)),
    ...capped(
      [...snapshots].map(([id, { snapshot }]) => `snapshot ${id} is open, at version ${snapshot.version}`),
    ),
  ];
  if (world.crashes.armed !== null) lines.push(`a crash is armed: ${JSON.stringify(world.crashes.armed)}`);
  if (!session.hasStore) return [...lines, "no store is open"];
  const { failedStop, backgroundBusy, immutableMemtables, debtBytes } = session.store.inspect();
  const failure = session.store.stats().failure ?? "nothing";
  lines.push(
    `store: ${failedStop ? "stopped" : "running"}, background work ${backgroundBusy ? "busy" : "idle"}, ` +
      `${immutableMemtables} sealed memtables, ${debtBytes} bytes of debt, last failure: ${failure}`,
  );
  return lines;
}

/** Why nobody could settle in the world as it is: empty when the engine has every chance. */
export function obstaclesOfWorld(session: Session): string[] {
  const { disk, options, world } = session;
  const reasons: string[] = [];
  if (session.faultsAreOn) reasons.push("faults are still injected");
  if (!world.isCalm) reasons.push("turns are still disturbed");
  if (world.crashes.armed !== null) reasons.push("a crash is armed");
  if (disk.usedBytes >= options.disk.capacityBytes) reasons.push(`the disk is full: ${disk.usedBytes} bytes`);
  const outside = disk.damage.filter(({ path }) => !isInBudget(path, options.logRotProbability > 0));
  for (const { kind, path, offset } of outside) {
    reasons.push(`${kind} at ${path}, byte ${offset}, which nobody can repair and no promise covers`);
  }
  return reasons;
}

/** Tables may be damaged, for then the store says so; log records where the seed has them rot, for the same reason. */
function isInBudget(path: string, logMayRot: boolean): boolean {
  return path.endsWith(".sst") || (logMayRot && path.endsWith(".wal"));
}

/**
 * In the liveness phase: the failure as it is; or, when the world was in the way, an error of the harness itself, which is
 * no oracle's.
 */
export function blameWorldFirst(session: Session, error: Error): Error {
  const obstacles = obstaclesOfWorld(session);
  if (obstacles.length === 0) return error;
  const blame = `the harness demands what it prevents: ${obstacles.join("; ")} (${error.message})`;
  return new Error(blame, { cause: error });
}

/** A broken promise of liveness with all that is pending; any other error as it is. */
export function explainLiveness(session: Session, error: unknown): unknown {
  if (!(error instanceof OracleFailure) || error.oracle !== "O15") return error;
  const pending = [...describePending(session), ...session.life.scheduler.describe()];
  const failure = new OracleFailure("O15", `${error.detail}\n    ${pending.join("\n    ")}`, error);
  return blameWorldFirst(session, failure);
}
