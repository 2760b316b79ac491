/**
 * A case taken apart into steps: each operation with the decisions that were made for it, so that operations can be
 * taken out, moved and exchanged while every decision stays with its own. Owns the renumbering of segments only.
 */
import type { SimulationCase } from "../cases/case.js";
import type { ChoiceAddress, ChoiceLog } from "../choices/choices.js";
import type { Operation } from "../workload/operation.js";

/** One decision without the number of its operation: ":3" or "!1:3" behind it, and the answer. */
type OwnChoice = readonly [rest: string, answer: number];

export interface Step {
  readonly operation: Operation;
  /** By stream. */
  readonly choices: Readonly<Record<string, readonly OwnChoice[]>>;
}

export interface Parts {
  readonly steps: readonly Step[];
  /** Decisions before the first operation and after the last one. */
  readonly outside: ChoiceLog;
}

export function takeApart(one: SimulationCase): Parts {
  const own = one.operations.map((): Record<string, OwnChoice[]> => ({}));
  const outside: Record<string, (readonly [ChoiceAddress, number])[]> = {};
  for (const [stream, entries] of Object.entries(one.choices)) {
    for (const entry of entries) {
      const [at, answer] = entry;
      const match = /^(\d+)([!:].*)$/.exec(String(at));
      const choices = match === null ? undefined : own[Number(match[1])];
      if (match === null || choices === undefined) addTo(outside, stream, entry);
      else addTo(choices, stream, [match[2] as string, answer]);
    }
  }
  const steps = one.operations.map((operation, i) => ({ operation, choices: own[i] ?? {} }));
  return { steps, outside };
}

/** The case with these parts in place of its own. What was recorded of its run holds no more. */
export function putTogether(one: SimulationCase, { steps, outside }: Parts): SimulationCase {
  const choices: Record<string, (readonly [ChoiceAddress, number])[]> = {};
  for (const [stream, entries] of Object.entries(outside)) choices[stream] = [...entries];
  steps.forEach((step, number) => {
    for (const [stream, entries] of Object.entries(step.choices)) {
      for (const [rest, answer] of entries) addTo(choices, stream, [`${number}${rest}`, answer]);
    }
  });
  return withoutTrace({ ...one, operations: steps.map(({ operation }) => operation), choices });
}

/** A case that has been changed is no longer the run that its trace was recorded from. */
export function withoutTrace(one: SimulationCase): SimulationCase {
  const { traceHash: _hash, traceLength: _length, traceMarks: _marks, ...rest } = one;
  return rest;
}

function addTo<Entry>(lists: Record<string, Entry[]>, name: string, entry: Entry): void {
  const list = lists[name];
  if (list === undefined) lists[name] = [entry];
  else list.push(entry);
}
