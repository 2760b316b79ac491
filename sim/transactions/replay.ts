/**
 * A logged transaction carried out again on a state of the model, by the words of FoundationDB's documentation and without
 * anything of `src/transaction`: what its reads must answer there, what it leaves, and which keys its reads and writes
 * conflict on. Does not own: which states it is replayed on (`oracles/transactions.ts`).
 */
import { shownKey } from "../workload/bytes.js";
import { modelAtomic } from "./atomics.js";
import type {
  AttemptLog,
  LoggedBound,
  LoggedCall,
  LoggedRange,
  LoggedRead,
  LoggedRow,
  LoggedSelect,
} from "./attempt-log.js";
import { afterKey, type KeyRange, type StateView } from "./versioned-map.js";

/** The first key that users may not touch. */
export const USER_KEYS_END = "\xff";
export const STAMP_BYTES = 10;

export interface Replayed {
  /** The first read that answers otherwise, in words. */
  readonly mismatch: string | null;
  readonly effects: ReadonlyMap<string, string | undefined>;
  readonly readConflicts: readonly KeyRange[];
  readonly writeConflicts: readonly KeyRange[];
  /** Some of its writes conflict with nobody. */
  readonly isSilent: boolean;
}

export interface ReplaySetting {
  /** Whether snapshot reads must give their answers too. */
  readonly judgesSnapshotReads: boolean;
  /** Ten bytes for versionstamps; null before there is a version. */
  readonly stamp: string | null;
}

export function replay(log: AttemptLog, state: StateView, setting: ReplaySetting): Replayed {
  const run = new Replay(log, state, setting);
  for (const call of log.calls) run.call(call);
  return run;
}

/** What a try sees under a key after all that it was asked so far; `state` is the one that it reads. */
export function seenBy(log: AttemptLog, state: StateView, key: string): string | undefined {
  const run = new Replay(log, state, { judgesSnapshotReads: true, stamp: null });
  for (const call of log.calls) run.call(call);
  return run.seen(key);
}

class Replay implements Replayed {
  mismatch: string | null = null;
  readonly effects = new Map<string, string | undefined>();
  readonly readConflicts: KeyRange[] = [];
  readonly writeConflicts: KeyRange[] = [];
  isSilent = false;
  readonly #log: AttemptLog;
  readonly #state: StateView;
  readonly #setting: ReplaySetting;
  /** Own writes whose value does not depend on what is stored. */
  readonly #known = new Set<string>();
  readonly #cleared: KeyRange[] = [];
  #skipsNext = false;

  constructor(log: AttemptLog, state: StateView, setting: ReplaySetting) {
    this.#log = log;
    this.#state = state;
    this.#setting = setting;
  }

  call(call: LoggedCall): void {
    switch (call.kind) {
      case "get":
      case "range":
      case "select":
        return this.#read(call);
      case "set":
        return this.#write(call.key, call.value, true);
      case "clear":
        return this.#write(call.key, undefined, true);
      case "clearRange":
        return this.#clearRange(call.begin, call.end);
      case "atomic": {
        const value = modelAtomic(call.operation, this.#own(call.key), call.operand);
        return this.#write(call.key, value, this.#isKnown(call.key));
      }
      case "stampKey":
        return this.#stampKey(call.key, call.offset, call.value);
      case "stampValue":
        return this.#write(call.key, stamped(call.value, call.offset, this.#setting.stamp), true);
      case "readConflict":
        this.#conflict(call.begin, call.end);
        return;
      case "writeConflict":
        this.#add(this.writeConflicts, call.begin, call.end);
        return;
      case "skipConflict":
        this.#skipsNext = true;
    }
  }

  #read(call: LoggedRead): void {
    if (call.kind === "get") this.#get(call);
    else if (call.kind === "range") this.#range(call);
    else this.#select(call);
  }

