/**
 * Passes over the operations of a case: fewer of them, crashes closer to what they strike, each operation simpler.
 * Every pass asks `Trials` for each candidate and leaves its findings there. Does not own choices and options.
 */
import type { SimulationCase } from "../cases/case.js";
import type { CrashNote } from "../run/segments.js";
import type { Operation } from "../workload/operation.js";
import type { CrashMoment } from "../world/crash-plan.js";
import { minimiseList, minimiseNumber } from "./ddmin.js";
import { simplerOperations } from "./simpler-operations.js";
import { type Parts, putTogether, type Step, takeApart, withoutTrace } from "./steps.js";
import type { Trials } from "./trials.js";

/** Takes out operations, each with its own decisions, so that those of the others stay where they are. */
export async function fewerOperations(trials: Trials): Promise<void> {
  trials.pass = "fewer operations";
  const { steps, outside } = takeApart(trials.best);
  const base = trials.best;
  await minimiseList(steps, (kept) => trials.accepts(putTogether(base, { steps: kept, outside })));
}

/** How many operations a fresh drawing may take out at once, and how many drawings each gets. */
const REDRAWN_RUNS = [8, 4, 2, 1];
const DRAWINGS = 4;
/** What decides whether a crash strikes the weak spot, and what it leaves. */
const REDRAWN: readonly (readonly string[])[] = [["crash"], ["crash", "latency"]];

/**
 * Operations that could not be taken out because the rest then happens at other places: without them other faults and
 * other states after the crash may show the same failure, so these are drawn anew, and the moments of crashes shifted.
 */
export async function fewerOperationsRedrawn(trials: Trials): Promise<void> {
  trials.pass = "fewer operations, crashes drawn anew";
  for (const size of REDRAWN_RUNS) {
    for (let start = trials.best.operations.length - size; start > -size && !trials.isOver; start--) {
      const { steps, outside } = takeApart(trials.best);
      const from = Math.max(start, 0);
      const kept = [...steps.slice(0, from), ...steps.slice(start + size)];
      if (kept.length === steps.length) continue;
      if (!kept.some(({ operation }) => operation.kind === "crash")) continue;
      await redrawn(trials, { steps: kept, outside });
    }
  }
}

async function redrawn(trials: Trials, parts: Parts): Promise<boolean> {
  const candidate = putTogether(trials.best, parts);
  for (const streams of REDRAWN) {
    for (let drawing = 0; drawing < DRAWINGS; drawing++) {
      const redraw = { streams: new Set(streams), seed: `${candidate.seed}/${trials.runs}` };
      if (await trials.acceptsSmaller(candidate, redraw)) return true;
    }
  }
  for (const near of nearbyMoments(candidate)) if (await trials.acceptsSmaller(near)) return true;
  return false;
}

/** Without some operations there are fewer calls before the crash, so it must come earlier to strike the same one. */
function* nearbyMoments(one: SimulationCase): Generator<SimulationCase> {
  for (const [index, operation] of one.operations.entries()) {
    if (operation.kind !== "crash" || !("calls" in operation.at)) continue;
    const { calls } = operation.at;
    const seen = new Set([calls]);
    for (const near of [
      calls - 1,
      calls - 2,
      calls - 3,
      calls - 4,
      calls - 6,
      calls + 1,
      calls + 2,
      calls >> 1,
    ]) {
      if (near < 1 || seen.has(near)) continue;
      seen.add(near);
      yield exchanged(one, index, { ...operation, at: { calls: near } });
    }
  }
}

/**
 * Puts each request for a crash right before the operation in which it strikes, as a number of calls from there. Then
 * what lies between the two can be taken out without shifting the crash.
 */
export async function crashesWhereTheyStrike(trials: Trials): Promise<void> {
  trials.pass = "crashes where they strike";
  // From the last one, so that what is moved stays behind what is still to come.
  for (const note of [...trials.crashes].reverse()) {
    if (note.ordinal !== 1 || note.armedBy < 0) continue;
    await moved(trials, note);
  }
}

