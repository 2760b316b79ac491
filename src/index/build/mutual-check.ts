/**
 * Two indexes that mirror each other: one from followers to whom they follow, one the other way (features DF-42). Owns what a pair
 * is, and the check at the end of a build that each row of the one has its counterpart in the other. Each part of the check sees one
 * version, in which writers have kept both, so whatever it finds is damage and not a write under way.
 */
import { pack } from "../../keyspace/tuple.js";
import { RecordError, shown } from "../../record/record-error.js";
import type { Database } from "../../transaction/transaction.js";
import type { IndexContext } from "../kind.js";
import type { MaintainedIndex } from "../maintenance.js";
import { throwIfStopped } from "../pause.js";

/** Throws `INVALID_ARGUMENT`: these two do not mirror each other. */
export function checkPair(targets: readonly MaintainedIndex[]): readonly [MaintainedIndex, MaintainedIndex] {
  const [forward, backward] = targets;
  if (forward === undefined || backward === undefined || targets.length !== 2)
    throw noPair(targets, "there must be two");
  const [one, other] = [forward.stored.declaration, backward.stored.declaration];
  if (one.kind !== "scalar" || other.kind !== "scalar") throw noPair(targets, "both must be scalar indexes");
  const isSame = [...one.fields].sort().join("\n") === [...other.fields].sort().join("\n");
  if (!isSame || one.fields.join("\n") === other.fields.join("\n"))
    throw noPair(targets, "they must have the same fields in another order");
  const selects = [one, other].map(({ where, sparse }) => JSON.stringify([where ?? null, sparse === true]));
  if (selects[0] !== selects[1]) throw noPair(targets, "both must hold the same items");
  return [forward, backward];
}

/** Rows of one transaction. */
const ROWS = 500;

/** Throws `INDEX_INCONSISTENT` with the first row that has no counterpart. */
export async function checkMirrored(
  database: Database,
  pair: readonly [MaintainedIndex, MaintainedIndex],
  signal: AbortSignal | undefined,
): Promise<void> {
  const [forward, backward] = pair.map(({ maintainer }) => maintainer.context) as [
    IndexContext,
    IndexContext,
  ];
  await checkDirection(database, forward, backward, signal);
  await checkDirection(database, backward, forward, signal);
}

async function checkDirection(
  database: Database,
  from: IndexContext,
  to: IndexContext,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { begin, end } = from.space.range();
  for (let next: Uint8Array | null = begin; next !== null; ) {
    throwIfStopped(signal);
    const start: Uint8Array = next;
    next = await database.read(async (reader) => {
      const rows = await reader.getRangeAll(start, end, { limit: ROWS });
      const mirrored = await Promise.all(rows.map(([key]) => reader.get(mirror(from, to, key))));
      const alone = mirrored.indexOf(undefined);
      if (alone >= 0) throw inconsistent(from, to, (rows[alone] as readonly [Uint8Array, Uint8Array])[0]);
      const last = rows.length < ROWS ? undefined : rows.at(-1);
      return last === undefined ? null : Buffer.concat([last[0], NEXT]);
    });
  }
}

const NEXT = Uint8Array.of(0x00);

/** The key of the same item and values in the other index. */
function mirror(from: IndexContext, to: IndexContext, key: Uint8Array): Uint8Array {
  const elements = from.space.unpack(key);
  const values = to.declaration.fields.map(
    (field) => elements[from.declaration.fields.indexOf(field)] ?? null,
  );
  const owner = elements.slice(from.declaration.fields.length);
  return Buffer.concat([to.space.prefix, pack([...values, ...owner])]);
}

function inconsistent(from: IndexContext, to: IndexContext, key: Uint8Array): RecordError {
  const elements = from.space.unpack(key);
  return new RecordError(
    "INDEX_INCONSISTENT",
    `the index "${from.index}" of "${from.collection}" has ${elements.map(shown).join(", ")}, and "${to.index}" has no row for it. ` +
      "Build both again with `clearFirst`.",
    { collection: from.collection, index: to.index, value: elements },
  );
}

function noPair(targets: readonly MaintainedIndex[], why: string): RecordError {
  const names = targets.map(({ stored }) => stored.name).join('" and "');
  return new RecordError("INVALID_ARGUMENT", `"${names}" do not mirror each other: ${why}.`, {
    collection: targets[0]?.maintainer.context.collection,
  });
}
