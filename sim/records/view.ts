/**
 * The documents of one version with what one transaction has done to them since: what its reads must answer, and what its commit must
 * leave. Brute force over raw documents; shares nothing with the record layers. Does not own: judging (`oracles/record-calls.ts`).
 */
import { expectedIndex, packedRows } from "./expected-rows.js";
import { parsed, type RawState } from "./raw-state.js";
import { packed, type RawElement } from "./tuple.js";

export interface ViewedDocument {
  readonly packedId: string;
  /** In canonical form. */
  readonly text: string;
}

export class RecordsView {
  readonly state: RawState;
  /** What the transaction has put, or removed (null), by collection and packed primary key. */
  readonly changes = new Map<string, Map<string, string | null>>();

  constructor(state: RawState) {
    this.state = state;
  }

  get(collection: string, packedId: string): string | null {
    const changed = this.changes.get(collection)?.get(packedId);
    if (changed !== undefined) return changed;
    return this.#stored(collection).get(packedId)?.text ?? null;
  }

  put(collection: string, packedId: string, text: string | null): void {
    const changes = this.changes.get(collection) ?? new Map<string, string | null>();
    changes.set(packedId, text);
    this.changes.set(collection, changes);
  }

  /** In the order of primary keys. */
  documents(collection: string): ViewedDocument[] {
    const ids = new Set([
      ...this.#stored(collection).keys(),
      ...(this.changes.get(collection)?.keys() ?? []),
    ]);
    return [...ids].sort().flatMap((packedId) => {
      const text = this.get(collection, packedId);
      return text === null ? [] : [{ packedId, text }];
    });
  }

  /** One for each row whose first values are these, in the order of the rows. */
  find(collection: string, index: string, values: readonly RawElement[]): ViewedDocument[] {
    const wanted = packed(values);
    return this.documents(collection)
      .flatMap((document) =>
        packedRows(index, parsed(document.text), document.packedId)
          .filter((row) => row.key.startsWith(wanted) && !continuesText(row.key, wanted))
          .map(({ key }) => ({ key, document })),
      )
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ document }) => document);
  }

  /** The name of a unique index that the documents break now, if it is readable. */
  broken(collection: string): string | null {
    const { state } = this;
    const id = state.collection(collection)?.id;
    for (const index of state.indexes) {
      if (index.collectionId !== id || index.state !== "readable" || !expectedIndex(index.name).isUnique)
        continue;
      const prefixes = this.documents(collection).flatMap(({ packedId, text }) =>
        packedRows(index.name, parsed(text), packedId).map(({ prefix }) => prefix),
      );
      if (new Set(prefixes).size < prefixes.length) return index.name;
    }
    return null;
  }

  #stored(collection: string): ReadonlyMap<string, { readonly text: string }> {
    return this.state.itemsOf(this.state.collection(collection)?.id ?? -1);
  }
}

/** A text with a zero in it goes on with 0xFF where the shorter one has ended. */
function continuesText(key: string, wanted: string): boolean {
  return wanted.endsWith("\0") && key[wanted.length] === "\xff";
}
