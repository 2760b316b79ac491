/** FoundationDB's versionstamps: ten bytes that order as commits were ordered. */

export const VERSIONSTAMP_BYTES = 10;

/** The version in 8 bytes, big-endian, and the place among the commits of that version in 2: always the first here. */
export function versionstampOf(version: number): Uint8Array {
  const stamp = new Uint8Array(VERSIONSTAMP_BYTES);
  let rest = version;
  for (let i = 7; i >= 0; i--) {
    stamp[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return stamp;
}

/** The version of the commit that a stamp was made for. */
export function versionOfStamp(stamp: Uint8Array): number {
  let version = 0;
  for (let i = 0; i < 8; i++) version = version * 256 + (stamp[i] ?? 0);
  return version;
}

/** A copy of `bytes` with the stamp at `offset`. */
export function stampedBytes(bytes: Uint8Array, offset: number, stamp: Uint8Array): Uint8Array {
  const stamped = new Uint8Array(bytes);
  stamped.set(stamp, offset);
  return stamped;
}
