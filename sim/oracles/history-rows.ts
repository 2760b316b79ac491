/**
 * O11 for histories of versions. Verifies, from the raw keys before and after one commit: each document that the commit has written
 * has one version more, under the versionstamp of the commit, with exactly what is there now or without a document when it was
 * deleted; of the versions before it as many stay as are kept; documents that were not written keep theirs. Does not verify:
 * copies that are being built, times.
 */
import { expectedIndex } from "../records/expected-rows.js";
import { copyName, type RawIndex, type RawState, shown } from "../records/raw-state.js";
import { packed } from "../records/tuple.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** Of a version that holds no document. */
const DELETION_BYTES = 8;
const HEADS = packed([0]);
const PARTS = packed([1]);
const PART_COUNT_AT = 12;
/** Before the text of an item: its header. */
const HEADER_BYTES = 4;
/** A versionstamp in a tuple: its code, ten bytes of the commit, two more. */
const STAMP_LENGTH = 13;

export function checkHistories(
  ledger: OracleLedger,
  before: RawState,
  after: RawState,
  /** Packed primary keys, by the id of the collection. */
  written: ReadonlyMap<number, ReadonlySet<string>>,
  when: string,
): void {
  for (const index of after.indexes) {
    const expected = expectedIndex(index.name);
    const was = before.indexes.find(({ id }) => id === index.id);
    if (expected.kind !== "history" || was?.generation !== index.generation) continue;
    if (index.state !== "readable" || was.state !== "readable") continue;
    ledger.count("O11");
    const touched = written.get(index.collectionId) ?? new Set();
    const [old, fresh] = [historiesOf(before, index), historiesOf(after, index)];
    for (const id of new Set([...old.keys(), ...fresh.keys(), ...touched])) {
      const [versions, now] = [old.get(id) ?? [], fresh.get(id) ?? []];
      const kept = touched.has(id)
        ? versions.slice(Math.max(0, versions.length + 1 - expected.keepLast))
        : versions;
      const isRight =
        kept.every((version, at) => now[at]?.stamp === version.stamp && now[at].text === version.text) &&
        now.length === kept.length + (touched.has(id) ? 1 : 0) &&
        (!touched.has(id) || now.at(-1)?.text === (after.itemsOf(index.collectionId).get(id)?.text ?? null));
      if (isRight) continue;
      throw new OracleFailure(
        "O11",
        `${when}: "${index.name}" has ${now.length} versions of ${shown(id)}, ${told(now)}; before there were ` +
          `${versions.length}, ${told(versions)}, and it was ${touched.has(id) ? "" : "not "}written`,
      );
    }
  }
}

interface Version {
  readonly stamp: string;
  /** Null: a deletion. */
  readonly text: string | null;
}

/** By packed primary key, the oldest first. */
function historiesOf(state: RawState, index: RawIndex): Map<string, Version[]> {
  const rows = state.rowsOf(copyName(index.id, index.generation));
  const histories = new Map<string, Version[]>();
  for (const [key, head] of rows) {
    const stampAt = key.length - STAMP_LENGTH;
    if (key[stampAt] !== "\x33" || !key.slice(0, stampAt).endsWith(HEADS)) continue;
    const id = key.slice(0, stampAt - HEADS.length);
    const stamp = key.slice(stampAt);
    const text = head.length === DELETION_BYTES ? null : textOf(rows, id, stamp, head);
    histories.set(id, [...(histories.get(id) ?? []), { stamp, text }]);
  }
  return histories;
}

function textOf(rows: ReadonlyMap<string, string>, id: string, stamp: string, head: string): string {
  const parts = Array.from({ length: head.charCodeAt(PART_COUNT_AT) }, (_, at) => {
    return rows.get(id + PARTS + stamp + packed([at + 1])) ?? "";
  });
  return Buffer.from(parts.join("").slice(HEADER_BYTES), "latin1").toString("utf8");
}

function told(versions: readonly Version[]): string {
  return versions.map(({ text }) => text ?? "deleted").join(" then ") || "none";
}
