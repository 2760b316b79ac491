/** Bytes as lines, as they come. Owns the limit of a line, which is all that a sender can make us hold. */

/** Null stands for a line that was too long: it is skipped to its end. What follows the last newline is a line if it is not empty. */
export async function* linesOf(
  input: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array | null, void, void> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  const take = (): Uint8Array | null => {
    const line = length > bytesMax ? null : Buffer.concat(pieces, length);
    pieces = [];
    length = 0;
    return line;
  };
  const add = (piece: Uint8Array): void => {
    length += piece.length;
    if (length <= bytesMax) pieces.push(piece);
    else pieces = [];
  };
  for await (const chunk of input) {
    let begin = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, begin)) {
      add(chunk.subarray(begin, end));
      begin = end + 1;
      yield take();
    }
    add(chunk.subarray(begin));
  }
  if (length > 0) yield take();
}

const NEWLINE = 0x0a;
