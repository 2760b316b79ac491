/**
 * The steps of which explored workloads are made: the fewest that together reach every durable act of the engine. A
 * step stands for operations written out literally, so that a failing workload is an ordinary case. Promise: equal
 * steps at equal places are equal operations, so that workloads with a common beginning run alike up to its end.
 * Does not own: which sequences of steps are worth a run (`workloads.ts`).
 */
import { type Mutation, type Operation, writerOfMutation } from "../workload/operation.js";

export interface Step {
  readonly id: string;
  readonly about: string;
  /** `first` is the number that the first of the operations gets. */
  readonly operations: (first: number) => readonly Operation[];
  /** Steps of which one must have come before, else this one does what another does. Empty: none. */
  readonly after: readonly string[];
  /** Whether it only means something with a step after it. */
  readonly leads: boolean;
}

const KEY_A = "a";
const KEY_B = "b";
const KEY_LARGE = "c";
const RANGE_END = "z";
const SMALL_BYTES = 20;
/** With anything else in the segment this does not fit it any more, so that the log rotates. */
const LARGE_BYTES = 4080;

/** Steps that leave something to delete. */
const WRITES = ["put-a", "put-a-unawaited", "put-a-buffered", "put-a-blocking", "batch", "put-large"];
const ANY_WRITE = [...WRITES, "put-b", "delete-a", "delete-range"];

const SETTLE: Operation = { kind: "settle" };

export const STEPS: readonly Step[] = [
  step("put-a", "put of one key, durable when answered", (n) => [put(n, KEY_A), SETTLE]),
  step("put-b", "put of another key", (n) => [put(n, KEY_B), SETTLE], { after: ["put-a", "batch"] }),
  step("put-a-unawaited", "put that is on its way when the next step begins", (n) => [put(n, KEY_A)], {
    leads: true,
  }),
  step("put-a-buffered", "put that may wait for its sync", (n) => [put(n, KEY_A, "buffered"), SETTLE]),
  step("put-a-blocking", "put by writeSync", (n) => [
    { kind: "write", call: "blocking", mutations: [putMutation(n, 0, KEY_A, SMALL_BYTES)] },
  ]),
  step("batch", "two puts in one commit", (n) => [
    {
      kind: "write",
      call: "batch",
      mutations: [putMutation(n, 0, KEY_A, SMALL_BYTES), putMutation(n, 1, KEY_B, SMALL_BYTES)],
    },
    SETTLE,
  ]),
  step("put-large", "put that fills a log segment, so that the log rotates", (n) => [
    { kind: "write", call: "single", mutations: [putMutation(n, 0, KEY_LARGE, LARGE_BYTES)] },
    SETTLE,
  ]),
  step(
    "delete-a",
    "delete of a key",
    () => [{ kind: "write", call: "single", mutations: [["delete", KEY_A]] }, SETTLE],
    { after: WRITES },
  ),
  step(
    "delete-range",
    "delete of all keys by one range",
    () => [{ kind: "write", call: "single", mutations: [["deleteRange", KEY_A, RANGE_END]] }, SETTLE],
    { after: WRITES },
  ),
  step("flush", "flush, awaited", () => [{ kind: "flush", waits: true }], { after: ANY_WRITE }),
  step(
    "flush-unawaited",
    "flush that goes on beside the next step",
    () => [{ kind: "flush", waits: false }],
    {
      after: ANY_WRITE,
      leads: true,
    },
  ),
  step("compact", "compaction of everything, awaited", () => [{ kind: "compact", waits: true }], {
    after: ANY_WRITE,
  }),
  step(
    "compact-unawaited",
    "compaction that goes on beside the next step",
    () => [{ kind: "compact", waits: false }],
    {
      after: ANY_WRITE,
      leads: true,
    },
  ),
  step("checkpoint", "checkpoint, opened and compared", () => [{ kind: "checkpoint", restores: false }]),
  step("reopen", "close in order, and open in a new process", () => [{ kind: "reopen", settles: true }]),
  step(
    "kill",
    "end of the process, and opening in a new one: everything written is still in the page cache",
    () => [
      { kind: "crash", how: "process-kill", at: { afterMs: 0 }, nested: [] },
      { kind: "pause", ms: 1 },
    ],
  ),
  step("snapshot", "snapshot, kept open", (n) => [{ kind: "openSnapshot", id: n }], {
    after: WRITES,
    leads: true,
  }),
];

/** A store that logs nothing until a memtable is sealed knows no durability of single commits. */
export const STEPS_WITHOUT_LOG: readonly Step[] = STEPS.filter(
  ({ id }) => !["put-a-unawaited", "put-a-buffered", "put-a-blocking", "snapshot"].includes(id),
);

function step(
  id: string,
  about: string,
  operations: Step["operations"],
  rules: { readonly after?: readonly string[]; readonly leads?: boolean } = {},
): Step {
  return { id, about, operations, after: rules.after ?? [], leads: rules.leads ?? false };
}

function put(number: number, key: string, durability?: "buffered"): Operation {
  const mutations = [putMutation(number, 0, key, SMALL_BYTES)];
  return { kind: "write", call: "single", mutations, ...(durability === undefined ? {} : { durability }) };
}

function putMutation(number: number, index: number, key: string, bytes: number): Mutation {
  return ["put", key, writerOfMutation(number, index), bytes];
}
