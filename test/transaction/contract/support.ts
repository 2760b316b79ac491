/** Small words of the contract's cases: bytes from text and back, and steps that many cases take. */
import { expect } from "vitest";
import type { Database, KeyValue, Transaction } from "../../../src/transaction/transaction.js";

/** Bytes of text, one a character. */
export const b = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
export const s = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString("latin1");
export const rows = (all: readonly KeyValue[]): string[] =>
  all.map(([key, value]) => `${s(key)}=${s(value)}`);
export const u64 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
};
/** Backends may give any kind of byte array. */
export const plain = (bytes: Uint8Array | undefined): Uint8Array | undefined =>
  bytes && Uint8Array.from(bytes);
export const fails = (code: string): unknown => expect.objectContaining({ code });

/** Each key with its name in capitals as its value. */
export async function fill(db: Database, ...texts: string[]): Promise<void> {
  await db.transact((tx) => {
    for (const text of texts) tx.set(b(text), b(text.toUpperCase()));
  });
}

/** Reads and writes `key`, so that it conflicts with whoever else does. */
export async function touch(tx: Transaction, key: string): Promise<void> {
  await tx.get(b(key));
  tx.set(b(key), b("touched"));
}

/** All user rows that are committed. */
export async function everything(db: Database): Promise<string[]> {
  return rows(await db.read((tx) => tx.getRangeAll(b(""), b("\xff"))));
}