async function moved(trials: Trials, note: CrashNote): Promise<void> {
  const { best } = trials;
  const operation = best.operations[note.armedBy];
  const during = Number(note.during);
  if (operation?.kind !== "crash" || !Number.isInteger(during)) return;
  const at: CrashMoment = { calls: note.calls + 1 };
  if (during === note.armedBy) {
    if (!("calls" in operation.at)) await trials.accepts(exchanged(best, note.armedBy, { ...operation, at }));
    return;
  }
  const { steps, outside } = takeApart(best);
  const request = steps[note.armedBy] as Step; // it is one of the operations
  // What was decided at the crash stays with the request, what was decided before it was not about the crash.
  const step = { ...request, operation: { ...operation, at } };
  const others = steps.filter((_, index) => index !== note.armedBy);
  const before = during - 1;
  const candidates = [
    [...others.slice(0, before), step, ...others.slice(before)],
    [
      ...others.slice(0, during),
      { ...step, operation: { ...operation, at: { calls: 1 } } },
      ...others.slice(during),
    ],
  ];
  for (const candidate of candidates) {
    if (await trials.accepts(putTogether(best, { steps: candidate, outside }))) return;
  }
}

/** Crashes without crashes in the recovery, process kills for power losses, as early as the failure allows. */
export async function simplerCrashes(trials: Trials): Promise<void> {
  trials.pass = "simpler crashes";
  for (let index = trials.best.operations.length - 1; index >= 0; index--) {
    const operation = trials.best.operations[index];
    if (operation?.kind !== "crash") continue;
    const change = (to: Partial<typeof operation>) => {
      const now = trials.best.operations[index];
      return now?.kind === "crash"
        ? trials.accepts(exchanged(trials.best, index, { ...now, ...to }))
        : Promise.resolve(false);
    };
    await minimiseList(operation.nested, (nested) => change({ nested }));
    if (operation.how === "power-loss") await change({ how: "process-kill" });
    if ("calls" in operation.at) {
      const { calls } = operation.at;
      for (let fewer = 1; fewer <= Math.min(4, calls - 1); fewer++)
        if (await change({ at: { calls: fewer } })) break;
    } else if ("point" in operation.at) {
      const { point, hits } = operation.at;
      if (hits > 1) await minimiseNumber(hits, 1, (fewer) => change({ at: { point, hits: fewer } }));
    } else {
      if (operation.at.afterMs > 0) await change({ at: { calls: 1 } });
    }
  }
}

/** Each operation in its simplest form that still fails: fewer mutations and steps, shorter values, no bounds. */
export async function simplerEach(trials: Trials): Promise<void> {
  trials.pass = "simpler operations";
  for (let index = trials.best.operations.length - 1; index >= 0; index--) {
    await fewerMutations(trials, index);
    await fewerSteps(trials, index);
    for (let changed = true; changed && !trials.isOver; ) {
      changed = false;
      const operation = trials.best.operations[index];
      if (operation === undefined) break;
      for (const simpler of simplerOperations(operation)) {
        if (!(await trials.accepts(exchanged(trials.best, index, simpler)))) continue;
        changed = true;
        break;
      }
    }
  }
}

async function fewerMutations(trials: Trials, index: number): Promise<void> {
  const operation = trials.best.operations[index];
  if (operation?.kind !== "write" || operation.mutations.length < 2) return;
  await minimiseList(operation.mutations, (mutations) =>
    mutations.length === 0
      ? Promise.resolve(false)
      : trials.accepts(exchanged(trials.best, index, { ...operation, mutations })),
  );
}

async function fewerSteps(trials: Trials, index: number): Promise<void> {
  const operation = trials.best.operations[index];
  if (operation?.kind !== "transact" && operation?.kind !== "records") return;
  if (operation.steps.length < 2) return;
  // The steps are of one kind or the other, as the operation is.
  const steps: readonly (typeof operation.steps)[number][] = operation.steps;
  await minimiseList(steps, (fewer) =>
    fewer.length === 0
      ? Promise.resolve(false)
      : trials.accepts(exchanged(trials.best, index, { ...operation, steps: fewer } as Operation)),
  );
}

export function exchanged(one: SimulationCase, index: number, operation: Operation): SimulationCase {
  return withoutTrace({ ...one, operations: one.operations.with(index, operation) });
}
