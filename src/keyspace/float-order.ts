/** IEEE floats, big-endian, as bytes that order as the numbers do; of four or of eight bytes. */

/** Negative ones: all bits flipped; others: the sign bit. Then −0 < 0, and NaNs stand at both ends. */
export function orderFloat(bytes: Uint8Array, at: number, size: number): void {
  const negative = ((bytes[at] as number) & 0x80) !== 0;
  if (!negative) bytes[at] = (bytes[at] as number) ^ 0x80;
  else for (let i = at; i < at + size; i++) bytes[i] = (bytes[i] as number) ^ 0xff;
}

/** The number; null for a signalling NaN, which a `number` cannot hold: it would come back as a quiet one. */
export function floatOf(ordered: Uint8Array): number | null {
  const bytes = new Uint8Array(ordered);
  if (((bytes[0] as number) & 0x80) !== 0) bytes[0] = (bytes[0] as number) ^ 0x80;
  else for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] as number) ^ 0xff;
  const view = new DataView(bytes.buffer);
  const isShort = bytes.length === 4;
  const value = isShort ? view.getFloat32(0) : view.getFloat64(0);
  const isQuiet = ((bytes[1] as number) & (isShort ? 0x40 : 0x08)) !== 0;
  return Number.isNaN(value) && !isQuiet ? null : value;
}
