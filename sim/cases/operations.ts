/**
 * The operations of a case file: which fields each kind has, and of what type. Names that this version does not know
 * are refused with those it does. Does not own: what an operation does (`workload/operation.ts`).
 */
import {
  BACKUP_CALLS,
  MUTATIONS_MAX,
  OPERATION_KINDS,
  type Operation,
  READER_ACTIONS,
} from "../workload/operation.js";
import { RECORD_STEP_FIELDS, RECORD_STEPS_MAX } from "../workload/record-steps.js";
import { STEP_FIELDS, STEPS_MAX } from "../workload/transaction-steps.js";
import type { Checker } from "./checker.js";

type FieldCheck = (check: Checker, value: unknown, place: string) => void;
type Fields = Readonly<Record<string, FieldCheck>>;

const text: FieldCheck = (check, value, place) => check.text(value, place);
const count: FieldCheck = (check, value, place) => check.count(value, place);
const number: FieldCheck = (check, value, place) => check.number(value, place);
const flag: FieldCheck = (check, value, place) => check.flag(value, place);
const oneOf =
  (...known: readonly string[]): FieldCheck =>
  (check, value, place) =>
    check.oneOf(value, known, place);
const listOf =
  (one: FieldCheck): FieldCheck =>
  (check, value, place) => {
    check.array(value, place).forEach((item, index) => {
      one(check, item, `${place}[${index}]`);
    });
  };
const orNull =
  (one: FieldCheck): FieldCheck =>
  (check, value, place) => {
    if (value !== null) one(check, value, place);
  };

const mutation: FieldCheck = (check, value, place) => {
  const [kind, ...rest] = check.array(value, place);
  const parts = { put: [text, count, count], delete: [text], deleteRange: [text, text] };
  check.oneOf(kind, Object.keys(parts), `${place}[0]`);
  const wanted = parts[kind as keyof typeof parts];
  wanted.forEach((part, index) => {
    part(check, rest[index], `${place}[${index + 1}]`);
  });
  if (rest.length > wanted.length) check.fail(place, `${kind} and ${wanted.length} more`);
};

const mutations: FieldCheck = (check, value, place) => {
  listOf(mutation)(check, value, place);
  const { length } = value as readonly unknown[];
  if (length > MUTATIONS_MAX) check.fail(place, `at most ${MUTATIONS_MAX} mutations`);
};

const stepParts: Readonly<Record<string, FieldCheck>> = {
  text: (check, value, place) => check.text(value, place),
  count: (check, value, place) => check.count(value, place),
  integer: (check, value, place) => check.integer(value, place),
  flag: (check, value, place) => check.flag(value, place),
};

const stepOf =
  (known: Readonly<Record<string, readonly (string | readonly string[])[]>>): FieldCheck =>
  (check, value, place) => {
    const [kind, ...rest] = check.array(value, place);
    check.oneOf(kind, Object.keys(known), `${place}[0]`);
    const fields = known[kind as string] ?? [];
    fields.forEach((field, index) => {
      const at = `${place}[${index + 1}]`;
      if (typeof field === "string") stepParts[field]?.(check, rest[index], at);
      else check.oneOf(rest[index], field, at);
    });
    if (rest.length > fields.length) check.fail(place, `${kind} and ${fields.length} more`);
  };

const stepsOf =
  (one: FieldCheck, max: number): FieldCheck =>
  (check, value, place) => {
    listOf(one)(check, value, place);
    if ((value as readonly unknown[]).length > max) check.fail(place, `at most ${max} steps`);
  };

const moment: FieldCheck = (check, value, place) => {
  const at = check.object(value, place);
  const kinds: readonly Fields[] = [{ calls: count }, { point: text, hits: count }, { afterMs: number }];
  const fields = kinds.find((one) => Object.keys(one).some((name) => name in at));
  if (fields === undefined) check.fail(place, "{calls}, {point, hits} or {afterMs}");
  else checkFields(check, at, fields, {}, place);
};

const crash = { how: oneOf("power-loss", "process-kill"), at: moment };
const request: FieldCheck = (check, value, place) =>
  checkFields(check, check.object(value, place), crash, {}, place);

const bounds = { gte: text, gt: text, lte: text, lt: text, reverse: flag };

/** For each kind the fields that must be there, and those that may be. */
const FIELDS: Readonly<Record<Operation["kind"], readonly [must: Fields, may: Fields]>> = {
  write: [
    { call: oneOf("batch", "single", "blocking"), mutations },
    { durability: oneOf("sync", "buffered"), requireAhead: count },
  ],
  get: [{ key: text }, { blocking: flag, snapshot: count }],
  scan: [{}, { ...bounds, limit: count, snapshot: count, awaited: flag }],
  openSnapshot: [{ id: count }, {}],
  closeSnapshot: [{ id: count }, {}],
  openIterator: [{ id: count }, { ...bounds, snapshot: count }],
  stepIterator: [{ id: count, count }, {}],
  seekIterator: [{ id: count, key: text }, {}],
  closeIterator: [{ id: count }, {}],
  flush: [{ waits: flag }, {}],
  compact: [{ waits: flag }, {}],
  checkpoint: [{ restores: flag }, {}],
  backup: [{ call: oneOf(...BACKUP_CALLS), which: count, waits: flag }, {}],
  verify: [{}, {}],
  checkAll: [{}, {}],
  settle: [{}, {}],
  pause: [{ ms: number }, {}],
  reopen: [{ settles: flag }, {}],
  limitSpace: [{ freeBytes: orNull(count) }, {}],
  dropCaches: [{}, {}],
  getMany: [{ keys: listOf(text) }, { snapshot: count }],
  openSecond: [{}, { waitsMs: count }],
  reader: [{ id: count, does: oneOf(...READER_ACTIONS), waits: flag }, {}],
  records: [
    { steps: stepsOf(stepOf(RECORD_STEP_FIELDS), RECORD_STEPS_MAX) },
    { durability: oneOf("sync", "buffered"), abandons: flag, together: flag },
  ],
  transact: [
    { steps: stepsOf(stepOf(STEP_FIELDS), STEPS_MAX) },
    { durability: oneOf("sync", "buffered"), blind: flag, idempotencyKey: text },
  ],
  crash: [{ ...crash, nested: listOf(request) }, {}],
};

/** Throws `INVALID_ARGUMENT` with the place. */
export function checkOperations(check: Checker, value: unknown): readonly Operation[] {
  const operations = check.array(value, "operations");
  operations.forEach((each, index) => {
    const place = `operations[${index}]`;
    const { kind, ...rest } = check.object(each, place);
    check.oneOf(kind, OPERATION_KINDS, `${place}.kind`);
    const [must, may] = FIELDS[kind as Operation["kind"]];
    checkFields(check, rest, must, may, place);
    const { call, mutations: list } = rest as { call?: string; mutations?: readonly unknown[] };
    if (call === "single" && list?.length !== 1)
      check.fail(`${place}.mutations`, "one mutation for a single write");
  });
  return operations as readonly Operation[];
}

function checkFields(
  check: Checker,
  value: Readonly<Record<string, unknown>>,
  must: Fields,
  may: Fields,
  place: string,
): void {
  check.names(value, [...Object.keys(must), ...Object.keys(may)], place);
  for (const [name, one] of Object.entries(must)) one(check, value[name], `${place}.${name}`);
  for (const [name, one] of Object.entries(may)) {
    if (value[name] !== undefined) one(check, value[name], `${place}.${name}`);
  }
}
