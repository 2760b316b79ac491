/**
 * Batches: writes as plain data, across collections, all of them or none (features FS-27). Owns their shape and the fence by version.
 */
import { refuseUnknownOptions } from "../engine/options.js";
import { StillwaterError } from "../platform/errors.js";
import type { CollectionDeclaration, InputOf, KeyOf } from "../record/declaration.js";
import { RecordError, shown } from "../record/record-error.js";
import type { RecordRunner } from "./record-runner.js";
import type { CollectionNamed } from "./record-transaction.js";
import type { RecordWriter } from "./record-writer.js";

/** One write of `RecordStore.batch`, as plain data. */
export type RecordBatchOperation<Collections extends readonly CollectionDeclaration[]> = {
  readonly [Name in Collections[number]["name"]]:
    | {
        readonly type: "put" | "insert";
        readonly collection: Name;
        readonly document: InputOf<CollectionNamed<Collections, Name>>;
      }
    | {
        readonly type: "delete";
        readonly collection: Name;
        readonly primaryKey: KeyOf<CollectionNamed<Collections, Name>>;
      };
}[Collections[number]["name"]];

/** Options of `RecordStore.batch`. */
export interface RecordBatchOptions {
  /**
   * The batch is refused with `VERSION_TOO_LOW` unless the store has reached this version: who has read at one, or committed one,
   * does not write to a store that does not have it yet. Not tried again.
   */
  readonly requireVersionAtLeast?: number;
  readonly durability?: "sync" | "buffered";
  /** For hooks. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** For programs without types: before anything is written or counted. */
function checkOperations(operations: unknown): void {
  if (!Array.isArray(operations)) {
    throw new RecordError("INVALID_ARGUMENT", `a batch is a list of operations, not ${shown(operations)}.`);
  }
  for (const operation of operations as readonly unknown[]) {
    const { type } = (operation ?? {}) as { readonly type?: unknown };
    const members = typeof type === "string" && Object.hasOwn(MEMBERS, type) ? MEMBERS[type] : undefined;
    if (members === undefined) {
      throw new RecordError(
        "INVALID_ARGUMENT",
        `${shown(typeof operation === "object" && operation !== null ? type : operation)} is no operation of a batch. ` +
          `Known: ${Object.keys(MEMBERS).join(", ")}.`,
      );
    }
    refuseUnknownOptions(operation as object, members, `an operation ${type} of a batch`);
  }
}

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  put: ["type", "collection", "document"],
  insert: ["type", "collection", "document"],
  delete: ["type", "collection", "primaryKey"],
};

const OPTIONS: readonly (keyof RecordBatchOptions)[] = ["requireVersionAtLeast", "durability", "metadata"];

/** Resolves with the version of the commit; with the version it was read at when nothing had to be written. */
export async function runBatch<Collections extends readonly CollectionDeclaration[]>(
  runner: RecordRunner<Collections>,
  operations: readonly RecordBatchOperation<Collections>[],
  options: RecordBatchOptions,
): Promise<number> {
  checkOperations(operations);
  refuseUnknownOptions(options, OPTIONS, "batch");
  const { requireVersionAtLeast, ...others } = options;
  if (requireVersionAtLeast !== undefined && !Number.isSafeInteger(requireVersionAtLeast)) {
    throw new RecordError(
      "INVALID_ARGUMENT",
      `requireVersionAtLeast must be a version, but is ${shown(requireVersionAtLeast)}.`,
    );
  }
  const { metrics } = runner;
  metrics.count("batches");
  const deletes = operations.filter(({ type }) => type === "delete").length;
  metrics.count("deletes", deletes);
  metrics.count("puts", operations.length - deletes);
  const { result, version } = await runner.commit(async (writer) => {
    const read = await writer.transaction.getReadVersion();
    if (requireVersionAtLeast !== undefined && read < requireVersionAtLeast) {
      throw new StillwaterError(
        "VERSION_TOO_LOW",
        `the store is at version ${read}, and the batch needs ${requireVersionAtLeast}. Nothing was written.`,
      );
    }
    for (const operation of operations) await apply(writer, operation);
    return read;
  }, others);
  return version === null || version < 0 ? result : version;
}

async function apply<Collections extends readonly CollectionDeclaration[]>(
  writer: RecordWriter,
  operation: RecordBatchOperation<Collections>,
): Promise<void> {
  switch (operation.type) {
    case "put":
      await writer.put(operation.collection, operation.document);
      return;
    case "insert":
      await writer.insert(operation.collection, operation.document);
      return;
    case "delete":
      await writer.delete(operation.collection, operation.primaryKey);
  }
}
