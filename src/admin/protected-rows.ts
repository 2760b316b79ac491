/**
 * Keeps raw writes out of where records lie: a document changed past its indexes, or a row of the catalogue, would make them lie.
 * Keys there are protected from the moment a catalogue is stored, in the same transaction that writes.
 */
import { DEFAULT_ROOT } from "../collection/record-store.js";
import { compareKeys } from "../engine/format/bytes.js";
import { Subspace } from "../keyspace/subspace.js";
import { StillwaterError } from "../platform/errors.js";
import { CatalogueStore } from "../record/catalogue.js";
import type { Transaction } from "../transaction/transaction.js";

/** [begin, end), or one key. */
export type WrittenRange = readonly [begin: Uint8Array, end: Uint8Array | null];

const ROOT = Subspace.of(...DEFAULT_ROOT);
const BEGIN = ROOT.prefix;
const END = Buffer.concat([ROOT.prefix, Uint8Array.of(0xff)]);

/** Throws `PROTECTED_RANGE` when one of `ranges` touches keys of records. */
export async function refuseRecords(writer: Transaction, ranges: readonly WrittenRange[]): Promise<void> {
  if (!ranges.some(touchesRecords)) return;
  const { schemaVersion } = await new CatalogueStore(ROOT).read(writer);
  if (schemaVersion === null) return;
  throw new StillwaterError(
    "PROTECTED_RANGE",
    "collections and their indexes lie under these keys, and would no longer agree. Change documents through their collection.",
  );
}

function touchesRecords([begin, end]: WrittenRange): boolean {
  if (compareKeys(begin, END) >= 0) return false;
  return end === null ? compareKeys(begin, BEGIN) >= 0 : compareKeys(end, BEGIN) > 0;
}