  #get(call: Extract<LoggedRead, { kind: "get" }>): void {
    const { key } = call;
    this.#readOf(call, key, afterKey(key));
    const value = this.seen(key);
    if (call.answer === null || call.answer.value === value) return;
    this.#differs(
      call,
      `get ${shownKey(key)} answered ${shown(call.answer.value)}, but it is ${shown(value)}`,
    );
  }

  #range(call: LoggedRange): void {
    const begin = this.#bound(call, call.begin);
    const end = this.#bound(call, call.end);
    const keys = this.#keys(begin, end);
    if (call.reverse) keys.reverse();
    const { answer } = call;
    // What an unanswered read has looked at conflicts too, but nobody can tell how far it came.
    if (answer === null) return;
    const rows = answer.isWhole ? keys : keys.slice(0, answer.rows.length);
    const last = answer.rows.at(-1)?.[0];
    if (answer.isWhole) this.#readOf(call, begin, end);
    else if (last !== undefined)
      this.#readOf(call, call.reverse ? last : begin, call.reverse ? end : afterKey(last));
    const expected = rows.map((key): LoggedRow => [key, this.seen(key) ?? ""]);
    const at = expected.findIndex(
      (row, index) => answer.rows[index]?.[0] !== row[0] || answer.rows[index]?.[1] !== row[1],
    );
    if (at < 0 && expected.length === answer.rows.length) return;
    const index = at < 0 ? Math.min(expected.length, answer.rows.length) : at;
    this.#differs(
      call,
      `a range read of [${shownKey(begin)}, ${shownKey(end)})${call.reverse ? " in reverse" : ""} gave ` +
        `${shownRow(answer.rows[index])} as row ${index}, but ${shownRow(expected[index])} is due`,
    );
  }

  #select(call: LoggedSelect): void {
    const key = this.#resolve(call, call.bound);
    if (call.answer === null || call.answer.key === key) return;
    const { bound } = call;
    this.#differs(
      call,
      `the selector (${shownKey(bound.key)}, ${bound.orEqual}, ${bound.offset}) found ` +
        `${shownKey(call.answer.key)}, but it is ${shownKey(key)}`,
    );
  }

  /** Where a range begins or ends: at the first key from a place on is as good as at that place. */
  #bound(call: LoggedRange, bound: LoggedBound): string {
    if (typeof bound === "string") return bound;
    if (bound.offset !== 1) return this.#resolve(call, bound);
    return bound.orEqual ? afterKey(bound.key) : bound.key;
  }

  /** The key that a selector means here, which is a read of its own. */
  #resolve(call: LoggedRead, bound: Exclude<LoggedBound, string>): string {
    const start = bound.orEqual ? afterKey(bound.key) : bound.key;
    if (bound.offset > 0) {
      const found = this.#keys(start, USER_KEYS_END)[bound.offset - 1];
      this.#readOf(call, start, found === undefined ? USER_KEYS_END : afterKey(found));
      return found ?? USER_KEYS_END;
    }
    const found = this.#keys("", start).at(bound.offset - 1);
    this.#readOf(call, found ?? "", start);
    return found ?? "";
  }

  #differs(call: LoggedRead, words: string): void {
    if (call.isSnapshot && !this.#setting.judgesSnapshotReads) return;
    this.mismatch ??= words;
  }

  /** What reads see. */
  seen(key: string): string | undefined {
    return this.#log.readYourWrites ? this.#own(key) : this.#state.get(key);
  }

  #own(key: string): string | undefined {
    if (this.effects.has(key)) return this.effects.get(key);
    return this.#isCleared(key) ? undefined : this.#state.get(key);
  }

  #keys(begin: string, end: string): string[] {
    const stored = this.#state.keys(begin, end);
    if (!this.#log.readYourWrites) return stored;
    const own = [...this.effects.keys()].filter((key) => key >= begin && key < end);
    return [...new Set([...stored, ...own])].filter((key) => this.#own(key) !== undefined).sort();
  }

  #write(key: string, value: string | undefined, isKnown: boolean): void {
    this.effects.set(key, value);
    if (isKnown) this.#known.add(key);
    else this.#known.delete(key);
    this.#wrote(key, afterKey(key));
  }

  #clearRange(begin: string, end: string): void {
    if (begin >= end) {
      this.#skipsNext = false;
      return;
    }
    for (const key of [...this.effects.keys(), ...this.#state.keys(begin, end)]) {
      if (key >= begin && key < end) this.effects.set(key, undefined);
    }
    this.#cleared.push([begin, end]);
    for (const key of this.effects.keys()) if (key >= begin && key < end) this.#known.add(key);
    this.#wrote(begin, end);
  }

  #stampKey(key: string, offset: number, value: string): void {
    const before = key.slice(0, offset);
    const after = key.slice(offset + STAMP_BYTES);
    const { stamp } = this.#setting;
    if (stamp === null) return;
    const stampedKey = before + stamp + after;
    this.effects.set(stampedKey, value);
    // Nobody can have read it, so there is nothing to skip.
    this.#skipsNext = false;
    this.#add(this.writeConflicts, stampedKey, afterKey(stampedKey));
  }

  #isCleared(key: string): boolean {
    return this.#cleared.some(([begin, end]) => key >= begin && key < end);
  }

  /** What the transaction has decided by itself, whatever is stored. */
  #isKnown(key: string): boolean {
    return this.effects.has(key) ? this.#known.has(key) : this.#isCleared(key);
  }

  #readOf(call: LoggedRead, begin: string, end: string): void {
    if (!call.isSnapshot) this.#conflict(begin, end);
  }

  /** A read of [begin, end) conflicts where its answer came from what is stored. */
  #conflict(begin: string, end: string): void {
    if (begin >= end) return;
    if (!this.#log.readYourWrites) return this.#add(this.readConflicts, begin, end);
    let open: KeyRange[] = [[begin, end]];
    const without: KeyRange[] = [...this.#cleared];
    for (const key of this.effects.keys()) if (this.#known.has(key)) without.push([key, afterKey(key)]);
    for (const hole of without) open = open.flatMap((range) => subtract(range, hole));
    for (const range of open) this.#add(this.readConflicts, ...range);
  }

  #wrote(begin: string, end: string): void {
    if (this.#skipsNext) this.isSilent = true;
    else this.#add(this.writeConflicts, begin, end);
    this.#skipsNext = false;
  }

  #add(conflicts: KeyRange[], begin: string, end: string): void {
    if (begin < end) conflicts.push([begin, end]);
  }
}

function subtract([begin, end]: KeyRange, [from, to]: KeyRange): KeyRange[] {
  if (to <= begin || from >= end) return [[begin, end]];
  const left: KeyRange[] = [];
  if (from > begin) left.push([begin, from]);
  if (to < end) left.push([to, end]);
  return left;
}

function stamped(value: string, offset: number, stamp: string | null): string {
  return stamp === null ? value : value.slice(0, offset) + stamp + value.slice(offset + STAMP_BYTES);
}

function shown(value: string | undefined): string {
  return value === undefined ? "absent" : shownKey(value);
}

function shownRow(row: LoggedRow | undefined): string {
  return row === undefined ? "nothing" : `${shownKey(row[0])} = ${shownKey(row[1])}`;
}
