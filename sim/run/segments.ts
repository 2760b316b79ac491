/**
 * Divides a run into the segments by which its choices are addressed (`Choices.begin`), so that decisions belong to the
 * operation or the crash that they were made for, and an operation can be taken out of a case without shifting those of
 * the others:
 *
 *   open      before the first operation
 *   7         from the beginning of operation 7 to that of the next one
 *   7!1       from the first crash that operation 7 armed, through recovery, to the beginning of the next operation;
 *             7!2 is the second, and so on: the crashes of recoveries belong to the operation that began it
 *   end       after the last operation
 *
 * Notes of each crash where in its segment it struck, so that a shrinker can move the request there.
 */
import type { CrashKind } from "../disk/simulation-disk.js";
import type { Session } from "./session.js";

export const SEGMENT_OPEN = "open";
export const SEGMENT_END = "end";

/** One crash of a run. */
export interface CrashNote {
  readonly how: CrashKind;
  /** "VFS call sync /store/…", "crash point …", "time … ms", or what the main task was doing. */
  readonly where: string;
  /** The operation that armed it, or armed the crash whose recovery it struck; -1 is none. */
  readonly armedBy: number;
  /** Which of the crashes of that operation it is, from 1. */
  readonly ordinal: number;
  /** The segment that was running, and the VFS calls made in it before. */
  readonly during: string;
  readonly calls: number;
}

export class RunSegments {
  readonly #session: Session;
  #armedBy = -1;
  #crashes = 0;
  #callsBefore = 0;

  constructor(session: Session) {
    this.#session = session;
    session.world.onCrash = (how, where) => this.#crash(how, where);
    this.#begin(SEGMENT_OPEN);
  }

  operation(number: number, arms: boolean): void {
    if (arms) {
      this.#armedBy = number;
      this.#crashes = 0;
    }
    this.#begin(String(number));
  }

  operationsEnd(): void {
    this.#begin(SEGMENT_END);
  }

  #crash(how: CrashKind, where: string): void {
    const { choices } = this.#session.world;
    const ordinal = ++this.#crashes;
    const calls = this.#session.disk.counters.calls - this.#callsBefore;
    this.#session.crashes.push({
      how,
      where,
      armedBy: this.#armedBy,
      ordinal,
      during: choices.segment,
      calls,
    });
    this.#begin(crashSegment(this.#armedBy, ordinal));
  }

  #begin(segment: string): void {
    this.#session.world.choices.begin(segment);
    this.#callsBefore = this.#session.disk.counters.calls;
  }
}

export function crashSegment(armedBy: number, ordinal: number): string {
  return `${armedBy < 0 ? SEGMENT_OPEN : armedBy}!${ordinal}`;
}

/** The operation whose number a segment carries; null for the beginning and the end. */
export function operationOfSegment(segment: string): number | null {
  const match = /^(\d+)(?:!\d+)?$/.exec(segment);
  return match === null ? null : Number(match[1]);
}
