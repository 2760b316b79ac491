/** IEEE floats, big-endian, as bytes that order as the numbers do; of four or of eight bytes. */

/** Negative ones: all bits flipped; others: the sign bit. Then −0 < 0, and NaNs stand at both ends. */
export function orderFloat(bytes: Uint8Array, at: number, size: number): void {
  const negative = ((bytes[at] as number) & 0x80) !== 0;
  if (!negative) bytes[at] = (bytes[at] as number) ^ 0x80;
  else for (let i = at; i < at + size; i++) bytes[i] = (bytes[i] as number) ^ 0xff;
}

/** The IEEE form of all of `ordered`, which stays as it is. */
export function ieeeForm(ordered: Uint8Array): DataView {
  const bytes = new Uint8Array(ordered);
  if (((bytes[0] as number) & 0x80) !== 0) bytes[0] = (bytes[0] as number) ^ 0x80;
  else for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] as number) ^ 0xff;
  return new DataView(bytes.buffer);
}
