/**
 * The transactions of a build: the first, which begins it or finds where it stands; one batch; the last, after which the indexes are
 * readable. Each reads the catalogue and the position with conflicts, so that of two builders at once one tries again behind the
 * other, and so that no batch writes into a copy that is in use no more.
 *
 * Promises: the position is never ahead of the entries, for one transaction writes both; an index becomes readable only in a
 * transaction that has read that all items are built and that no value is violated. Owns no loop, waits for nothing.
 */
import type { Subspace } from "../../keyspace/subspace.js";
import { keyAfterPrefix } from "../../keyspace/subspace.js";
import { mutant } from "../../platform/probes.js";
import { withIndex } from "../../record/catalogue.js";
import { KEYSPACE } from "../../record/keyspace.js";
import { RecordError } from "../../record/record-error.js";
import type { Transaction } from "../../transaction/transaction.js";
import { ALL_BUILT, type BuildState, isComplete, NOTHING_BUILT } from "../build-progress.js";
import type { IndexEnvironment } from "../environment.js";
import { updateIndex } from "../maintenance.js";
import { inState } from "../state.js";
import { UniquenessChecks } from "../uniqueness.js";
import { type UnresolvedViolation, unresolvedViolations } from "../violations.js";
import { type BuildPlan, type BuildRequest, planBuild } from "./build-plan.js";

/** What one transaction may do at most (features DF-46). */
export interface BatchLimits {
  readonly items: number;
  readonly bytes: number;
  readonly ms: number;
}

/** Where a build stands, in one transaction. Null: nothing is left to do, for the indexes are readable. */
export interface BuildStand {
  readonly plan: BuildPlan;
  readonly state: BuildState;
}

/**
 * Begins the build, or goes on with one of the same stamp. `clearFirst` throws away what there is. Throws what `planBuild` throws;
 * `INDEX_BUILD_MISMATCH`.
 */
export async function beginBuild(
  environment: IndexEnvironment,
  transaction: Transaction,
  request: BuildRequest,
  clearFirst: boolean,
): Promise<BuildStand | null> {
  const plan = planBuild(environment, await environment.catalogues.read(transaction), request);
  if (plan.isDone) return null;
  if (!clearFirst) {
    const states = await Promise.all(plan.targets.map(({ progress }) => progress.read(transaction)));
    const state = states.find((found) => found !== undefined);
    if (state !== undefined) {
      if (states.some((found) => found?.stamp !== plan.stamp)) throw otherBuild(request);
      return { plan, state };
    }
  } else {
    for (const { stored, generation } of plan.targets)
      clearCopy(transaction, environment.root, stored.id, generation);
  }
  const { source, stamp } = plan;
  const state: BuildState = { position: NOTHING_BUILT, itemsDone: 0, source, stamp };
  for (const { progress } of plan.targets) progress.write(transaction, state);
  return { plan, state };
}

/** Where the build stands that this builder has begun. Throws as `beginBuild` when it is not there any more. */
export async function standOf(
  environment: IndexEnvironment,
  transaction: Transaction,
  request: BuildRequest,
  stamp: string,
): Promise<BuildStand | null> {
  const plan = planBuild(environment, await environment.catalogues.read(transaction), request);
  if (plan.isDone) return null;
  const states = await Promise.all(plan.targets.map(({ progress }) => progress.read(transaction)));
  const [state] = states;
  const isOurs = plan.stamp === stamp && states.every((found) => found?.stamp === stamp);
  if (state === undefined || !isOurs) throw otherBuild(request);
  return { plan, state };
}

/** The entries of the next items, and the position behind them. */
export async function writeBatch(
  environment: IndexEnvironment,
  transaction: Transaction,
  { plan, state }: BuildStand,
  limits: BatchLimits,
): Promise<BuildState> {
  const { clock } = environment.world;
  const uniqueness = new UniquenessChecks(environment.root);
  const begunMs = clock.nowMs();
  const limit = limits.items + (mutant("I3-progress-ahead-of-entries") ? 1 : 0);
  let { position } = state;
  let done = 0;
  let isCut = false;
  for await (const scanned of plan.scan.items(transaction, position, limit)) {
    position = scanned.position;
    if (done === limits.items) break;
    for (const target of plan.targets) {
      const pending = updateIndex(transaction, target, null, scanned.item, uniqueness);
      if (pending !== undefined) await pending;
    }
    done++;
    isCut =
      done === limits.items ||
      transaction.getApproximateSize() >= limits.bytes ||
      clock.nowMs() - begunMs >= limits.ms;
    if (isCut && !mutant("I3-progress-ahead-of-entries")) break;
  }
  await uniqueness.check(transaction);
  const after: BuildState = {
    ...state,
    position: isCut ? position : ALL_BUILT,
    itemsDone: state.itemsDone + done,
  };
  for (const { progress } of plan.targets) progress.advance(transaction, state, after);
  return after;
}

export interface BuildEnd {
  readonly plan: BuildPlan;
  readonly violations: readonly UnresolvedViolation[];
  /** Whether the indexes are readable now. If not, and nothing is violated: call again. */
  readonly isReadable: boolean;
}

/**
 * Makes the indexes readable, all in one transaction, unless a value is violated. A shadow stays what it is, but complete: its
 * progress says so to writers.
 */
export async function endBuild(
  environment: IndexEnvironment,
  transaction: Transaction,
  { plan, state }: BuildStand,
  copy: BuildRequest["copy"],
): Promise<BuildEnd> {
  if (!isComplete(state)) return { plan, violations: [], isReadable: false };
  const violations: UnresolvedViolation[] = [];
  let isLookedThrough = true;
  for (const target of plan.targets) {
    if (target.stored.declaration.unique !== true || mutant("I9-violations-not-looked-at")) continue;
    const report = await unresolvedViolations(transaction, environment.root, target);
    violations.push(...report.unresolved);
    isLookedThrough &&= report.isComplete;
  }
  if (violations.length > 0 || !isLookedThrough) return { plan, violations, isReadable: false };
  if (copy === "shadow") return { plan, violations, isReadable: true };
  let catalogue = plan.catalogue;
  for (const { stored, progress } of plan.targets) {
    catalogue = withIndex(catalogue, inState(plan.collection.stored.name, stored, "readable"));
    progress.clear(transaction);
  }
  environment.catalogues.write(transaction, plan.catalogue, catalogue);
  return { plan, violations, isReadable: true };
}

/** Everything of one copy: rows, progress, violations. Whoever writes to it conflicts with whoever takes it out of the catalogue. */
export function clearCopy(
  transaction: Transaction,
  root: Subspace,
  indexId: number,
  generation: number,
): void {
  for (const purpose of [KEYSPACE.indexes, KEYSPACE.builds, KEYSPACE.violations]) {
    // From the prefix itself on: a kind may keep something there.
    const begin = root.pack([purpose, indexId, generation]);
    transaction.clearRange(begin, keyAfterPrefix(begin));
  }
}

function otherBuild({ collection, indexes }: BuildRequest): RecordError {
  return new RecordError(
    "INDEX_BUILD_MISMATCH",
    `another build of "${indexes.join('", "')}" of "${collection}" has begun, with other indexes, another order, or anew. Go on ` +
      "with that one, or begin with `clearFirst`.",
    { collection, index: indexes[0] },
  );
}
