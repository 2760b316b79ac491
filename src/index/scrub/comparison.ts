/**
 * Two copies of one index against each other: the one in use, and a complete shadow that was built from the items (features DF-44).
 * Writers tell both of every change in one transaction, so at any version that is read they hold the same rows, and what differs is
 * damage. For kinds whose rows are made up from many items, where no row can be judged by one of them.
 * Reads one version and writes nothing but the position. Does not own: the building, and which copy is taken.
 */
import { compareKeys } from "../../engine/format/bytes.js";
import type { Subspace } from "../../keyspace/subspace.js";
import type { KeyValue, ReadTransaction } from "../../transaction/transaction.js";
import type { MaintainedIndex } from "../maintenance.js";
import { CountedReads } from "./counted-reads.js";
import {
  counted,
  type ScrubBatch,
  type ScrubFinding,
  type ScrubLimits,
  type ScrubProblem,
} from "./scrub-batch.js";
import type { ScrubState } from "./scrub-progress.js";

export async function compareCopies(
  inUse: MaintainedIndex,
  shadow: MaintainedIndex,
  reader: ReadTransaction,
  state: ScrubState,
  limits: ScrubLimits,
): Promise<ScrubBatch> {
  const reads = new CountedReads(reader);
  const { collection, index, space } = inUse.maintainer.context;
  const stored = new Rows(space, reads, state.position);
  const built = new Rows(shadow.maintainer.context.space, reads, state.position);
  const findings: ScrubFinding[] = [];
  let { scanned, position } = state;
  let done = 0;
  try {
    for (;;) {
      const [own, other] = await Promise.all([stored.peek(), built.peek()]);
      if (own === null && other === null) break;
      if (done >= limits.entries || reads.bytes >= limits.bytes || (done > 0 && limits.isLate())) {
        return { state: { ...counted(state, findings), scanned, position }, findings, isLast: false };
      }
      const order = own === null ? 1 : other === null ? -1 : compareKeys(own[0], other[0]);
      // One of them is there, and the order says which.
      const [suffix] = (order <= 0 ? own : other) as KeyValue;
      const problem = problemOf(order, own, other);
      if (problem !== null) {
        const key = Buffer.concat([space.prefix, suffix]);
        findings.push({ problem, collection, index, primaryKey: undefined, key, isRepaired: false });
      }
      if (order <= 0) stored.pass();
      if (order >= 0) built.pass();
      position = suffix;
      scanned++;
      done++;
    }
  } finally {
    await Promise.all([stored.end(), built.end()]);
  }
  return { state: { ...counted(state, findings), scanned, position }, findings, isLast: true };
}

function problemOf(order: number, own: KeyValue | null, other: KeyValue | null): ScrubProblem | null {
  if (order < 0) return "dangling";
  if (order > 0) return "missing";
  return own !== null && other !== null && compareKeys(own[1], other[1]) === 0 ? null : "wrong";
}

/** Rows of one copy in their order, their keys behind the subspace. */
class Rows {
  readonly #prefixBytes: number;
  readonly #rows: AsyncGenerator<KeyValue>;
  #next: Promise<IteratorResult<KeyValue, void>> | null = null;

  constructor(space: Subspace, reader: CountedReads, position: Uint8Array) {
    const { begin, end } = space.range();
    const from = position.length === 0 ? begin : Buffer.concat([space.prefix, position, Uint8Array.of(0)]);
    this.#prefixBytes = space.prefix.length;
    this.#rows = reader.getRange(from, end);
  }

  async peek(): Promise<KeyValue | null> {
    this.#next ??= this.#rows.next();
    const { done, value } = await this.#next;
    return done === true ? null : [value[0].subarray(this.#prefixBytes), value[1]];
  }

  pass(): void {
    this.#next = null;
  }

  async end(): Promise<void> {
    await this.#rows.return(undefined);
  }
}
