/**
 * Continuation tokens: where a page of a query ended, as text that anybody may keep and send back. Base64url of a tuple and a checksum:
 *
 *     (format, fingerprint of the query, ((field, descending)…), key descending, (key…), primary key, skip, left) sha-256[0, 4)
 *
 * The order is the one that the first page was read in, so that later pages go on in it also when indexes have come or gone. `skip` and
 * `left` are what remains of offset and limit. A token tells damage from a different query; it is no secret, and protects nothing: who
 * may run the query may read from any place of it.
 */
import { createHash } from "node:crypto";
import { compareKeys } from "../engine/format/bytes.js";
import { pack, unpack } from "../keyspace/tuple.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { RecordError } from "../record/record-error.js";
import type { OrderTerm, Query, RowOrder } from "./plan.js";
import { fingerprintOf } from "./query.js";
import type { Place } from "./row.js";

export interface Continuation {
  readonly order: RowOrder;
  /** Pages go on behind it. Its keys are those of `order`. */
  readonly place: Place;
  /** Documents still to be passed over. */
  readonly skip: number;
  /** Documents still to be given; null for all. */
  readonly left: number | null;
}

const FORMAT = 1;
const CHECKSUM_BYTES = 4;

export function continuationToken(query: Query, { order, place, skip, left }: Continuation): string {
  const body = pack([
    FORMAT,
    fingerprintOf(query),
    order.fields.map(({ field, descending }) => [field, descending]),
    order.keyDescending,
    place.keys,
    place.primaryKey,
    skip,
    left,
  ]);
  return Buffer.concat([body, checksumOf(body)]).toString("base64url");
}

/** Throws `INVALID_CONTINUATION` for what is no token, or a damaged one; `CONTINUATION_MISMATCH` for one of another query. */
export function readContinuation(query: Query, token: string): Continuation {
  const bytes = typeof token === "string" ? Buffer.from(token, "base64url") : Buffer.alloc(0);
  const body = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES));
  const isWhole =
    body.length > 0 &&
    bytes.toString("base64url") === token &&
    compareKeys(checksumOf(body), bytes.subarray(body.length)) === 0;
  if (!isWhole) throw invalid("it is damaged, or no token at all");
  const [format, fingerprint, fields, keyDescending, keys, primaryKey, skip, left] = unpack(body);
  if (format !== FORMAT) throw invalid("it was made by another version");
  if (!(fingerprint instanceof Uint8Array) || compareKeys(fingerprint, fingerprintOf(query)) !== 0) {
    throw new RecordError(
      "CONTINUATION_MISMATCH",
      `the continuation token belongs to another query than this one of "${query.collection}". ` +
        "Go on with the query that gave it, all values, limits and fields the same, or begin without a token.",
      { collection: query.collection },
    );
  }
  const terms = listOf(fields).map(termOf);
  const places = listOf(keys).map(bytesOf);
  const isNumbered =
    typeof skip === "number" && (left === null || typeof left === "number") && terms.length === places.length;
  if (!isNumbered || typeof keyDescending !== "boolean") throw invalid("it is not as tokens are");
  return {
    order: { fields: terms, keyDescending },
    place: { keys: places, primaryKey: bytesOf(primaryKey) },
    skip,
    left,
  };
}

function listOf(element: TupleElement | undefined): readonly TupleElement[] {
  if (Array.isArray(element)) return element;
  throw invalid("it is not as tokens are");
}

function bytesOf(element: TupleElement | undefined): Uint8Array {
  if (element instanceof Uint8Array) return element;
  throw invalid("it is not as tokens are");
}

function termOf(element: TupleElement): OrderTerm {
  const [field, descending] = listOf(element);
  if (typeof field === "string" && typeof descending === "boolean") return { field, descending };
  throw invalid("it is not as tokens are");
}

function checksumOf(body: Uint8Array): Uint8Array {
  return createHash("sha256").update(body).digest().subarray(0, CHECKSUM_BYTES);
}

function invalid(why: string): RecordError {
  return new RecordError(
    "INVALID_CONTINUATION",
    `the continuation token cannot be used: ${why}. Begin the query without a token.`,
  );
}
