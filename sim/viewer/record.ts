/**
 * From a case to its time-travel page: runs it once more, literally, with a recorder. Owns what the head of the page
 * says about a run of the store; other programs make their own headline for a `Recorder`.
 */

import type { SimulationCase } from "../cases/case.js";
import { Choices } from "../choices/choices.js";
import { ORACLES } from "../oracles/failure.js";
import { type SimulationResult, simulate } from "../run/simulation.js";
import { RecordedOperations } from "../workload/generator.js";
import { timeTravelPage } from "./html.js";
import { Recorder } from "./recorder.js";
import { classifyStoreCall, STORE_LANES } from "./store-lanes.js";
import type { Headline, RecordedTrace } from "./trace-model.js";

/** What the run itself does not know. */
export interface PageNotes {
  /** "seed 4711", "case seeds/x.json" */
  readonly subject: string;
  /** The command that repeats the run. */
  readonly reproduce: string;
}

export async function recordCase(one: SimulationCase, notes: PageNotes): Promise<RecordedTrace> {
  const recorder = new Recorder({ classify: classifyStoreCall, lanes: STORE_LANES });
  const result = await simulate({
    options: one.options,
    choices: Choices.fromLog(one.seed, one.choices),
    source: new RecordedOperations(one.operations),
    mutants: one.mutants,
    recording: false,
    recorder,
    onPowerLoss: ({ items }) => recorder.settled(items.map(({ what, fate }) => ({ what, fate }))),
  });
  return recorder.finish(headlineOf(one, notes, result));
}

/** The page of a case, as text. */
export async function pageOfCase(one: SimulationCase, notes: PageNotes): Promise<string> {
  return timeTravelPage(await recordCase(one, notes));
}

function headlineOf(one: SimulationCase, notes: PageNotes, { failure, counts }: SimulationResult): Headline {
  const { oracle } = failure ?? {};
  return {
    ...notes,
    rootCause: one.cause ?? null,
    subject: [notes.subject, ...one.mutants].join(" with "),
    failure:
      failure === null
        ? null
        : {
            oracle: oracle ?? "",
            promise: oracle == null ? "the simulator itself failed" : ORACLES[oracle],
            because: detailOf(failure.message),
            stack: failure.stack,
          },
    facts: [
      ...(one.note === "" ? [] : [["about", one.note] as const]),
      ["workload", one.options.workload],
      ["operations", String(counts.operations)],
      ["crashes", `${counts.powerLosses} power loss, ${counts.processKills} process kill`],
      ["node", `${process.version} ${process.platform} ${process.arch}`],
      ["options", JSON.stringify(one.options)],
    ],
  };
}

/** The finding without the promise, which is told apart: "O8 broken (…): the finding". */
function detailOf(message: string): string {
  return /^O\d+ broken \(.*?\): ([\s\S]*)$/.exec(message)?.[1] ?? message;
}
