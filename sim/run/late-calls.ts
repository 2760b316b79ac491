/**
 * Calls that come too late: to a store whose close has begun, and to iterators and snapshots that were left open when it
 * was closed. Each must be refused with `CLOSED` (or its like), change nothing and keep nobody waiting; what was under
 * way before is the business of the closing itself. Does not own: closing (`life.ts`).
 */
import { writeBackup } from "../../src/engine/backup/create.js";
import { Batch } from "../../src/engine/batch.js";
import { type ErrorCode, StillwaterError } from "../../src/platform/errors.js";
import { SimulatedCrash } from "../disk/errors.js";
import { OracleFailure } from "../oracles/failure.js";
import { keyBytes } from "../workload/bytes.js";
import type { Session } from "./session.js";

/** A key that no workload writes: if a commit after the close got through, the store would hold what nobody wrote. */
const LATE_KEY = "late";

export function willCallLate(session: Session): boolean {
  const { world, options, faultsAreOn } = session;
  return (
    faultsAreOn &&
    world.choices.stream("process").chance(options.world.lateCallProbability, "process.calls-late")
  );
}

/** Every public call, while `closing` is under way and again when it is done. */
export async function callLate(session: Session, closing: Promise<void>): Promise<void> {
  const { store } = session;
  const key = keyBytes(LATE_KEY);
  const batch = new Batch().put(key, key);
  const calls: readonly (readonly [string, () => unknown])[] = [
    ["put", () => store.put(key, key)],
    ["write", () => store.write(batch)],
    ["writeSync", () => store.writeSync(batch)],
    ["get", () => store.get(key)],
    ["getSync", () => store.getSync(key)],
    ["getMany", () => store.getMany([key])],
    ["snapshot", () => store.snapshot()],
    ["iterator", () => store.iterator()],
    ["scan", () => store.scan()],
    ["flush", () => store.flush()],
    ["compact", () => store.compact()],
    ["checkpoint", () => store.checkpoint("/late")],
    ["createBackup", () => writeBackup(store.backupSource, "/late-backups", {})],
    ["verify", () => store.verify()],
  ];
  for (const [name, call] of calls) await expectRefusal(session, name, call, ["CLOSED"]);
  if (store.close() !== closing) throw new OracleFailure("O18", "a second close is not the first one");
}

/** After the close. */
export function checkClosedReaders(session: Session): void {
  for (const { iterator, ended } of session.iterators.values()) {
    if (ended) continue;
    session.ledger.count("O18");
    try {
      iterator.next();
    } catch (error) {
      if (error instanceof StillwaterError && error.code === "CLOSED") continue;
      throw new OracleFailure("O18", `an iterator of a closed store says: ${error}`, error);
    }
    throw new OracleFailure("O18", "an iterator of a closed store goes on");
  }
  for (const { iterator } of session.iterators.values()) iterator.close();
  for (const { snapshot } of session.snapshots.values()) snapshot.close();
}

async function expectRefusal(
  session: Session,
  name: string,
  call: () => unknown,
  codes: readonly ErrorCode[],
): Promise<void> {
  session.ledger.count("O18");
  try {
    await call();
  } catch (error) {
    if (session.life.crashed || error instanceof SimulatedCrash) throw new SimulatedCrash();
    if (error instanceof StillwaterError && codes.includes(error.code)) return;
    throw new OracleFailure("O16", `${name} of a closing store says: ${error}`, error);
  }
  throw new OracleFailure("O18", `${name} of a closing store is accepted`);
}
