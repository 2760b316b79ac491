/**
 * Every workload of up to so many steps, each once: as a tree, in which a workload is its parent and one step more. A
 * run of a workload looks at the crashes during its last step only, since those before it are the parent's. What is the
 * same under another name is left out (as ACE does): keys come in one order, a step that needs another one comes after
 * it, and one that only leads to others is not the last.
 */
import type { Operation } from "../workload/operation.js";
import { STEPS, STEPS_WITHOUT_LOG, type Step } from "./alphabet.js";

/** How the store of a workload is opened. */
export const PROFILES = ["sync", "none"] as const;
export type Profile = (typeof PROFILES)[number];

export interface Workload {
  readonly profile: Profile;
  readonly steps: readonly Step[];
}

/** All workloads with one parent: one piece of work for a thread. */
export interface Unit {
  readonly workloads: readonly Workload[];
}

/** Time for what goes on after the last step: background work, the sync of what is buffered. */
const LAST_PAUSE_MS = 60;

/** In order of length, so that what fails first is short. */
export function listUnits(stepsMax: number): Unit[] {
  const units: Unit[] = PROFILES.map((profile) => ({ workloads: [{ profile, steps: [] }] }));
  let parents: Workload[] = units.flatMap(({ workloads }) => workloads);
  for (let length = 1; length <= stepsMax; length++) {
    const next: Workload[] = [];
    for (const parent of parents) {
      const children = stepsOf(parent.profile)
        .filter((step) => mayFollow(parent.steps, step))
        .map((step) => ({ profile: parent.profile, steps: [...parent.steps, step] }));
      const workloads = children.filter(({ steps }) => steps.at(-1)?.leads === false);
      if (workloads.length > 0) units.push({ workloads });
      next.push(...children);
    }
    parents = next;
  }
  return units;
}

export function stepsOf(profile: Profile): readonly Step[] {
  return profile === "sync" ? STEPS : STEPS_WITHOUT_LOG;
}

function mayFollow(steps: readonly Step[], next: Step): boolean {
  return next.after.length === 0 || steps.some(({ id }) => next.after.includes(id));
}

/**
 * The operations of a workload, and which of them is the first of its last step. Operation 0 does nothing: in a case
 * the request for the crash takes its place, so that all numbers stay.
 */
export function operationsOf(workload: Workload): { operations: Operation[]; lastStepAt: number } {
  const operations: Operation[] = [{ kind: "settle" }];
  let lastStepAt = 0;
  for (const step of workload.steps) {
    lastStepAt = operations.length;
    operations.push(...step.operations(operations.length));
  }
  operations.push({ kind: "pause", ms: LAST_PAUSE_MS });
  return { operations, lastStepAt };
}

export function workloadText({ profile, steps }: Workload): string {
  const text = steps.length === 0 ? "(open only)" : steps.map(({ id }) => id).join(", ");
  return profile === "sync" ? text : `durability ${profile}: ${text}`;
}
