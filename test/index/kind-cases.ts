/** What each kind of index means, computed from the documents alone, for the suite that all must pass. */
import { aggregates, readIndex } from "../../src/collection/aggregates.js";
import type { RecordReader } from "../../src/collection/record-reader.js";
import { CoveredValues } from "../../src/index/covered-values.js";
import type { EntrySource } from "../../src/index/kind.js";
import { count } from "../../src/index/kinds/count.js";
import { max, min } from "../../src/index/kinds/extreme.js";
import { SCALAR, scalar } from "../../src/index/kinds/scalar.js";
import { sum } from "../../src/index/kinds/sum.js";
import { VERSIONS, versions } from "../../src/index/kinds/versions.js";
import { BLOOM, bloom } from "./bloom-kind.js";
import { type Committed, type KindCase, type Thing } from "./kind-suite.js";

const readGroups = async (reader: RecordReader, index: string) =>
  (await aggregates(reader, "Thing", index, {})).map(({ group, value }) => [group, value]);

type Value = string | number | null;

/** Groups in the order of an index: null first, then text, then numbers. */
function grouped(
  documents: readonly Thing[],
  by: (thing: Thing) => readonly (readonly Value[])[],
): [readonly Value[], Thing[]][] {
  const groups = new Map<string, [readonly Value[], Thing[]]>();
  for (const thing of documents) {
    for (const group of by(thing)) {
      const name = JSON.stringify(group);
      const known = groups.get(name);
      if (known === undefined) groups.set(name, [group, [thing]]);
      else known[1].push(thing);
    }
  }
  return [...groups.values()].sort(([a], [b]) => compareRows(a, b));
}

function compareRows(a: readonly Value[], b: readonly Value[]): number {
  for (const [at, one] of a.entries()) {
    const other = b[at] ?? null;
    if (one === other) continue;
    if (one === null) return -1;
    if (other === null) return 1;
    return one < other ? -1 : 1;
  }
  return 0;
}

const city = (thing: Thing): readonly (readonly Value[])[] => [[thing.city ?? null]];
const tags = (thing: Thing): readonly (readonly Value[])[] => [...new Set(thing.tags)].map((tag) => [tag]);

function groups(
  by: (thing: Thing) => readonly (readonly Value[])[],
  value: (things: readonly Thing[]) => unknown,
  holds: (thing: Thing) => boolean = () => true,
) {
  return ({ documents }: Committed) =>
    grouped(documents.filter(holds), by).map(([group, things]) => [group, value(things)]);
}

function summed(units: (thing: Thing) => number, scale: number) {
  return (things: readonly Thing[]) => {
    const total = things.reduce((so, thing) => so + units(thing), 0);
    const value = total / 10 ** scale;
    return { units: BigInt(total), scale, count: things.length, sum: value, average: value / things.length };
  };
}

const rows =
  (
    values: (thing: Thing) => readonly (readonly Value[])[],
    covered: (thing: Thing) => unknown[] = () => [],
  ) =>
  ({ documents }: Committed) =>
    documents
      .flatMap((thing) => values(thing).map((row) => ({ row: [...row, thing.id], covered: covered(thing) })))
      .sort((a, b) => compareRows(a.row, b.row));

const readRows = (reader: RecordReader, index: string) =>
  readIndex(reader, "Thing", index, SCALAR, async ({ context, entries }, transaction) => {
    const { begin, end } = context.space.range();
    const { covering = [], fields } = context.declaration;
    return (await transaction.getRangeAll(begin, end)).map(([key, value]) => ({
      row: [
        ...context.space.unpack(key).slice(0, fields.length).map(plain),
        (entries as EntrySource).primaryKeyOf(key),
      ],
      covered: covering.length === 0 ? [] : new CoveredValues(context, covering).unpack([key, value]),
    }));
  });

const plain = (element: unknown) =>
  typeof element === "object" && element !== null && "value" in element ? element.value : element;

const histories = (keep: number) => (committed: Committed) =>
  [...committed.histories].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, all]) => [id, all.slice(-keep)]);

