/** `PositionalFile` over a file that moves as few bytes at a time as it likes. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PositionalFile } from "../../src/platform/positional-file.js";

describe("PositionalFile completes short transfers", () => {
  const transfer = fc.record({
    source: fc.uint8Array({ maxLength: 200 }),
    skip: fc.nat(40),
    position: fc.nat(300),
  });

  it("every byte of every write lands where it belongs, and no other byte changes", () => {
    fc.assert(
      fc.property(fc.array(transfer, { maxLength: 8 }), fc.infiniteStream(fc.nat(60)), (writes, accepted) => {
        const file = new ShortFile(accepted);
        let expected = new Uint8Array(0);
        for (const { source, skip, position } of writes) {
          const start = Math.min(skip, source.length);
          const length = source.length - start;
          file.write(source, start, length, position);
          if (length === 0) continue;
          const grown = new Uint8Array(Math.max(expected.length, position + length));
          grown.set(expected);
          grown.set(source.subarray(start), position);
          expected = grown;
        }
        expect(file.content).toEqual(expected);
      }),
    );
  });

  it("a read returns all bytes up to the end of the file, and touches nothing else", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(320),
        fc.nat(320),
        fc.infiniteStream(fc.nat(60)),
        (content, position, length, accepted) => {
          const file = new ShortFile(accepted);
          file.content = Uint8Array.from(content);
          const target = new Uint8Array(length + 20).fill(0xee);
          const expected = Uint8Array.from(target);
          const part = content.subarray(position, position + length);
          expected.set(part, 10);
          expect(file.read(target, 10, length, position)).toBe(part.length);
          expect(target).toEqual(expected);
        },
      ),
    );
  });

  it("a file that accepts nothing at all is an error that names place and operation, not an endless loop", () => {
    const file = new ShortFile([5, 5].concat(Array<number>(1000).fill(0)).values());
    expect(() => file.write(new Uint8Array(100), 0, 100, 7)).toThrow(
      expect.objectContaining({ code: "IO", path: "short", operation: "write", offset: 17 }),
    );
  });

  it("a fault in the middle of a transfer reaches the caller", () => {
    const file = new ShortFile([5, 5, 5].values());
    expect(() => file.write(new Uint8Array(100), 0, 100, 0)).toThrow("no more");
  });
});

/** Moves at most as many bytes a time as its script says; a read moves at least one unless at the end. */
class ShortFile extends PositionalFile {
  readonly path = "short";
  content = new Uint8Array(0);
  private readonly accepted: Iterator<number>;

  constructor(accepted: Iterator<number>) {
    super();
    this.accepted = accepted;
  }

  protected override readOnce(
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
  ): number {
    const moved = Math.max(0, Math.min(length, 1 + this.allowance(), this.content.length - position));
    target.set(this.content.subarray(position, position + moved), targetStart);
    return moved;
  }

  protected override writeOnce(
    source: Uint8Array,
    sourceStart: number,
    length: number,
    position: number,
  ): number {
    const moved = Math.min(length, this.allowance());
    if (moved === 0) return 0;
    const grown = new Uint8Array(Math.max(this.content.length, position + moved));
    grown.set(this.content);
    grown.set(source.subarray(sourceStart, sourceStart + moved), position);
    this.content = grown;
    return moved;
  }

  override truncate = unused;
  override syncData = unused;
  override syncDataLater = unused;
  override readLater = unused;
  override close = unused;
  override size = (): number => this.content.length;

  private allowance(): number {
    const next = this.accepted.next();
    if (next.done === true) throw new Error("no more");
    return next.value;
  }
}

function unused(): never {
  throw new Error("PositionalFile needs only single transfers");
}
