/**
 * Keys as text, one character a byte: a map key, and ordered by `<` as the bytes are. Cheaper to keep than views, and
 * made through one scratch buffer, since a view for each conversion would cost more than the conversion.
 */

/** Longer keys are refused at the door; conflict ranges may end in one byte more. */
const SCRATCH_BYTES = 16_384;
/** Not in Node's types: what `toString` comes to after three more calls. */
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES) as Buffer & {
  latin1Slice(start: number, end: number): string;
};

export function keyText(key: Uint8Array): string {
  const { length } = key;
  if (length > SCRATCH_BYTES) return Buffer.from(key).toString("latin1");
  scratch.set(key);
  return scratch.latin1Slice(0, length);
}

export function keyBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The first key after `key`. */
export function keyTextAfter(key: string): string {
  return `${key}\0`;
}
