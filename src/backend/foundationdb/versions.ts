/** Versions as the native client has them, eight bytes, and as we have them, numbers. */
import { assert } from "../../platform/assert.js";

export function versionOf(bytes: Buffer): number {
  const version = bytes.readBigInt64BE();
  assert(version <= BigInt(Number.MAX_SAFE_INTEGER), "a cluster counts a million versions a second");
  return Number(version);
}

export function versionBytes(version: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(version));
  return bytes;
}
