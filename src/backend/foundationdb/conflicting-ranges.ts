/** What a cluster tells about a conflict: boundaries of ranges, under special keys that belong to the transaction itself. */
import { type FdbTransaction, STREAMING_MODE } from "./client.js";

const PREFIX = Buffer.from("\xff\xff/transaction/conflicting_keys/", "latin1");
const END = Buffer.from("\xff\xff/transaction/conflicting_keys/\xff\xff", "latin1");
/** The value of a boundary where a range begins; it ends where the value is "0". */
const BEGINS = Buffer.from("1");

/** Of a commit that has just failed, with the option `reportConflictingRanges`. */
export async function conflictingRanges(
  native: FdbTransaction,
): Promise<(readonly [begin: Uint8Array, end: Uint8Array])[]> {
  const { results } = await native.getRange(
    PREFIX,
    false,
    1,
    END,
    false,
    1,
    0,
    0,
    STREAMING_MODE.wantAll,
    1,
    true,
    false,
  );
  const ranges: (readonly [begin: Uint8Array, end: Uint8Array])[] = [];
  let begin: Uint8Array | null = null;
  for (const [key, value] of results) {
    const boundary = new Uint8Array(key.subarray(PREFIX.length));
    if (BEGINS.equals(value)) begin = boundary;
    else if (begin !== null) {
      ranges.push([begin, boundary]);
      begin = null;
    }
  }
  return ranges;
}
