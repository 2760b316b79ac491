/**
 * O34. Verifies: what a change feed holds from a version on, applied to the state before it, gives the state of its range after
 * every single commit since, as the model has it: nothing is missing, repeated, in another order, or was never committed.
 * Reading on from the middle is the same question, asked from there. Does not verify: which mutations tell it.
 */
import type { ChangeFeedCommit } from "../../src/transaction/change-feeds.js";
import { modelAtomic } from "../transactions/atomics.js";
import type { VersionedMap } from "../transactions/versioned-map.js";
import { keyText, shownKey } from "../workload/bytes.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

export interface FeedReading {
  readonly name: string;
  readonly begin: string;
  readonly end: string;
  /** The first version that is to be in it. */
  readonly from: number;
  /** What the store stood at when the reading began: all up to here must be there. */
  readonly visible: number;
  readonly commits: readonly ChangeFeedCommit[];
}

export function checkFeed(ledger: OracleLedger, model: VersionedMap, reading: FeedReading): void {
  ledger.count("O34");
  const { name, begin, end, from, visible, commits } = reading;
  const fail = (what: string): never => {
    throw new OracleFailure("O34", `the change feed "${name}" read from version ${from}: ${what}`);
  };
  const isWithin = (key: string): boolean => key >= begin && key < end;
  const first = model.at(from - 1);
  const state = new Map(first.keys(begin, end).map((key) => [key, first.get(key)]));
  const upTo = Math.max(visible, commits.at(-1)?.version ?? 0);
  let next = 0;
  for (const { version, effects } of model.commits) {
    if (version < from || version > upTo) continue;
    const commit = commits[next];
    if (commit !== undefined && commit.version < version)
      fail(`version ${commit.version} is none, or not in order`);
    const touched = new Set([...effects.keys()].filter(isWithin));
    if (commit?.version === version) {
      next++;
      for (const key of apply(state, commit)) {
        if (!isWithin(key)) fail(`version ${version} changes ${shownKey(key)}, which is not in its range`);
        touched.add(key);
      }
    }
    const after = model.at(version);
    for (const key of touched) {
      if (state.get(key) !== after.get(key))
        fail(`after version ${version}, ${shownKey(key)} is another one than was committed`);
    }
  }
  if (next < commits.length) fail(`version ${commits[next]?.version} was never committed, or comes again`);
}

/** Returns the keys that it touched. */
function apply(state: Map<string, string | undefined>, { mutations }: ChangeFeedCommit): Set<string> {
  const touched = new Set<string>();
  const put = (key: string, value: string | undefined): void => {
    touched.add(key);
    if (value === undefined) state.delete(key);
    else state.set(key, value);
  };
  for (const mutation of mutations) {
    if (mutation.type === "clearRange") {
      const [begin, end] = [keyText(mutation.begin), keyText(mutation.end)];
      for (const key of state.keys()) if (key >= begin && key < end) put(key, undefined);
      continue;
    }
    const key = keyText(mutation.key);
    if (mutation.type === "set") put(key, keyText(mutation.value));
    else if (mutation.type === "clear") put(key, undefined);
    else put(key, modelAtomic(mutation.operation, state.get(key), keyText(mutation.operand)));
  }
  return touched;
}
