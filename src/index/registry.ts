/**
 * The kinds of index that a store knows, by identifier. Owns the rules of names and the errors for what is not known; a kind that
 * is not registered is never passed over in silence (features FR-32).
 */
import type { IndexDeclaration } from "../record/declaration.js";
import { indexName } from "../record/declaration.js";
import { RecordError, shown } from "../record/record-error.js";
import type { IndexContext, IndexKind } from "./kind.js";

/** Two words at least, as domains are written from the end. */
const REVERSE_DOMAIN = /^[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+$/;

export class KindRegistry {
  readonly #kinds = new Map<string, IndexKind>();

  /** `own` are taken as they are; `foreign` ones must be named by a reverse domain. Throws `INVALID_ARGUMENT`. */
  constructor(own: readonly IndexKind[], foreign: readonly IndexKind[] = []) {
    for (const kind of own) this.#kinds.set(kind.identifier, kind);
    for (const kind of foreign) {
      const { identifier } = kind;
      if (!REVERSE_DOMAIN.test(identifier) || this.#kinds.has(identifier)) {
        throw new RecordError(
          "INVALID_ARGUMENT",
          `${shown(identifier)} cannot name a kind of index. Use a free one like "com.example.bloom".`,
        );
      }
      this.#kinds.set(identifier, kind);
    }
  }

  /** The kind of a declaration that it can work with. Throws `UNKNOWN_INDEX_KIND`, `INVALID_SCHEMA`. */
  checked(collection: string, declaration: IndexDeclaration): IndexKind {
    const kind = this.byIdentifier(declaration.kind);
    if (declaration.unique === true && !kind.canBeUnique) {
      throw invalidIndex(collection, declaration, `an index of kind "${kind.identifier}" cannot be unique`);
    }
    if (declaration.covering !== undefined && !kind.canCover) {
      throw invalidIndex(
        collection,
        declaration,
        `an index of kind "${kind.identifier}" cannot cover fields`,
      );
    }
    kind.check(collection, declaration);
    return kind;
  }

  /** Throws `UNKNOWN_INDEX_KIND`. */
  byIdentifier(identifier: string): IndexKind {
    const kind = this.#kinds.get(identifier);
    if (kind !== undefined) return kind;
    throw new RecordError(
      "UNKNOWN_INDEX_KIND",
      `there is no index kind ${shown(identifier)}. Register it (option "kinds"); known are ${[...this.#kinds.keys()].join(", ")}.`,
    );
  }
}

/** An index of another kind than its reader understands. */
export function wrongIndexKind(
  { collection, index, declaration }: IndexContext,
  expected: string,
): RecordError {
  return new RecordError(
    "WRONG_INDEX_KIND",
    `the index "${index}" of "${collection}" is of kind "${declaration.kind}", and this needs one of kind ${expected}. Name another.`,
    { collection, index },
  );
}

/** For `IndexKind.check`. */
export function invalidIndex(collection: string, declaration: IndexDeclaration, why: string): RecordError {
  const index = indexName(collection, declaration);
  return new RecordError(
    "INVALID_SCHEMA",
    `the index "${index}" of "${collection}" cannot be declared: ${why}.`,
    {
      collection,
      index,
    },
  );
}
