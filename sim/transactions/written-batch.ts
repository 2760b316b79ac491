/**
 * What a batch leaves under each key that it touches, read from its encoded operations. For commits to which layers have
 * added what no client asked for, so that a replay of the client's calls does not tell.
 */
import type { Batch } from "../../src/engine/batch.js";
import {
  KIND_DELETE,
  KIND_PUT,
  KIND_RANGE_DELETE,
  OPERATION_HEADER_BYTES,
  operationKeyLength,
  operationKind,
  operationLength,
  operationValueLength,
} from "../../src/engine/format/operation.js";
import { keyText } from "../workload/bytes.js";
import type { VersionedMap } from "./versioned-map.js";

/** Undefined is absence. A cleared range is each of its keys that the model knows. */
export function writtenBy(batch: Batch, model: VersionedMap): ReadonlyMap<string, string | undefined> {
  const bytes = batch.encoded();
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, batch.byteLength >> 2);
  const state = model.at(model.newestVersion);
  const effects = new Map<string, string | undefined>();
  for (let at = 0; at < batch.byteLength; at += operationLength(words, at)) {
    const keyAt = at + OPERATION_HEADER_BYTES;
    const valueAt = keyAt + operationKeyLength(words, at);
    const key = keyText(bytes.subarray(keyAt, valueAt));
    const value = keyText(bytes.subarray(valueAt, valueAt + operationValueLength(words, at)));
    const kind = operationKind(words, at);
    if (kind === KIND_PUT) effects.set(key, value);
    else if (kind === KIND_DELETE) effects.set(key, undefined);
    else if (kind === KIND_RANGE_DELETE) {
      for (const written of effects.keys())
        if (written >= key && written < value) effects.set(written, undefined);
      for (const cleared of state.keys(key, value)) effects.set(cleared, undefined);
    }
  }
  return effects;
}
