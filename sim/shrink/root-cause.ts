/**
 * Why a small case fails, in one sentence: which write, rename or sync, lost or kept, and which fault makes the
 * difference. Found by trial: every unsynced thing at each power loss is flipped from kept to lost or back, every fault
 * is left out, every crash turned into the end of a process, one at a time; what makes the failure go away when it is
 * flipped is part of the cause. Does not own: making the case small, without which a cause would be a list.
 */
import type { SimulationCase } from "../cases/case.js";
import { type ChoiceAddress, type ChoiceLog, Choices } from "../choices/choices.js";
import type { DiskRecorder, RecordedDisk } from "../disk/disk-recorder.js";
import type { Namespace } from "../disk/namespace.js";
import { type SettledItem, unsyncedItems } from "../disk/power-loss-report.js";
import type { OracleId } from "../oracles/failure.js";
import type { CrashNote } from "../run/segments.js";
import { simulate } from "../run/simulation.js";
import { RecordedOperations } from "../workload/generator.js";
import type { RunRecorder } from "../world/run-recorder.js";
import { faultName } from "./fault-names.js";
import { isFaultStream } from "./size.js";
import { withoutTrace } from "./steps.js";
import type { Trials } from "./trials.js";

/** Items of one kind that are named; of more, the number. */
const NAMED_MAX = 4;
/** Power losses of large cases may have hundreds of items; the first ones tell enough. */
const ITEMS_FLIPPED_MAX = 64;

/** The sentence. Uses the runs that are left in the budget of `trials`, whose best case it explains. */
export async function findRootCause(trials: Trials): Promise<string> {
  trials.pass = "root cause";
  const { best } = trials;
  const observed = await observe(best);
  const conditions: string[] = [];
  for (const { note, items } of observed.powerLosses)
    conditions.push(...(await ofPowerLoss(trials, note, items)));
  for (const fault of observed.faults) {
    if (!(await trials.shows(withAnswer(best, fault.stream, fault.at, 0)))) conditions.push(fault.what);
  }
  for (const note of observed.kills) conditions.push(`the process is killed at ${placeOf(note)}`);
  if (conditions.length > 0) return `fails iff ${conditions.join(", and ")}`;
  return withoutFaults(best, observed);
}

interface Observed {
  readonly powerLosses: readonly { readonly note: CrashNote; readonly items: readonly SettledItem[] }[];
  readonly kills: readonly CrashNote[];
  readonly faults: readonly { readonly stream: string; readonly at: ChoiceAddress; readonly what: string }[];
  /** Decisions about order and time that are not the plain ones. */
  readonly decisions: readonly string[];
  /** The last call before the failure, and what was not durable then. */
  readonly lastCall: string;
  readonly unsynced: readonly SettledItem[];
}

/** One replay with everything watched: what power losses found, and at which call each fault struck. */
async function observe(one: SimulationCase): Promise<Observed> {
  const reports: (readonly SettledItem[])[] = [];
  const faults: { stream: string; at: ChoiceAddress; what: string }[] = [];
  const decisions: string[] = [];
  const choices = Choices.fromLog(one.seed, one.choices);
  let call = "";
  let names = null as Namespace | null;
  choices.observer = (stream, index, label, answer) => {
    if (answer === 0 || label === SURVIVAL) return;
    const at = `${choices.segment}:${index}`;
    if (stream === "crash") {
      const what = CRASH_DECISIONS[label];
      if (what !== undefined) faults.push({ stream, at, what });
      return;
    }
    if (isFaultStream(stream))
      faults.push({ stream, at, what: `${faultName(stream, answer)} strikes ${call}` });
    else if (stream !== "random" && stream !== "latency") decisions.push(`${label} = ${answer}`);
  };
  const { crashes } = await simulate({
    options: one.options,
    choices,
    source: new RecordedOperations(one.operations),
    mutants: one.mutants,
    recording: false,
    onPowerLoss: ({ items }) => reports.push(items),
    recorder: recorderOfCalls(
      (text) => {
        call = text;
      },
      (disk) => {
        names = disk.names;
      },
    ),
  });
  const losses = crashes.filter(({ how }) => how === "power-loss");
  return {
    powerLosses: losses.map((note, i) => ({ note, items: reports[i] ?? [] })),
    kills: crashes.filter(({ how }) => how === "process-kill"),
    faults,
    decisions,
    lastCall: call,
    unsynced: names === null ? [] : unsyncedItems(names),
  };
}

