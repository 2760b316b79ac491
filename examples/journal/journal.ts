/**
 * A little journal, as somebody might write it: records are appended to a file, one line each with a checksum, and synced
 * before they count. It looks right, and loses everything at a power loss right after its first records. See
 * docs/guides/simulate.md, and `fixed-journal.ts`.
 */
import { createHash } from "node:crypto";
import type * as NodeFS from "node:fs";

export class Journal {
  protected readonly fs: typeof NodeFS;
  protected readonly path: string;
  #handle: NodeFS.promises.FileHandle | null = null;

  constructor(fs: typeof NodeFS, path: string) {
    this.fs = fs;
    this.path = path;
  }

  /** Returns what was appended before; drops a line at the end that a crash cut short. */
  async open(): Promise<string[]> {
    this.#handle = await this.fs.promises.open(this.path, "a+");
    const text = await this.fs.promises.readFile(this.path, "utf8");
    const records: string[] = [];
    let bytes = 0;
    for (const line of text.split("\n").slice(0, -1)) {
      const record = line.slice(9);
      if (line.slice(0, 8) !== checksum(record)) break;
      records.push(record);
      bytes += Buffer.byteLength(line) + 1;
    }
    await this.#handle.truncate(bytes);
    return records;
  }

  /** The record is durable when this resolves. */
  async append(record: string): Promise<void> {
    if (this.#handle === null) throw new Error("Open the journal first.");
    await this.#handle.write(`${checksum(record)} ${record}\n`);
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
  }
}

function checksum(record: string): string {
  return createHash("sha1").update(record).digest("hex").slice(0, 8);
}
