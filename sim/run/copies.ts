/**
 * The operation that makes other stores out of this one: a checkpoint, and what is restored from it. Each is opened as
 * a store of its own, compared with the state that it must hold (O20), closed and removed.
 */
import { restoreStore } from "../../src/engine/restore.js";
import { Store } from "../../src/engine/store.js";
import type { ErrorCode } from "../../src/platform/errors.js";
import type { SimulationDisk, VFSOperation } from "../disk/simulation-disk.js";
import type { Row } from "../model/comparison.js";
import type { PrefixSpan } from "../model/model.js";
import { checkCheckpoint, checkCheckpointVersion, checkWholeCopy } from "../oracles/checkpoint.js";
import { OracleFailure } from "../oracles/failure.js";
import { readAll, removeTree } from "./checks.js";
import { DamageFound, type Session } from "./session.js";

export async function takeCheckpoint(session: Session, number: number, restores: boolean): Promise<void> {
  const target = `/checkpoint-${number}`;
  session.checkpointUnderWay = { target, acknowledged: session.model.acknowledgedUpTo() };
  const { model, ledger, failStop } = session;
  const promised = model.versionAt(model.acknowledgedUpTo());
  const hadStopped = failStop.stopped;
  const version = await attempt(session, "checkpoint", target, () => session.store.checkpoint(target));
  session.checkpointUnderWay = null;
  if (version === null) return;
  failStop.maintained("checkpoint", hadStopped);
  checkCheckpointVersion(ledger, version, promised);
  const span = session.model.visibleAt(version);
  session.onPromise?.({ kind: "checkpoint", what: `checkpoint ${target}`, checkpoint: { target, span } });
  checkDurableCopy(session, target);
  if (restores) {
    const copy = `/restored-${number}`;
    const { vfs } = session.life.platform;
    const report = await attempt(session, "restore", copy, () => restoreStore(vfs, target, copy));
    if (report !== null) {
      checkDurableCopy(session, copy);
      await compareAndRemove(session, copy, version, span);
    }
  }
  await compareAndRemove(session, target, version, span);
}

/**
 * After a recovery: a checkpoint that a crash has cut off. Under its final name it is complete, and holds what had been
 * acknowledged when it was asked for; under any other it is nothing. Both are removed.
 */
export async function examineCutOffCheckpoint(session: Session): Promise<void> {
  const cutOff = session.checkpointUnderWay;
  if (cutOff === null) return;
  const { target, acknowledged } = cutOff;
  const { life, model, disk } = session;
  const isThere = await session.retrying(
    `looking for ${target}`,
    () => life.platform.vfs.stat(target) !== null,
  );
  session.checkpointUnderWay = null;
  if (isThere && disk.damage.length === 0) {
    await compareAndRemove(session, target, 0, { low: acknowledged, high: model.resolved });
  } else {
    await remove(session, target);
  }
}

/**
 * Null when the call failed for an honest reason, or one of those that are `expected`; what it may have left is removed then.
 */
export async function attempt<T>(
  session: Session,
  call: string,
  target: string,
  make: () => Promise<T>,
  expected: readonly ErrorCode[] = [],
): Promise<T | null> {
  session.copyBeingMade = target;
  session.callListener = watchForName(session, target);
  try {
    const made = await make();
    session.checkAlive();
    session.copyBeingMade = null;
    return made;
  } catch (error) {
    // What cannot be read does not verify either, so here a failed read may be called damage.
    const legal = session.disk.hasFailedReads ? ([...expected, "CORRUPTION"] as const) : expected;
    if (session.judge(error, call, legal) === "damage") throw new DamageFound(call);
    session.copyBeingMade = null;
    // Whatever has got its name in spite of the error loses it again, and a crash may come in the midst of that.
    session.checkpointUnderWay = null;
    await remove(session, target);
    return null;
  } finally {
    session.callListener = null;
  }
}

/**
 * Looks at the disk when the rename that gives a copy its name has just been made and nothing has been done since: a power
 * loss may keep that rename and nothing else that is not synced, which chance hardly ever does in the one call there is.
 */
function watchForName(session: Session, target: string): (operation: VFSOperation, path: string) => void {
  const { disk, ledger } = session;
  let isRenamed = false;
  return (operation, path) => {
    if (isRenamed && isHonest(session)) {
      const named = withOnlyTheName(disk, target)?.snapshotDurable() ?? null;
      if (named !== null && named.stat(target) !== null)
        checkWholeCopy(ledger, named, target, "once it has its name");
    }
    isRenamed = operation === "rename" && path === `${target}.partial`;
  };
}

/** What a power loss leaves that takes everything which is not synced but the last rename; null when there is none. */
function withOnlyTheName(disk: SimulationDisk, target: string): SimulationDisk | null {
  const items = disk.crashItems();
  const kept = new Set<number>();
  const keep = (index: number): void => {
    kept.add(index);
    for (const needed of items[index]?.needs ?? []) if (!kept.has(needed)) keep(needed);
  };
  const name = items.findIndex(
    (item) => item.kind === "name" && item.operation === "rename" && item.path === target,
  );
  if (name < 0) return null;
  keep(name);
  return disk.crashedCopy(items.map(({ sequences }, index) => (kept.has(index) ? 0 : sequences.length)));
}

/** What a call has made is whole on the medium when it returns, whatever happens to the page cache. */
export function checkDurableCopy(session: Session, target: string): void {
  const { disk, ledger } = session;
  if (isHonest(session)) checkWholeCopy(ledger, disk.snapshotDurable(), target, "made");
}

/** After a power loss in a call: what bears the final name is whole, or nothing does. */
export function checkUnfinishedCopy(session: Session): void {
  const { disk, ledger, copyBeingMade } = session;
  if (copyBeingMade === null || !isHonest(session)) return;
  const durable = disk.snapshotDurable();
  if (durable.stat(copyBeingMade) !== null) checkWholeCopy(ledger, durable, copyBeingMade, "being made");
}

/** Whether the disk has done what it said, and nothing to bytes at rest. */
export function isHonest({ disk }: Session): boolean {
  return disk.damage.length === 0 && !disk.isLying && !disk.lossShows;
}

async function compareAndRemove(
  session: Session,
  target: string,
  version: number,
  span: PrefixSpan,
): Promise<void> {
  const { ledger, model } = session;
  const { rows, openedAt } = await readCopy(session, target);
  if (openedAt < version) {
    throw new OracleFailure("O20", `${target} was made at version ${version}, but opens at ${openedAt}`);
  }
  checkCheckpoint(ledger, model, span, rows);
  await remove(session, target);
}

/** Opens a store that was made out of another one, reads all of it and closes it. */
export async function readCopy(
  session: Session,
  target: string,
): Promise<{ readonly rows: Row[]; readonly openedAt: number }> {
  const { life } = session;
  const copy = await session.retrying(`opening ${target}`, () =>
    Store.open(target, { ...session.storeOptions, createIfMissing: false }, life.platform),
  );
  const rows = await session.retrying(`reading ${target}`, () => readAll(copy));
  const openedAt = copy.version;
  try {
    await copy.close();
    session.checkAlive();
  } catch (error) {
    session.judge(error, `closing ${target}`);
  }
  return { rows, openedAt };
}

export async function remove(session: Session, target: string): Promise<void> {
  const { vfs } = session.life.platform;
  await session.retrying(`removing ${target}`, () => {
    removeTree(vfs, target);
    removeTree(vfs, `${target}.partial`);
  });
}