/** Tells of each call in words: transfers by their range. */
function recorderOfCalls(
  onCall: (text: string) => void,
  attached: (disk: RecordedDisk) => void,
): RunRecorder {
  const nothing = (): void => {};
  const disk: DiskRecorder = {
    attached,
    call: (operation, path, a, b) => {
      const range = operation === "read" || operation === "write" ? ` [${a}, ${a + b})` : "";
      onCall(`${operation}${range} of ${path}`);
    },
    secondPath: nothing,
    completion: nothing,
    error: nothing,
    damage: nothing,
    crash: nothing,
  };
  return { disk, begins: nothing, ends: nothing, happens: nothing, turn: nothing };
}

async function ofPowerLoss(
  trials: Trials,
  note: CrashNote,
  items: readonly SettledItem[],
): Promise<readonly string[]> {
  const { best } = trials;
  const kept: string[] = [];
  const lost: string[] = [];
  for (const { at, what, fate, states } of items.slice(0, ITEMS_FLIPPED_MAX)) {
    if (states === 0) continue;
    const isKept = fate === "kept";
    if (await trials.shows(withAnswer(best, "crash", at, isKept ? states : 0))) continue;
    (isKept ? kept : lost).push(isKept || fate === "lost" ? what : `${what} (${fate})`);
  }
  const place = `the power fails at ${placeOf(note)}`;
  if (kept.length + lost.length === 0) return [place];
  const persist = kept.length === 0 ? [] : [`${list(kept)} ${kept.length === 1 ? "persists" : "persist"}`];
  const not = lost.length === 1 ? "does not" : "do not";
  if (lost.length > 0) persist.push(`${list(lost)} ${kept.length > 0 ? not : `${not} persist`}`);
  return [place, persist.join(" and ")];
}

/** The promise is about what a crash at some moment would leave, or about no crash at all. */
function withoutFaults(one: SimulationCase, { decisions, lastCall, unsynced }: Observed): string {
  const last = one.operations[one.operations.length - 1];
  const where =
    last === undefined ? "opening a new store" : `operation ${one.operations.length - 1}, ${last.kind}`;
  const order = decisions.length === 0 ? "" : `; it needs the decisions ${list(decisions)}`;
  const names = unsynced.map(({ what }) => what);
  const looked = one.expect.oracle !== null && DURABLE_STATE_ORACLES.includes(one.expect.oracle);
  if (!looked || names.length === 0) return `fails without a crash or a fault, at ${where}${order}`;
  const state = `${list(names)} ${names.length === 1 ? "is" : "are"} not durable yet`;
  return `fails when the power would be lost at ${lastCall} (${where}), where ${state}${order}`;
}

/** Label of the decisions that the report of a power loss lists. */
const SURVIVAL = "crash.survives";
/** Other decisions at a crash that do harm by themselves. */
const CRASH_DECISIONS: Readonly<Record<string, string>> = {
  "crash.collateral": "bytes beside an unsynced write become garbage",
  "crash.rots": "a durable record of the log rots",
  "crash.again": "the machine goes down again right after recovery",
};

/** Looked at before a call, as everything unsynced were lost at that moment. */
const DURABLE_STATE_ORACLES: readonly OracleId[] = ["O8"];

/** "VFS call sync /store/000001.wal" is before that call. */
function placeOf({ where }: CrashNote): string {
  const call = /^VFS call (\S+) (.*)$/.exec(where);
  return call === null ? where.replace(" (crash)", "") : `${call[1]} of ${call[2]}`;
}

function list(parts: readonly string[]): string {
  const named = parts.slice(0, NAMED_MAX).map((part) => `\`${part}\``);
  if (parts.length > NAMED_MAX) named.push(`${parts.length - NAMED_MAX} more`);
  if (named.length === 1) return named[0] ?? "";
  return `${named.slice(0, -1).join(", ")} and ${named[named.length - 1]}`;
}

/** The case with one answer changed; 0 takes it out. */
function withAnswer(one: SimulationCase, stream: string, at: ChoiceAddress, answer: number): SimulationCase {
  const others = (one.choices[stream] ?? []).filter(([address]) => address !== at);
  const entries = answer === 0 ? others : [...others, [at, answer] as const];
  const choices: ChoiceLog = {
    ...one.choices,
    [stream]: entries.sort(([a], [b]) => indexOf(a) - indexOf(b)),
  };
  return withoutTrace({ ...one, choices });
}

/** Only the order within one segment matters. */
function indexOf(at: ChoiceAddress): number {
  return Number(String(at).slice(String(at).lastIndexOf(":") + 1));
}
