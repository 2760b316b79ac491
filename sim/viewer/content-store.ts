/**
 * Contents of pages, each stored once: found by a digest, kept as a patch of an earlier content (for a log that grows
 * by small records this is a hundredth of the whole page). Chains of patches are short, so that a reader need not
 * follow many. Owns numbers and bytes; not who shows which.
 */
import { hash } from "node:crypto";
import { assert } from "../../src/platform/assert.js";
import { type ContentColumns, MODEL_PAGE_BYTES } from "./trace-model.js";

/** A patch has at most so many others below it. */
const CHAIN_MAX = 32;
const ZEROS = new Uint8Array(MODEL_PAGE_BYTES);

export class ContentStore {
  private readonly known = new Map<string, number>();
  private readonly base: number[] = [];
  private readonly start: number[] = [];
  private readonly length: number[] = [];
  private readonly chain: number[] = [];
  private readonly parts: Uint8Array[] = [];

  constructor() {
    this.known.set(digest(ZEROS), 0);
  }

  /**
   * The number of this content; 0 is zeros. `base` is a content that it probably resembles, and `baseBytes` what that
   * one is. Copies what it keeps.
   */
  add(bytes: Uint8Array, base: number, baseBytes: Uint8Array | null): number {
    assert(bytes.length === MODEL_PAGE_BYTES, "contents are whole pages");
    const key = digest(bytes);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const usesBase = base !== 0 && baseBytes !== null && (this.chain[base - 1] as number) < CHAIN_MAX;
    const from = usesBase ? baseBytes : ZEROS;
    let start = 0;
    while (bytes[start] === from[start]) start++;
    let end = MODEL_PAGE_BYTES;
    while (bytes[end - 1] === from[end - 1]) end--;
    this.base.push(usesBase ? base : 0);
    this.start.push(start);
    this.length.push(end - start);
    this.chain.push(usesBase ? (this.chain[base - 1] as number) + 1 : 0);
    this.parts.push(bytes.slice(start, end));
    this.known.set(key, this.base.length);
    return this.base.length;
  }

  columns(): ContentColumns {
    return { base: this.base, start: this.start, length: this.length };
  }

  heap(): Uint8Array {
    return Buffer.concat(this.parts);
  }
}

function digest(bytes: Uint8Array): string {
  return hash("sha1", bytes, "base64");
}
