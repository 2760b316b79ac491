/** `runTransaction`: conditions, reads and writes as plain data, all at one version or not at all. */
import { compareKeys } from "../../engine/format/bytes.js";
import { hasCode, StillwaterError } from "../../platform/errors.js";
import { readCommittedVersion } from "../../transaction/idempotent-storage.js";
import type { Transaction } from "../../transaction/transaction.js";
import {
  type ByteEncoding,
  bytesOf,
  keyEncoding,
  textOf,
  usedEncoding,
  valueEncoding,
} from "../byte-text.js";
import { type AdminContext, databaseOf } from "../context.js";
import { operation } from "../operation.js";
import { refuseRecords, type WrittenRange } from "../protected-rows.js";
import { either, integer, list, nullable, object, oneOf, optional, text, type ValueOf } from "../schema.js";
import { version } from "./rows.js";

const STEPS_MAX = 10_000;

const write = either([
  object({ type: oneOf(["put"]), key: text(), value: text() }),
  object({ type: oneOf(["delete"]), key: text() }),
  object({ type: oneOf(["deleteRange"]), from: text(), to: text({ description: "Not in the range." }) }),
]);

const input = object({
  keyEncoding: optional(keyEncoding),
  valueEncoding: optional(valueEncoding),
  requireVersionAtLeast: optional(
    integer({
      minimum: 0,
      description: "Refused with `VERSION_TOO_LOW` by a store that has not reached it.",
    }),
  ),
  expect: optional(
    list(object({ key: text(), value: nullable(text({ description: "Null: the key is not there." })) }), {
      maxItems: STEPS_MAX,
      description: "Refused with `PRECONDITION_FAILED` unless every key has this value.",
    }),
  ),
  reads: optional(
    list(text(), {
      maxItems: STEPS_MAX,
      description: "Keys; their values before the writes are in the answer.",
    }),
  ),
  writes: optional(list(write, { maxItems: STEPS_MAX, description: "Done in this order." })),
  durability: optional(oneOf(["sync", "buffered"], { description: "Default: the store's." })),
  idempotencyKey: optional(
    text({
      minLength: 1,
      maxLength: 255,
      description: "A commit is remembered under it, so that sending the same again writes nothing twice.",
    }),
  ),
});

type Input = ValueOf<typeof input>;

export const runTransaction = operation({
  name: "runTransaction",
  summary: "Check, read and write rows in one transaction.",
  effect: "write",
  errors: [
    "PRECONDITION_FAILED",
    "VERSION_TOO_LOW",
    "PROTECTED_RANGE",
    "NOT_COMMITTED",
    "COMMIT_UNKNOWN_RESULT",
  ],
  input,
  output: object({
    version: { json: { ...version.json, description: "Of the commit; without writes, the version read." } },
    reads: list(nullable(object({ value: text(), valueEncoding: usedEncoding }))),
  }),
  async run(context, given) {
    const { durability, idempotencyKey } = given;
    const key = idempotencyKey === undefined ? null : Buffer.from(idempotencyKey);
    const steps = stepsOf(given);
    const options = {
      ...(durability === undefined ? {} : { durability }),
      ...(key === null ? {} : { idempotencyKey: key }),
    };
    const done = await databaseOf(context).transact(async (transaction) => {
      const readVersion = await transaction.getReadVersion();
      requireVersion(readVersion, given);
      // What has been done already is not judged by what it has left.
      const isDone = key !== null && (await committedBefore(context, key)) !== undefined;
      if (!isDone) await requireExpected(transaction, steps);
      await refuseRecords(transaction, steps.written);
      const reads = await Promise.all(steps.reads.map((one) => transaction.get(one)));
      for (const change of steps.changes) change(transaction);
      return { transaction, readVersion, reads };
    }, options);
    const values = given.valueEncoding ?? given.keyEncoding ?? "utf8";
    return {
      version: await versionOf(context, done.transaction, key, done.readVersion),
      reads: done.reads.map((value) => (value === undefined ? null : shown(value, values))),
    };
  },
});

interface Steps {
  readonly expected: readonly { readonly key: Uint8Array; readonly value: Uint8Array | null }[];
  readonly reads: readonly Uint8Array[];
  readonly changes: readonly ((transaction: Transaction) => void)[];
  readonly written: readonly WrittenRange[];
}

/** Throws `INVALID_ARGUMENT`, before there is a transaction. */
function stepsOf({ keyEncoding: keys = "utf8", valueEncoding: values = keys, ...given }: Input): Steps {
  const { expect = [], reads = [], writes = [] } = given;
  const written: WrittenRange[] = [];
  const changes = writes.map((one, at) => {
    const what = `writes[${at}]`;
    if (one.type === "deleteRange") {
      const from = bytesOf(one.from, keys, `${what}.from`);
      const to = bytesOf(one.to, keys, `${what}.to`);
      if (compareKeys(from, to) > 0)
        throw new StillwaterError("INVALID_ARGUMENT", `${what}: its end, "to", is before its beginning.`);
      written.push([from, to]);
      return (transaction: Transaction) => transaction.clearRange(from, to);
    }
    const key = bytesOf(one.key, keys, `${what}.key`);
    written.push([key, null]);
    if (one.type === "delete") return (transaction: Transaction) => transaction.clear(key);
    const value = bytesOf(one.value, values, `${what}.value`);
    return (transaction: Transaction) => transaction.set(key, value);
  });
  return {
    expected: expect.map(({ key, value }, at) => ({
      key: bytesOf(key, keys, `expect[${at}].key`),
      value: value === null ? null : bytesOf(value, values, `expect[${at}].value`),
    })),
    reads: reads.map((key, at) => bytesOf(key, keys, `reads[${at}]`)),
    changes,
    written,
  };
}

function requireVersion(readVersion: number, { requireVersionAtLeast = 0 }: Input): void {
  if (readVersion >= requireVersionAtLeast) return;
  throw new StillwaterError(
    "VERSION_TOO_LOW",
    `the store is at version ${readVersion}, and the transaction needs ${requireVersionAtLeast}. Nothing was written.`,
  );
}

async function requireExpected(transaction: Transaction, { expected }: Steps): Promise<void> {
  const found = await Promise.all(expected.map(({ key }) => transaction.get(key)));
  for (const [at, { value }] of expected.entries()) {
    const actual = found[at];
    const isMet =
      actual === undefined || value === null ? actual === undefined && value === null : isSame(actual, value);
    if (isMet) continue;
    const what = actual === undefined ? "is not there" : value === null ? "is there" : "has another value";
    throw new StillwaterError(
      "PRECONDITION_FAILED",
      `the key of expect[${at}] ${what}. Nothing was written. Read it again and decide anew.`,
    );
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return compareKeys(a, b) === 0;
}

function shown(value: Uint8Array, encoding: ByteEncoding) {
  const { text: valueText, encoding: used } = textOf(value, encoding);
  return { value: valueText, valueEncoding: used };
}

function committedBefore(context: AdminContext, key: Uint8Array): Promise<number | undefined> {
  return databaseOf(context).read((reader) => readCommittedVersion(reader, key), { accessSystemKeys: true });
}

async function versionOf(
  context: AdminContext,
  transaction: Transaction,
  key: Uint8Array | null,
  readVersion: number,
): Promise<number> {
  try {
    const committed = transaction.getCommittedVersion();
    return committed < 0 ? readVersion : committed;
  } catch (error) {
    // Found out afterwards, by its key, that it has been committed.
    if (!hasCode(error, "NO_COMMIT_VERSION") || key === null) throw error;
    return (await committedBefore(context, key)) ?? readVersion;
  }
}
