/** The error of an item that is not as it was written. Whoever knows the item's type and key adds them. */
import { StillwaterError } from "../../platform/errors.js";

export function corruptItem(message: string, cause?: unknown): StillwaterError {
  return new StillwaterError("ITEM_CORRUPT", message, cause === undefined ? {} : { cause });
}
