/**
 * Former versions of documents, from the versions index of their collection (features FS-29, DF-30). Owns which index that is. Does
 * not own: what is kept (`src/index/kinds/versions.ts`).
 */
import { VERSIONS, type VersionMoment } from "../index/kinds/versions.js";
import type { StoredVersion } from "../index/version-rows.js";
import { RecordError } from "../record/record-error.js";
import { readIndex } from "./aggregates.js";
import { primaryKeyOf } from "./documents.js";
import type { RecordReader } from "./record-reader.js";

/** A document as it was after a commit. */
export interface DocumentVersion<Document> extends StoredVersion {
  readonly document: Document | null;
}

/** Which former versions `history` gives. */
export interface HistoryOptions {
  /** The newest so many. Default: all that are kept. */
  readonly limit?: number;
  /** Which versions index, where there are several. */
  readonly index?: string;
}

export async function history(
  reader: RecordReader,
  name: string,
  primaryKey: unknown,
  options: HistoryOptions,
): Promise<StoredVersion[]> {
  const key = primaryKeyOf(reader.shared.declarationOf(name), primaryKey);
  const index = await versionsIndex(reader, name, options.index);
  return readIndex(reader, name, index, VERSIONS, (maintainer, transaction) =>
    maintainer.history(transaction, key, options.limit),
  );
}

export async function versionAt(
  reader: RecordReader,
  name: string,
  primaryKey: unknown,
  moment: VersionMoment & { readonly index?: string },
): Promise<StoredVersion | undefined> {
  const key = primaryKeyOf(reader.shared.declarationOf(name), primaryKey);
  const index = await versionsIndex(reader, name, moment.index);
  return readIndex(reader, name, index, VERSIONS, (maintainer, transaction) =>
    maintainer.at(transaction, key, moment),
  );
}

async function versionsIndex(reader: RecordReader, name: string, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const { catalogued } = await reader.collection(name);
  const [one, another] = catalogued.indexes.filter(
    ({ declaration }) => declaration.kind === VERSIONS.identifier,
  );
  if (one !== undefined && another === undefined) return one.name;
  throw new RecordError(
    "UNKNOWN_INDEX",
    one === undefined
      ? `"${name}" keeps no former versions. Declare an index versions().`
      : `"${name}" has several versions indexes. Say which (option "index").`,
    { collection: name },
  );
}
