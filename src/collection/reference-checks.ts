/**
 * Relationships that are enforced, at the end of a transaction: every foreign key that it has written leads to a document, and no
 * document that it has deleted is named by one. What is looked at is read with a conflict, so of a transaction that deletes a document
 * and one that comes to name it only one commits. Owns the check; who has no such relationship pays nothing.
 */
import { parsePath, valuesAt } from "../record/field-path.js";
import { RecordError, shown } from "../record/record-error.js";
import { keyName } from "./documents.js";
import { RecordReader } from "./record-reader.js";
import type { RecordChange, RecordWriter } from "./record-writer.js";
import { referrers } from "./related.js";
import type { RelationshipDeclaration } from "./relationships.js";

export class ReferenceChecks {
  readonly #relationships: readonly RelationshipDeclaration[];
  /** By collection and primary key, as they are now. */
  readonly #changes = new Map<string, RecordChange>();

  constructor(relationships: readonly RelationshipDeclaration[]) {
    this.#relationships = relationships.filter(({ enforced }) => enforced);
  }

  changed(change: RecordChange): void {
    if (this.#relationships.length === 0) return;
    const name = `${change.collection} ${keyName(change.primaryKey)}`;
    const first = this.#changes.get(name)?.before ?? change.before;
    this.#changes.set(name, { ...change, before: first });
  }

  /** Throws `DANGLING_REFERENCE`. */
  async check(writer: RecordWriter): Promise<void> {
    if (this.#changes.size === 0) return;
    const reader = new RecordReader(writer.shared, writer.transaction, () => writer.catalogue());
    for (const { collection, before, after } of this.#changes.values()) {
      for (const relationship of this.#relationships) {
        if (relationship.from.name === collection && after !== undefined)
          await requireTargets(reader, relationship, after);
        if (relationship.to.name === collection && after === undefined && before !== undefined)
          await requireUnnamed(reader, relationship, before);
      }
    }
  }
}

async function requireTargets(
  reader: RecordReader,
  { name, from, field, to }: RelationshipDeclaration,
  document: unknown,
): Promise<void> {
  for (const value of valuesAt(document, parsePath(field))) {
    if (value === null || (await reader.get(to.name, value)) !== undefined) continue;
    throw new RecordError(
      "DANGLING_REFERENCE",
      `a document of "${from.name}" has ${shown(value)} at "${field}", and "${to.name}" has no such document (relationship ` +
        `"${name}"). Put that one in the same transaction, or before.`,
      { collection: from.name, field, value },
    );
  }
}

async function requireUnnamed(
  reader: RecordReader,
  relationship: RelationshipDeclaration,
  before: unknown,
): Promise<void> {
  const { name, from, field, to } = relationship;
  const value = (before as Readonly<Record<string, unknown>>)[to.primaryKey];
  const { length } = await referrers(reader, relationship, value);
  if (length === 0) return;
  throw new RecordError(
    "DANGLING_REFERENCE",
    `${shown(value)} of "${to.name}" is deleted, and ${length} of "${from.name}" would still have it at "${field}" (relationship ` +
      `"${name}"). Use deleteEnforcingRelationships, or change them in the same transaction.`,
    { collection: to.name, field: to.primaryKey, value },
  );
}
