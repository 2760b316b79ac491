/**
 * Simpler forms of one operation, the simplest first: what a reader need not think about is gone or at its least.
 * Plain functions; whether a form still fails is for the caller to try.
 */
import type { Mutation, Operation } from "../workload/operation.js";

type Write = Extract<Operation, { kind: "write" }>;

/** Forms that are one step simpler in one respect. */
export function simplerOperations(operation: Operation): readonly Operation[] {
  switch (operation.kind) {
    case "write":
      return [...simplerCalls(operation), ...shorterValues(operation)];
    case "get":
      return without(operation, ["snapshot"]).concat(
        operation.blocking === false ? [] : [{ ...operation, blocking: false }],
      );
    case "scan":
      return without(operation, ["gte", "gt", "lte", "lt", "limit", "snapshot", "awaited", "reverse"]);
    case "openIterator":
      return without(operation, ["gte", "gt", "lte", "lt", "snapshot", "reverse"]);
    case "stepIterator":
      return operation.count > 1
        ? [1, operation.count >> 1, operation.count - 1]
            .filter((n) => n >= 1 && n < operation.count)
            .map((count) => ({ ...operation, count }))
        : [];
    case "pause":
      return [1, 10, 100].filter((ms) => ms < operation.ms).map((ms) => ({ ...operation, ms }));
    case "checkpoint":
      return operation.restores ? [{ ...operation, restores: false }] : [];
    case "backup":
      return [
        ...(operation.waits ? [] : [{ ...operation, waits: true }]),
        ...(operation.which === 0 ? [] : [{ ...operation, which: 0 }]),
      ];
    case "flush":
    case "compact":
      return operation.waits ? [] : [{ ...operation, waits: true }];
    case "reopen":
      return operation.settles ? [] : [{ ...operation, settles: true }];
    case "transact":
      return without(operation, ["durability", "blind"]);
    case "records":
      return [...without(operation, ["durability", "together", "abandons"]), ...simplerDocuments(operation)];
    default:
      return [];
  }
}

/** Each number of a step at 0, one at a time. */
function simplerDocuments(operation: Extract<Operation, { kind: "records" }>): Operation[] {
  return operation.steps.flatMap((step, at) =>
    step.flatMap((part, index) =>
      typeof part === "number" && part !== 0
        ? [{ ...operation, steps: operation.steps.with(at, step.with(index, 0) as unknown as typeof step) }]
        : [],
    ),
  );
}

/** The operation without each of these fields in turn, where it has them. */
function without<Kind extends Operation>(operation: Kind, names: readonly string[]): Operation[] {
  return names
    .filter((name) => name in operation)
    .map((name) => {
      const { [name]: _, ...rest } = operation as unknown as Record<string, unknown>;
      return rest as unknown as Operation;
    });
}

function simplerCalls(operation: Write): Operation[] {
  const forms = without(operation, ["requireAhead", "durability"]);
  const plain = operation.mutations.length === 1 ? "single" : "batch";
  if (operation.call !== plain) forms.push({ ...operation, call: plain });
  return forms;
}

const SHORTER = [1, 10, 100, 1000];

/** All values short; then one at a time. */
function shorterValues(operation: Write): Operation[] {
  const { mutations } = operation;
  const forms: Operation[] = [];
  const add = (changed: readonly Mutation[]): void => {
    forms.push({ ...operation, mutations: changed });
  };
  const shortened = (mutation: Mutation, length: number): Mutation =>
    mutation[0] === "put" && mutation[3] > length ? ["put", mutation[1], mutation[2], length] : mutation;
  for (const length of SHORTER) {
    const changed = mutations.map((mutation) => shortened(mutation, length));
    if (changed.some((mutation, i) => mutation !== mutations[i])) add(changed);
  }
  if (mutations.length < 2) return forms;
  mutations.forEach((mutation, i) => {
    for (const length of SHORTER) {
      const changed = shortened(mutation, length);
      if (changed !== mutation) add(mutations.with(i, changed));
    }
  });
  return forms;
}
