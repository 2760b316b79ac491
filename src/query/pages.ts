/**
 * A query page by page: each page goes on right behind the last row that the one before has looked at, also when that row is gone.
 * While nothing changes, all pages together are the whole query. A page ends when it is full, or at a limit of time or of bytes; it
 * looks at one row at least, so that pages come to an end. Owns these limits. Does not own: transactions; each page is read in its own.
 */

import { compareKeys } from "../engine/format/bytes.js";
import { assert } from "../platform/assert.js";
import type { Clock } from "../platform/platform.js";
import { mutant } from "../platform/probes.js";
import { possibleValues } from "./constraints.js";
import { type Continuation, continuationToken, readContinuation } from "./continuation.js";
import { Execution, type ExecutionOptions, type QuerySource } from "./execute.js";
import { conjunctsOf } from "./normalize.js";
import type { Plan, Query, QueryCollection, RowOrder } from "./plan.js";
import { plan } from "./planner.js";
import { projection } from "./projection.js";
import type { Place } from "./row.js";
import { FIELD_VALUES, isPoint } from "./value-set.js";

export interface PageLimits {
  /** At most so many documents. */
  readonly size: number;
  /** The page ends after the row during which so many milliseconds have passed. A sort reads all of its rows before the first. */
  readonly timeMs?: number;
  /** The page ends after the row with which so many bytes of keys and values have been read. */
  readonly scannedBytes?: number;
}

/**
 * Why a page ended. `exhausted`: nothing follows, for the query is answered or its own limit reached. `limit`: the page is full.
 * `time`, `bytes`: at that limit of the page.
 */
export type PageStop = "exhausted" | "limit" | "time" | "bytes";

/** One page of the rows of a query, and the token of the next. */
export interface QueryPage<Item> {
  readonly items: Item[];
  /** For the next page; null when there is none. After a full page there may be nothing more: then the next one is empty. */
  readonly token: string | null;
  readonly stopped: PageStop;
}

export interface PageSource {
  readonly query: Query;
  readonly collection: QueryCollection;
  readonly source: QuerySource;
  readonly clock: Clock;
}

/** Throws `INVALID_CONTINUATION`, `CONTINUATION_MISMATCH`. */
export async function readPage(
  { query, collection, source, clock }: PageSource,
  limits: PageLimits,
  token: string | null,
  options: Pick<ExecutionOptions, "sortBytesMax"> = {},
): Promise<QueryPage<unknown>> {
  const beganMs = clock.nowMs();
  const { size, timeMs = Number.POSITIVE_INFINITY, scannedBytes = Number.POSITIVE_INFINITY } = limits;
  const former = token === null ? null : readContinuation(query, token);
  const chosen = planOf(query, collection, former);
  let skip = former?.skip ?? query.offset;
  let left = former === null ? query.limit : former.left;
  const items: unknown[] = [];
  if (left === 0) return { items, token: null, stopped: "exhausted" };

  const project = projection(query.output);
  const wanted = skip + Math.min(size, left ?? size);
  const execution = new Execution(chosen, source, { ...options, wanted, after: placeIn(chosen, former) });
  for await (const { row, isMatch } of execution.rows()) {
    if (isMatch && skip > 0) skip--;
    else if (isMatch) {
      items.push(project(row.document));
      if (left !== null) left--;
    }
    if (left === 0) break;
    const stopped = whyStopped(items.length);
    if (stopped === null) continue;
    const place = execution.placement.placeOf(row);
    return { items, token: continuationToken(query, { order: chosen.order, place, skip, left }), stopped };
  }
  return { items, token: null, stopped: "exhausted" };

  function whyStopped(count: number): PageStop | null {
    if (count >= size) return "limit";
    if (execution.scannedBytes >= scannedBytes) return "bytes";
    return clock.nowMs() - beganMs >= timeMs ? "time" : null;
  }
}

/** The first page has any order that the query allows; the others have that of the first. */
function planOf(query: Query, collection: QueryCollection, former: Continuation | null): Plan {
  if (former === null || mutant("Q6-page-goes-on-in-an-order-of-its-own")) return plan(query, collection);
  return plan({ ...query, order: former.order, isOrderOpen: false }, collection);
}

/**
 * The place in the order of this plan. That may leave out a field of which all answers have one value, where the row that the former
 * page ended with, being no answer, may have had another: then all answers that are equal up to that field are behind it, or none is.
 */
function placeIn({ order, filter }: Plan, former: Continuation | null): Place | null {
  if (former === null) return null;
  const { order: formerOrder, place } = former;
  const keys: Uint8Array[] = [];
  for (const [at, { field, descending }] of formerOrder.fields.entries()) {
    const key = place.keys[at] as Uint8Array; // a token has as many keys as fields
    if (order.fields[keys.length]?.field === field) {
      keys.push(key);
      continue;
    }
    const [only, ...others] = possibleValues(conjunctsOf(filter), field, FIELD_VALUES);
    assert(
      only !== undefined && others.length === 0 && isPoint(only),
      "a page goes on in the order of the one before",
    );
    const constant = only.low.bytes;
    const difference = descending ? compareKeys(constant, key) : compareKeys(key, constant);
    if (difference !== 0) return endOf(order, keys, difference < 0);
  }
  assert(keys.length === order.fields.length, "a page goes on in the order of the one before");
  return { keys, primaryKey: place.primaryKey };
}

/** Before all rows that begin with these keys, or behind them. */
function endOf({ fields, keyDescending }: RowOrder, keys: readonly Uint8Array[], isBefore: boolean): Place {
  const end = (descending: boolean): Uint8Array => (isBefore === descending ? HIGHEST : LOWEST);
  return {
    keys: [...keys, ...fields.slice(keys.length).map(({ descending }) => end(descending))],
    primaryKey: end(keyDescending),
  };
}

/** Null, which no primary key is. */
const LOWEST = Uint8Array.of(0x00);
/** No primary key begins with it, nor does anything that follows in a longer key: such bytes have 0xff. */
const HIGHEST = Uint8Array.of(0xfe);
