/**
 * A kind of index that is not ours, written with the package's public names alone: a counting Bloom filter over a field. It says
 * whether a value may be in a collection, never no for one that is. Each value raises the counters of some cells; a deletion lowers
 * them, so that it stays exact. Not idempotent.
 *
 *     (cell) → number of values that fall into it, 8 bytes, little-endian
 */
import {
  type IndexContext,
  type IndexDeclaration,
  type IndexKind,
  type IndexMaintainer,
  invalidIndex,
  parsePath,
  type ReadTransaction,
  type RecordItem,
  type Transaction,
  valuesAt,
} from "../../src/index.js";

interface Configuration {
  /** Values that it is made for. */
  readonly capacity: number;
  /** Share of the values that are not there for which it says "maybe", when it is full. */
  readonly falsePositiveRate: number;
}

export const BLOOM: IndexKind<BloomMaintainer> = {
  identifier: "com.example.bloom",
  structure: "aggregation",
  canBeUnique: false,
  canCover: false,
  check(collection, declaration) {
    if (declaration.fields.length !== 1) throw invalidIndex(collection, declaration, "it is over one field");
    if (configurationOf(declaration) !== null) return;
    throw invalidIndex(
      collection,
      declaration,
      "it takes a capacity from 1 to a million, and a falsePositiveRate above 0 and below 1",
    );
  },
  maintainer: (context) => new BloomMaintainer(context),
};

export function bloom<const Field extends string>(
  field: Field,
  configuration: Configuration = { capacity: 1000, falsePositiveRate: 0.01 },
): {
  readonly kind: "com.example.bloom";
  readonly fields: readonly [Field];
  readonly configuration: { readonly [name: string]: number };
} {
  return { kind: "com.example.bloom", fields: [field], configuration: { ...configuration } };
}

export class BloomMaintainer implements IndexMaintainer {
  readonly isIdempotent = false;
  readonly context: IndexContext;
  readonly #cells: number;
  readonly #hashes: number;

  constructor(context: IndexContext) {
    this.context = context;
    // Checked when it was declared.
    const { capacity, falsePositiveRate } = configurationOf(context.declaration) as Configuration;
    this.#cells = Math.ceil((-capacity * Math.log(falsePositiveRate)) / Math.LN2 ** 2);
    this.#hashes = Math.max(1, Math.round((this.#cells / capacity) * Math.LN2));
  }

  update(transaction: Transaction, before: RecordItem | null, after: RecordItem | null): void {
    for (const key of this.#keysOfItem(after)) transaction.atomic("add", key, number(1n));
    for (const key of this.#keysOfItem(before)) {
      transaction.atomic("add", key, number(-1n));
      transaction.atomic("compareAndClear", key, number(0n));
    }
  }

  async mayHold(reader: ReadTransaction, value: string): Promise<boolean> {
    const cells = await Promise.all(this.#keysOf(value).map((key) => reader.get(key)));
    return cells.every((cell) => cell !== undefined);
  }

  #keysOfItem(item: RecordItem | null): Uint8Array[] {
    if (item === null) return [];
    const [field] = this.context.declaration.fields as readonly [string];
    const texts = valuesAt(item.document, parsePath(field)).filter((value) => typeof value === "string");
    return texts.flatMap((text) => this.#keysOf(text));
  }

  #keysOf(value: string): Uint8Array[] {
    return Array.from({ length: this.#hashes }, (_, seed) =>
      this.context.space.pack([hash(value, seed) % this.#cells]),
    );
  }
}

function configurationOf({ configuration }: IndexDeclaration): Configuration | null {
  const { capacity, falsePositiveRate, ...others } = (configuration ?? {}) as Partial<Configuration>;
  const isValid =
    typeof capacity === "number" &&
    typeof falsePositiveRate === "number" &&
    capacity >= 1 &&
    capacity <= 1e6 &&
    falsePositiveRate > 0 &&
    falsePositiveRate < 1 &&
    Object.keys(others).length === 0;
  return isValid ? { capacity, falsePositiveRate } : null;
}

function number(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value, true);
  return bytes;
}

/** FNV-1a, begun differently for each seed. */
function hash(text: string, seed: number): number {
  let state = (0x811c9dc5 ^ Math.imul(seed + 1, 0x9e3779b1)) >>> 0;
  for (const byte of Buffer.from(text)) state = Math.imul(state ^ byte, 0x01000193) >>> 0;
  return state;
}
