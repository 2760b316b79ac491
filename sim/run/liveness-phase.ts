/**
 * The liveness phase of a run (simulation.md B8), in the life that it is shown in: everything pending gets an answer, a new
 * commit succeeds and reads back, flush and compaction come to rest, nothing dead is left, `verify` finds nothing.
 * Does not own: switching the faults off, closing, the life after (`life.ts`).
 */
import { resolveOptions } from "../../src/engine/options.js";
import { OracleFailure } from "../oracles/failure.js";
import { checkNoOrphans } from "../oracles/file-lifetime.js";
import { checkAtRest, checkSettled } from "../oracles/liveness.js";
import { checkGet } from "../oracles/snapshot-stability.js";
import { checkCompacted, checkLevels, checkNothingHidden } from "../oracles/space.js";
import { keyBytes } from "../workload/bytes.js";
import { writerOfMutation } from "../workload/operation.js";
import { checkWholeStore, FRESH_KEY } from "./checks.js";
import type { Executor } from "./executor.js";
import { DamageFound, type Session } from "./session.js";

const REST_MS = 10;
const REST_ROUNDS_MAX = 2000;
const FRESH_BYTES = 20;
/** How often everything is merged at rest, to see that what is dead then takes no space. */
const COMPACTED_SHARE = 0.2;

/**
 * With faults off and space back: whatever is pending must now finish. False when the store had stopped before: writes are
 * refused until it is reopened, so the next life has to show it, once.
 */
export async function comeToRest(
  session: Session,
  executor: Executor,
  mayRestart: boolean,
): Promise<boolean> {
  const { store, model, inFlight, ledger, world } = session;
  session.doing = "waiting for everything pending";
  await inFlight.waitBelow(0);
  checkSettled(ledger, inFlight.describe());
  session.checkAlive();
  await session.transactor.watches.checkWaiting();
  // A sync that began while there were faults may end with one.
  for (let round = 0; session.disk.callsInFlight > 0 && round < REST_ROUNDS_MAX; round++) {
    world.progress();
    await session.pause(REST_MS);
  }
  session.checkAlive();
  if (session.failStop.stopped || store.inspect().failedStop) {
    if (mayRestart) return false;
    throw new OracleFailure("O15", "the store stops accepting writes though no fault is left");
  }
  await session.transactor.layers?.settle();
  await commitFresh(session, executor);
  session.doing = "a flush";
  await session.level?.close();
  for (const { snapshot } of session.snapshots.values()) snapshot.close();
  for (const { iterator } of session.iterators.values()) iterator.close();
  session.snapshots.clear();
  session.iterators.clear();
  const upTo = model.acknowledgedUpTo();
  if (!(await flushes(session))) {
    if (mayRestart) return false;
    throw new DamageFound("a flush at rest");
  }
  model.durableUpTo(upTo);
  session.doing = "background work coming to rest";
  await restsAgain(session);
  // A sector that cannot be read keeps its table from being compacted for good.
  if (store.inspect().backgroundBusy && session.disk.damage.length > 0)
    throw new DamageFound("coming to rest");
  checkAtRest(ledger, store.inspect(), REST_MS * REST_ROUNDS_MAX);
  checkNoOrphans(ledger, store.inspect(), session.listStore());
  await checkWholeStore(session);
  const { problems } = await store.verify();
  session.checkAlive();
  if (problems.length > 0 && session.disk.damage.length > 0) throw new DamageFound("verify at rest");
  if (problems.length > 0) throw new OracleFailure("O23", `verify at rest: ${problems.join("; ")}`);
  await session.backups.atRest();
  if (session.disk.damage.length === 0) await checkSpace(session);
  return true;
}

/** False when the store stops, since only now it is told of a sync that had failed while there were faults. */
async function flushes(session: Session): Promise<boolean> {
  const { store, disk } = session;
  try {
    await store.flush();
    session.checkAlive();
    return true;
  } catch (error) {
    if (session.judge(error, "a flush at rest") === "stopped" && disk.isLying) return false;
    throw new OracleFailure("O15", `a flush fails though no fault is left: ${error}`, error);
  }
}

/** What the store takes of the disk; in some runs once more after everything has been merged. */
async function checkSpace(session: Session): Promise<void> {
  const { store, disk, ledger, model, world } = session;
  const limits = resolveOptions(session.storeOptions);
  checkNothingHidden(ledger, disk.usedBytes, disk.namedBytes);
  checkLevels(ledger, store.inspect(), limits);
  if (!world.choices.stream("space").chance(COMPACTED_SHARE, "space.compact")) return;
  session.doing = "a compaction at rest";
  await store.compact();
  session.checkAlive();
  await restsAgain(session);
  const { high } = model.visibleAt(store.version);
  checkCompacted(ledger, store.inspect(), model, high, limits);
  checkNothingHidden(ledger, disk.usedBytes, disk.namedBytes);
}

async function restsAgain(session: Session): Promise<void> {
  const { store, world } = session;
  for (let round = 0; store.inspect().backgroundBusy && round < REST_ROUNDS_MAX; round++) {
    world.progress();
    await session.pause(REST_MS);
  }
  session.checkAlive();
}

/** A commit of its own must succeed, at the latest once compaction has caught up. */
async function commitFresh(session: Session, executor: Executor): Promise<void> {
  const { world, inFlight, model, store } = session;
  session.doing = "a fresh commit";
  const number = session.operations.length;
  const writer = writerOfMutation(number, 0);
  const mutations = [["put", FRESH_KEY, writer, FRESH_BYTES]] as const;
  const before = model.acknowledgedUpTo();
  for (let round = 0; round < REST_ROUNDS_MAX && model.acknowledgedUpTo() === before; round++) {
    world.progress();
    // Refused with BUSY while compaction is behind.
    if (round > 0) await session.pause(REST_MS);
    await executor.run({ kind: "write", call: "batch", mutations }, number);
    await inFlight.waitBelow(0);
    session.checkAlive();
  }
  if (model.acknowledgedUpTo() === before) {
    // Compaction stops at a damaged table, and commits with it: that is the detection which damage calls for.
    if (session.disk.damage.length > 0) throw new DamageFound("a fresh commit");
    throw new OracleFailure("O15", "a fresh commit does not succeed once faults have stopped");
  }
  await session.retrying("reading the fresh commit", () => {
    checkGet(
      session.ledger,
      model,
      model.visibleAt(store.version),
      FRESH_KEY,
      store.getSync(keyBytes(FRESH_KEY)),
      "a fresh commit",
    );
  });
}
