/**
 * Queries of a collection as users write them: a chain of calls, each giving a new query, and one at the end that runs it. Owns the
 * types, the checks at the door and the transactions; what is asked is plain data (`src/query`).
 *
 * Within a transaction every call reads in it. Outside, `all`, `first`, `count` and each page read at one version of their own; going
 * through a query with `for await` reads page by page, so it may take as long as it likes, and sees each page as of its own moment.
 */
import { refuseUnknownOptions } from "../engine/options.js";
import { queryCollection } from "../query/collection-view.js";
import { countRows, execute, type QuerySource } from "../query/execute.js";
import { type Explanation, explain } from "../query/explain.js";
import { type PageLimits, type QueryPage, readPage } from "../query/pages.js";
import type { OrderTerm, Query, QueryCollection } from "../query/plan.js";
import { plan } from "../query/planner.js";
import { checkCount, EVERYTHING_ASKED, type QueryParts, query } from "../query/query.js";
import type { FieldPath } from "../record/field-path.js";
import { indexSpace } from "../record/keyspace.js";
import type { Predicate } from "../record/predicate.js";
import { RecordError, shown } from "../record/record-error.js";
import { checkKnownFields } from "./known-fields.js";
import type { MetricCounters } from "./metrics.js";
import type { Conditions, FieldCondition, Selection, SinglePath } from "./query-types.js";
import type { RecordReader } from "./record-reader.js";

/** How the reads of a query are run. */
export interface QueryAccess {
  readonly metrics: MetricCounters;
  /** As in `ReadAccess`. */
  turn(): Promise<void>;
  read<T>(body: (reader: RecordReader) => Promise<T>): Promise<T>;
}

/** How large a page is, what it may cost, and where it goes on. */
export interface PageOptions extends PageLimits {
  /** Of the page before; null or left out for the first. */
  readonly token?: string | null;
}

/** `for await` reads so much at a time: far less than a transaction may take, and no more in memory. */
const ITERATION: PageLimits = { size: 512, timeMs: 1_000, scannedBytes: 8 * 1024 * 1024 };
/** A sort reads everything for each page. */
const SORTED_ITERATION: PageLimits = { ...ITERATION, size: 4_096 };

/** A query of one collection: conditions, order and limits, made by calls that each give a new query. */
export class RecordQuery<Document, Result = Document> implements AsyncIterable<Result> {
  /**
   * Documents for which the condition holds: on one field, or made by a function of other conditions. Several calls must all hold. Null
   * is a value like others, the smallest; what is missing is null; values of different types are ordered by type.
   */
  readonly where: FieldCondition<Document, RecordQuery<Document, Result>> &
    ((make: (conditions: Conditions<Document>) => Predicate) => RecordQuery<Document, Result>);
  readonly #name: string;
  readonly #access: QueryAccess;
  readonly #parts: QueryParts;

  constructor(name: string, access: QueryAccess, parts: QueryParts = EVERYTHING_ASKED) {
    this.#name = name;
    this.#access = access;
    this.#parts = parts;
    this.where = ((...given: readonly unknown[]) => {
      const [make] = given;
      const predicate =
        typeof make === "function" ? (make(CONDITIONS) as Predicate) : fieldCondition(...given);
      return this.#with({ where: [...parts.where, predicate] });
    }) as typeof this.where;
  }

  /**
   * Several calls order by the first field, among equals by the second, and so on. Between equals an index may decide, at last the
   * primary key does, so that the order is the same each time. What no index can hold (lists, NaN) comes last.
   */
  orderBy(field: SinglePath<Document>, direction: "asc" | "desc" = "asc"): RecordQuery<Document, Result> {
    if (direction !== "asc" && direction !== "desc") {
      throw new RecordError("INVALID_ARGUMENT", `orders go "asc" or "desc", not ${shown(direction)}.`, {
        field,
      });
    }
    const term: OrderTerm = { field, descending: direction === "desc" };
    return this.#with({ orderBy: [...this.#parts.orderBy, term] });
  }

  /** At most so many documents, of all pages together. Throws `INVALID_ARGUMENT`. */
  limit(count: number): RecordQuery<Document, Result> {
    checkCount("limit", count);
    return this.#with({ limit: count });
  }

  /** Without the first so many. They are read all the same: for pages use `page`. Throws `INVALID_ARGUMENT`. */
  offset(count: number): RecordQuery<Document, Result> {
    checkCount("offset", count);
    return this.#with({ offset: count });
  }