const readHistories = (reader: RecordReader, index: string) =>
  readIndex(reader, "Thing", index, VERSIONS, async (maintainer, transaction) => {
    const found: unknown[] = [];
    for (const id of ["a", "b", "c", "d"]) {
      const known = await maintainer.history(transaction, id);
      if (known.length > 0) found.push([id, known.map(({ document }) => document)]);
    }
    return found;
  });

const newest = ({ documents }: Committed) => documents.map((thing) => [thing.id, [thing]]);

export const CASES: readonly KindCase[] = [
  { name: "scalar", declaration: scalar("city"), read: readRows, expected: rows(city) },
  {
    name: "scalar over several fields, covering others",
    declaration: scalar(["city", "age"], { covering: ["price", "id"] }),
    read: readRows,
    expected: rows(
      (thing) => [[thing.city ?? null, thing.age]],
      ({ price, id }) => [price, id],
    ),
  },
  {
    name: "scalar over a list, sparse",
    declaration: scalar(["tags[]", "city"], { sparse: true }),
    read: readRows,
    expected: rows((thing) =>
      thing.city == null ? [] : tags(thing).map(([tag]) => [tag as string, thing.city as string]),
    ),
  },
  {
    name: "scalar of some documents",
    declaration: scalar("age", { where: { op: ">=", field: "age", value: 1 } }),
    read: readRows,
    expected: rows((thing) => (thing.age >= 1 ? [[thing.age]] : [])),
  },
  {
    name: "count",
    declaration: count({ by: ["city"] }),
    read: readGroups,
    expected: groups(city, (all) => all.length),
  },
  {
    name: "count of all",
    declaration: count(),
    read: readGroups,
    expected: groups(
      () => [[]],
      (all) => all.length,
    ),
  },
  {
    name: "count by elements, sparse",
    declaration: count({ by: ["tags[]", "city"], sparse: true }),
    read: readGroups,
    expected: groups(
      (thing) => tags(thing).map(([tag]) => [tag as string, thing.city as string]),
      (all) => all.length,
      (thing) => thing.city != null,
    ),
  },
  {
    name: "count of some documents",
    declaration: count({ by: ["city"], where: { op: "isNotNull", field: "city" } }),
    read: readGroups,
    expected: groups(
      city,
      (all) => all.length,
      (thing) => thing.city != null,
    ),
  },
  {
    name: "sum",
    declaration: sum("age", { by: ["city"] }),
    read: readGroups,
    expected: groups(
      city,
      summed(({ age }) => age, 0),
    ),
  },
  {
    name: "sum of decimals by elements",
    declaration: sum("price", { by: ["tags[]"], scale: 2 }),
    read: readGroups,
    expected: groups(
      tags,
      summed(({ price }) => Math.round(price * 100), 2),
    ),
  },
  {
    name: "min",
    declaration: min("age", { by: ["city"] }),
    read: readGroups,
    expected: groups(city, (all) => Math.min(...all.map(({ age }) => age))),
  },
  {
    name: "min of all, of some documents",
    declaration: min("age", { where: { op: "!=", field: "city", value: "Rome" } }),
    read: readGroups,
    expected: groups(
      () => [[]],
      (all) => Math.min(...all.map(({ age }) => age)),
      (thing) => thing.city !== "Rome",
    ),
  },
  {
    name: "max by elements",
    declaration: max("price", { by: ["tags[]"] }),
    read: readGroups,
    expected: groups(tags, (all) => Math.max(...all.map(({ price }) => price))),
  },
  {
    name: "versions",
    declaration: versions(),
    read: readHistories,
    expected: histories(Number.POSITIVE_INFINITY),
    expectedOfBuild: newest,
  },
  {
    name: "versions, the last two",
    declaration: versions({ keepLast: 2 }),
    read: readHistories,
    expected: histories(2),
    expectedOfBuild: newest,
  },
  {
    name: "com.example.bloom",
    declaration: bloom("tags[]"),
    kinds: [BLOOM],
    read: (reader, index) =>
      readIndex(reader, "Thing", index, BLOOM, (maintainer, transaction) =>
        Promise.all(["x", "y", "z"].map((tag) => maintainer.mayHold(transaction, tag))),
      ),
    expected: ({ documents }) =>
      ["x", "y", "z"].map((tag) => documents.some((thing) => thing.tags.includes(tag))),
  },
];
