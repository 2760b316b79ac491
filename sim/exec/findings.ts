/**
 * A finding: one way in which a program breaks its check, with the smallest crash state that shows it, in words that
 * need no knowledge of the simulator. Plain data. Does not own: finding it (`explorer.ts`), printing it (`report.ts`).
 */
import { itemText } from "../disk/crash-items.js";
import type { CrashItem, CrashKind } from "../disk/simulation-disk.js";
import { isTorn, lostAnswer } from "./crash-states.js";
import type { RootCause } from "./root-cause.js";
import type { TapeEvent, TapeStep } from "./tape.js";
import type { TapePlayer } from "./tape-player.js";

/** One unsynced thing that matters, and the calls of the program that made it. */
export interface Matter {
  readonly what: string;
  readonly fate: "lost" | "torn" | "an older version" | "kept";
  /** Numbers of the steps, counted from 1. */
  readonly steps: readonly number[];
  readonly call: string;
  readonly site: string;
}

/** A crash after which the check failed, with its cause. */
export interface Finding {
  readonly crash: CrashKind;
  /** Events of the tape that had happened. */
  readonly position: number;
  readonly answers: readonly number[];
  readonly message: string;
  /** The last step before the crash; null: it came before the first. */
  readonly after: {
    readonly step: number;
    readonly call: string;
    readonly path: string;
    readonly site: string;
  } | null;
  readonly acknowledged: readonly string[];
  /** What must be lost, and what must be kept, for the check to fail; the rest does not matter. */
  readonly lost: readonly Matter[];
  readonly kept: readonly Matter[];
  /** One sentence. */
  readonly cause: string;
  /** Further crash states that failed for the same reason. */
  readonly others: number;
}

export function describeFinding(
  player: TapePlayer,
  events: readonly TapeEvent[],
  items: readonly CrashItem[],
  crash: CrashKind,
  cause: RootCause,
  message: string,
): Finding {
  const matter = (index: number): Matter => {
    const item = items[index] as CrashItem;
    const made = player.eventsOf(item);
    const newest = events[made[0] ?? -1] as TapeStep | undefined;
    return {
      what: itemText(item),
      fate: fateOf(item, cause.answers[index] ?? 0),
      steps: made.map((event) => event + 1),
      call: newest?.call ?? "",
      site: newest?.site ?? "",
    };
  };
  const [lost, kept] = [cause.lost.map(matter), cause.kept.map(matter)];
  const after = lastStep(events, player.position);
  return {
    crash,
    position: player.position,
    answers: cause.answers,
    message,
    after,
    acknowledged: [...player.acknowledged],
    lost,
    kept,
    cause: sentence(crash, after, lost, kept),
    others: 0,
  };
}

/** Findings with the same one differ in nothing but the moment. */
export function signatureOf(finding: Finding): string {
  const matters = [finding.lost, finding.kept].map((list) =>
    [...new Set(list.map(({ fate, call, site, what }) => `${fate} ${call} ${site} ${general(what)}`))].sort(),
  );
  const place = finding.crash === "process-kill" ? [finding.after?.call, finding.after?.site] : [];
  return JSON.stringify([finding.crash, general(finding.message).slice(0, 60), matters, place]);
}

function lastStep(events: readonly TapeEvent[], position: number): Finding["after"] {
  for (let index = position - 1; index >= 0; index--) {
    const event = events[index];
    if (event?.kind !== "step" || !event.changes) continue;
    return { step: index + 1, call: event.call, path: event.path, site: event.site };
  }
  return null;
}

function sentence(
  crash: CrashKind,
  after: Finding["after"],
  lost: readonly Matter[],
  kept: readonly Matter[],
): string {
  if (crash === "process-kill") {
    const moment = after === null ? "before its first step" : `right after ${after.call} ${after.path}`;
    return `The check fails when the process is killed ${moment}; nothing that was written is lost.`;
  }
  if (lost.length === 0) {
    return `The check fails even when the power loss loses nothing, after ${after?.call ?? "no"} ${after?.path ?? "step"}.`;
  }
  const text = (list: readonly Matter[], withFate: boolean) =>
    list
      .map(({ what, fate, steps }) => `${what}${withFate ? ` is ${fate}` : ""} (step ${steps.join(", ")})`)
      .join(" and ");
  const although =
    kept.length === 0 ? "" : ` while ${text(kept, false)} ${kept.length === 1 ? "is" : "are"} kept`;
  return `The check fails when ${text(lost, true)}${although}; nothing else matters.`;
}

function fateOf(item: CrashItem, answer: number): Matter["fate"] {
  if (answer === 0) return "kept";
  if (isTorn(item, answer)) return "torn";
  return answer === lostAnswer(item) ? "lost" : "an older version";
}

/** Without what changes from one time to the next: numbers, and names made by chance. */
function general(text: string): string {
  return text.replaceAll(/[\w-]*\d[\w-]*/g, "#");
}