  /** Only these fields, under their paths. Where an index has all that is asked for, no document is read. */
  select<const Paths extends readonly [FieldPath<Document>, ...FieldPath<Document>[]]>(
    ...fields: Paths
  ): RecordQuery<Document, Selection<Document, Paths[number]>> {
    return new RecordQuery<Document, Selection<Document, Paths[number]>>(this.#name, this.#access, {
      ...this.#parts,
      output: { type: "fields", fields },
    });
  }

  /** Throws `UNKNOWN_FIELD`, `INVALID_ARGUMENT`, as every call that runs a query. */
  all(): Promise<Result[]> {
    return this.#run(this.#parts, async (asked, collection, source) => {
      const results: Result[] = [];
      for await (const one of execute(plan(asked, collection), source)) results.push(one as Result);
      return results;
    });
  }

  async first(): Promise<Result | undefined> {
    const limit = Math.min(1, this.#parts.limit ?? 1);
    const [first] = await this.#with({ limit }).all();
    return first;
  }

  /** Of the documents that `all` would give. */
  count(): Promise<number> {
    const parts: QueryParts = { ...this.#parts, orderBy: [], output: { type: "count" } };
    return this.#run(parts, (asked, collection, source) => countRows(plan(asked, collection), source));
  }

  /**
   * One page, and the token for the next. Pages of one query, in whatever process, follow each other without gaps and repetitions.
   * Throws `INVALID_CONTINUATION`, `CONTINUATION_MISMATCH`.
   */
  page(options: PageOptions): Promise<QueryPage<Result>> {
    refuseUnknownOptions(options, ["size", "token", "timeMs", "scannedBytes"], "page");
    const { token = null, ...limits } = options;
    for (const [name, value] of Object.entries(limits)) checkCount(`page's ${name}`, value);
    if (limits.size === 0) throw new RecordError("INVALID_ARGUMENT", "a page has room for one at least.");
    return this.#run(this.#parts, (asked, collection, source, reader) =>
      readPage({ query: asked, collection, source, clock: reader.shared.world.clock }, limits, token),
    ) as Promise<QueryPage<Result>>;
  }

  /** How it would be answered now: which index, which ranges, what is sorted. */
  explain(): Promise<Explanation> {
    return this.#run(this.#parts, async (asked, collection) => explain(plan(asked, collection)));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Result, void, undefined> {
    const { isSorted } = (await this.explain()).plan;
    const limits = isSorted ? SORTED_ITERATION : ITERATION;
    let token: string | null = null;
    do {
      const page: QueryPage<Result> = await this.page({ ...limits, token });
      yield* page.items;
      token = page.token;
      if (token !== null) await this.#access.turn();
    } while (token !== null);
  }

  #with(changed: Partial<QueryParts>): RecordQuery<Document, Result> {
    return new RecordQuery(this.#name, this.#access, { ...this.#parts, ...changed });
  }

  #run<T>(
    parts: QueryParts,
    body: (
      asked: Query,
      collection: QueryCollection,
      source: QuerySource,
      reader: RecordReader,
    ) => Promise<T>,
  ): Promise<T> {
    this.#access.metrics.count("queries");
    return this.#access.read(async (reader) => {
      const { declaration, catalogued, items } = await reader.collection(this.#name);
      const asked = query(this.#name, declaration.primaryKey, parts);
      checkKnownFields(declaration, asked);
      const { root } = reader.shared;
      const source: QuerySource = {
        reader: reader.reader,
        items,
        indexSpace: (indexId, generation) => indexSpace(root, indexId, generation),
      };
      return body(asked, queryCollection(catalogued), source, reader);
    });
  }
}

/** As `where` and `field` are called. What is wrong with it is found when the query is run. */
function fieldCondition(...[field, op, operand]: readonly unknown[]): Predicate {
  if (op === "in") return { op, field, values: operand } as Predicate;
  return (op === "isNull" || op === "isNotNull" ? { op, field } : { op, field, value: operand }) as Predicate;
}

const CONDITIONS: Conditions<unknown> = {
  field: fieldCondition as Conditions<unknown>["field"],
  and: (...of) => ({ op: "and", of }),
  or: (...of) => ({ op: "or", of }),
  not: (of) => ({ op: "not", of }),
};
