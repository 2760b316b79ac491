/** Keys as text, one character a byte: a map key, and ordered by `<` as the bytes are. Cheaper to keep than views. */

export function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}

export function keyBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** The first key after `key`. */
export function keyTextAfter(key: string): string {
  return `${key}\0`;
}
