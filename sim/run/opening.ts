/**
 * One attempt to open the store at the beginning of a life, as the options of that life say (T7); alone, or with a rival
 * that opens it at the same moment (S39); when it fails, nothing may be left of it. And the second opener, who comes
 * while the store is open.
 * Does not own: how often is tried, what recovery brought back (`life.ts`).
 */
import type { StoreOptions } from "../../src/engine/options.js";
import { Store } from "../../src/engine/store.js";
import { hasCode, StillwaterError } from "../../src/platform/errors.js";
import type { VFSOperation } from "../disk/simulation-disk.js";
import { checkFailedOpening } from "../oracles/file-lifetime.js";
import { checkOneWinner, checkTurnedAway } from "../oracles/single-owner.js";
import { type Session, STORE_DIRECTORY } from "./session.js";

/** Throws what opening threw, or that it has left something behind. */
export async function openStore(session: Session): Promise<Store> {
  try {
    return await openPerhapsAgainstRival(session);
  } catch (error) {
    // Who has been cut off cannot clear away, and a finding comes first.
    const isAnswer = error instanceof StillwaterError && !session.ended();
    if (isAnswer) {
      const names = new Set(session.storeDirectory?.entries.keys());
      checkFailedOpening(session.ledger, names, session.fileNumbers.tablesKept);
    }
    throw error;
  }
}

async function openPerhapsAgainstRival(session: Session): Promise<Store> {
  const { world, options } = session;
  const choices = world.choices.stream("process");
  if (!session.faultsAreOn || !choices.chance(options.world.rivalProbability, "process.rival")) {
    return open(session);
  }
  world.faultCounts["S39 second opener"]++;
  return openAgainstRival(session);
}

/** Two at once: whoever wins is the store of this life, since they are the same to everybody else. */
async function openAgainstRival(session: Session): Promise<Store> {
  const attempts = await Promise.allSettled([open(session), open(session)]);
  session.checkAlive();
  const stores = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
  const errors = attempts.flatMap((attempt) =>
    attempt.status === "rejected" ? [attempt.reason as unknown] : [],
  );
  const others = errors.filter((error) => !hasCode(error, "LOCKED"));
  checkOneWinner(session.ledger, stores.length, errors.length - others.length, others.length);
  const [store] = stores;
  if (store === undefined) throw others[0];
  for (const error of others) session.judge(error, "open beside a rival");
  return store;
}

/** While the store is open: must be turned away, without a trace. */
export async function openSecond(session: Session, waitsMs = 0): Promise<void> {
  const { world, ledger } = session;
  world.faultCounts["S39 second opener"]++;
  const changes: string[] = [];
  const listener = (operation: VFSOperation, path: string): void => {
    if (CHANGING.has(operation)) changes.push(`${operation} ${path}`);
  };
  // While it waits, the owner goes on; and what clients have begun goes on in any case.
  if (waitsMs === 0 && session.inFlight.isEmpty) session.callListener = listener;
  let second: Store | null = null;
  try {
    second = await open(session, waitsMs);
  } catch (error) {
    session.judge(error, "a second open", ["LOCKED"]);
  } finally {
    session.callListener = null;
  }
  checkTurnedAway(ledger, second !== null, changes);
}

function open(session: Session, lockTimeoutMs = 0): Promise<Store> {
  const options: StoreOptions = {
    ...session.storeOptions,
    createIfMissing: !session.created,
    ...(lockTimeoutMs === 0 ? {} : { lockTimeoutMs }),
  };
  return Store.open(STORE_DIRECTORY, options, session.life.platform);
}

const CHANGING: ReadonlySet<VFSOperation> = new Set([
  "createFile",
  "removeFile",
  "rename",
  "link",
  "makeDirectory",
  "removeDirectory",
  "write",
  "truncate",
]);
