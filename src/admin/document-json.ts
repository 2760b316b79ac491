/**
 * Documents and primary keys as JSON. What JSON has no word for (bytes, dates, big integers, UUIDs, NaN) is an object with one member
 * that begins with `$`, as the store's own JSON codec writes it, in and out.
 */

import { StillwaterError } from "../platform/errors.js";
import type { FoundItem } from "../record/item-store.js";
import { JSON_CODEC } from "../record/pipeline/json-codec.js";
import { typeOf } from "../record/polymorphic.js";
import { oneOf } from "./schema.js";

export type KeyType = "text" | "json";

export const keyType = oneOf(["text", "json"], {
  description:
    'How the primary key is written: as the text that it is, or as JSON (`5`, `{"$uuid":"…"}`, `["Type",5]`), for keys of other types.',
  default: "text",
});

/** For answers. */
export function jsonOf(value: unknown): unknown {
  return JSON.parse(Buffer.from(JSON_CODEC.encode(value)).toString("utf8"));
}

/** `what` names it in the error. Throws `INVALID_ARGUMENT`. */
export function valueOf(json: unknown, what: string): unknown {
  try {
    return JSON_CODEC.decode(Buffer.from(JSON.stringify(json)));
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `${what} has a member whose name begins with "$" and is none of the tags $bytes, $date, $bigint, $uuid, $number with a value of ` +
        'theirs. Write a name of your own that begins with "$" with one "$" more.',
      { cause: error },
    );
  }
}

/** Throws `INVALID_ARGUMENT`. */
export function primaryKeyOfText(text: string, type: KeyType): unknown {
  return type === "text" ? text : valueOfText(text, "the primary key");
}

/** Throws `INVALID_ARGUMENT` for what is no JSON. */
export function valueOfText(text: string, what: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new StillwaterError("INVALID_ARGUMENT", `${what} is not JSON.`);
  }
  return valueOf(json, what);
}

/** The text of an item's primary key, by which it is asked for again. */
export function textOfPrimaryKey({ primaryKey, document }: FoundItem): {
  readonly key: string;
  readonly keyType: KeyType;
} {
  if (typeof primaryKey === "string") return { key: primaryKey, keyType: "text" };
  // Of a collection of several types: the key has the code of the type, its reader gives the name.
  const value = Array.isArray(primaryKey)
    ? [typeOf(document), (primaryKey as readonly unknown[])[1]]
    : primaryKey;
  return { key: JSON.stringify(jsonOf(value)), keyType: "json" };
}
