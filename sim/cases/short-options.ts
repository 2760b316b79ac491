/**
 * Options as a case file has them: only what differs from the plain ones, so that a reader sees what matters and a
 * field that is added later needs no change of any file. Reading checks every name and type against the plain options.
 * Does not own: their meaning.
 */
import { resolveOptions, type StoreOptions } from "../../src/engine/options.js";
import { StillwaterError } from "../../src/platform/errors.js";
import { HOLE_CONTENTS, MACHINES, SYNC_FAILURES, SYNC_PERSONALITIES } from "../disk/options.js";
import type { SimulationOptions } from "../workload/options.js";
import { PLAIN_OPTIONS } from "../workload/plain-options.js";
import { WORKLOADS } from "../workload/workloads.js";
import { SCHEDULE_POLICIES } from "../world/scheduler.js";
import type { Checker } from "./checker.js";

type Plain = Readonly<Record<string, unknown>>;

/** Texts that are one of a few. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  "options.workload": Object.keys(WORKLOADS),
  "options.schedule": SCHEDULE_POLICIES,
  "options.disk.machine": MACHINES,
  "options.disk.holeContent": HOLE_CONTENTS,
  "options.disk.syncFailure": SYNC_FAILURES,
  "options.disk.personality": SYNC_PERSONALITIES,
  "options.disk.spaceErrno": ["ENOSPC", "EDQUOT"],
};

/** What of these options is not plain. */
export function shortOptions(options: SimulationOptions): Plain {
  // What a store is not told is the engine's default, which is not the plain value.
  const defaults = resolveOptions(options.store) as unknown as Plain;
  const told = Object.fromEntries(Object.keys(PLAIN_OPTIONS.store).map((name) => [name, defaults[name]]));
  const store = { ...told, ...options.store };
  return difference({ ...options, store } as unknown as Plain, PLAIN_OPTIONS as unknown as Plain);
}

/** The options that a case file means. Throws `INVALID_ARGUMENT` with the place. */
export function fullOptions(check: Checker, value: unknown): SimulationOptions {
  const { store, ...rest } = check.object(value, "options");
  const { store: plainStore, ...plain } = PLAIN_OPTIONS;
  const full = merged(check, rest, plain as unknown as Plain, "options", Object.keys(PLAIN_OPTIONS));
  const fullStore = { ...plainStore, ...check.object(store ?? {}, "options.store") };
  checkStore(check, fullStore, "options.store");
  check.array(full["reopenings"], "options.reopenings").forEach((change, index) => {
    const place = `options.reopenings[${index}]`;
    checkStore(check, { ...fullStore, ...check.object(change, place) }, place);
  });
  return { ...full, store: fullStore } as unknown as SimulationOptions;
}

function checkStore(check: Checker, store: StoreOptions, place: string): void {
  try {
    resolveOptions(store);
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
    throw check.refusal(`${place}: ${error.message.replace(/\.$/, "")}`, error);
  }
}

function isPlainObject(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function difference(value: Plain, base: Plain): Plain {
  const short: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(value)) {
    const usual = base[name];
    if (isPlainObject(part) && isPlainObject(usual)) {
      const inner = difference(part, usual);
      if (Object.keys(inner).length > 0) short[name] = inner;
    } else if (JSON.stringify(part) !== JSON.stringify(usual)) {
      short[name] = part;
    }
  }
  return short;
}

function merged(
  check: Checker,
  value: Plain,
  base: Plain,
  place: string,
  known: readonly string[] = Object.keys(base),
): Plain {
  check.names(value, known, place);
  const full: Record<string, unknown> = { ...base };
  for (const [name, part] of Object.entries(value)) {
    const inner = `${place}.${name}`;
    const usual = base[name];
    const named = NAMED[inner];
    if (named !== undefined) check.oneOf(part, named, inner);
    else if (isPlainObject(usual)) {
      full[name] = merged(check, check.object(part, inner), usual, inner);
      continue;
    } else if (Array.isArray(usual)) check.array(part, inner);
    else if (typeof usual === "boolean") check.flag(part, inner);
    else if (typeof usual === "number") check.number(part, inner);
    else if (typeof usual === "string") check.text(part, inner);
    full[name] = part;
  }
  return full;
}
