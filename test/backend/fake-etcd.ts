/**
 * etcd's key-value service as far as the backend uses it, in memory: revisions, conditions, the order of operations in a
 * transaction, and the refusals of etcd 3.4 for what a transaction must not hold. Answers can be lost, before or after the
 * request took effect, or the request can take effect late. `test/etcd-cluster` runs the same cases on real servers.
 */
import type {
  EtcdClient,
  EtcdCompare,
  EtcdKeyValue,
  EtcdOperation,
  EtcdRange,
  EtcdRows,
  EtcdTxn,
  EtcdTxnResult,
} from "../../src/backend/etcd/client.js";

/** What becomes of a transaction: as it should; or no answer, and it takes effect never, at once, or when the next one comes. */
export type Fate = "answered" | "lost" | "applied, answer lost" | "applied late, answer lost";

interface Change {
  readonly revision: number;
  /** How often it has been put since it was created; 0 is gone. */
  readonly version: number;
  readonly value: Buffer;
}

const NO_BYTES = Buffer.alloc(0);

export class FakeEtcd {
  /** Operations, or comparisons, of one transaction. */
  maxOperations = 128;
  maxRequestBytes = 1_572_864;
  /** Decided anew for each transaction that writes. */
  fate: () => Fate = () => "answered";
  /** Members that do not run refuse connections. */
  readonly isDown: boolean[];
  readonly #history = new Map<string, Change[]>();
  #revision = 1;
  #lease = 0;
  #firstLease = 1;
  #compacted = 0;
  #late: EtcdTxn[] = [];

  constructor(members = 3) {
    this.isDown = Array.from({ length: members }, () => false);
  }

  /** `host` is the number of a member. A request is served when it is sent; its answer comes later. */
  readonly connect = (host: string): EtcdClient => ({
    kv: {
      range: (request) => this.#answer(host, () => this.#range(request)),
      txn: (request) => this.#answer(host, () => this.#receive(request)),
    },
    leaseClient: {
      leaseGrant: () => this.#answer(host, () => ({ ID: String(++this.#lease) })),
    },
    close: () => {},
  });

  get hosts(): string[] {
    return this.isDown.map((_, number) => String(number));
  }

  /** Every key that is there, for looking behind the backend. */
  get keys(): string[] {
    return [...this.#history.keys()].filter((key) => this.#at(key, this.#revision) !== null).sort();
  }

  /** Leases that have been given end, and their keys go. */
  endLeases(): void {
    this.#firstLease = this.#lease + 1;
    const traces = this.keys.filter((key) => /^[^/]*\/x/.test(key));
    for (const key of traces) this.#delete({ key: Buffer.from(key, "latin1") }, ++this.#revision);
  }

  compact(): void {
    this.#compacted = this.#revision;
  }

  async #answer<T>(host: string, serve: () => T): Promise<T> {
    let answer: () => T;
    try {
      if (this.isDown[Number(host)] === true) {
        throw new Error("14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED");
      }
      const served = serve();
      answer = () => served;
    } catch (error) {
      answer = () => {
        throw error;
      };
    }
    await new Promise((resolve) => setImmediate(resolve));
    return answer();
  }

  #receive(request: EtcdTxn): EtcdTxnResult {
    check(request, this.maxOperations, this.maxRequestBytes);
    for (const { request_put: put } of request.success) {
      if (put?.lease === undefined || Number(put.lease) >= this.#firstLease) continue;
      throw new Error("5 NOT_FOUND: etcdserver: requested lease not found");
    }
    const isRead = [...request.success, ...request.failure].every(
      ({ request_range }) => request_range !== undefined,
    );
    const fate = isRead ? "answered" : this.fate();
    if (fate === "answered") return this.#take(request);
    if (fate === "applied, answer lost") this.#take(request);
    if (fate === "applied late, answer lost") this.#late.push(request);
    throw new Error("14 UNAVAILABLE: Connection dropped");
  }

  #take(request: EtcdTxn): EtcdTxnResult {
    const result = this.#apply(request);
    // Right after the one that overtook them: the earliest that they can be a nuisance.
    for (const late of this.#late.splice(0)) this.#apply(late);
    return result;
  }

  #apply({ compare, success, failure }: EtcdTxn): EtcdTxnResult {
    const succeeded = compare.every((one) => this.#holds(one));
    const next = this.#revision + 1;
    let isWritten = false;
    const responses = (succeeded ? success : failure).map((operation) => {
      const { request_put: put, request_delete_range: deletion, request_range: range } = operation;
      const rows = range === undefined ? { header: header(next), kvs: [], more: false } : this.#range(range);
      let prev_kv: EtcdKeyValue | null = null;
      if (put !== undefined) {
        prev_kv = this.#row(text(put.key), this.#revision);
        this.#put(put.key, put.value, next);
        isWritten = true;
      }
      if (deletion !== undefined) isWritten = this.#delete(deletion, next) || isWritten;
      return { response_range: rows, response_put: { prev_kv } };
    });
    if (isWritten) this.#revision = next;
    return { header: header(this.#revision), succeeded, responses };
  }

  #holds({ key, range_end, target, result, version, mod_revision }: EtcdCompare): boolean {
    const rows = this.#range({ key, ...(range_end === undefined ? {} : { range_end }) }).kvs;
    const actual = rows.map((row) => Number(target === "Version" ? row.version : row.mod_revision));
    const wanted = (target === "Version" ? version : mod_revision) as number; // every comparison has its own
    return (actual.length === 0 ? [0] : actual).every((one) =>
      result === "Less" ? one < wanted : one === wanted,
    );
  }

  #range({ key, range_end, revision = 0, limit = 0, sort_order, keys_only }: EtcdRange): EtcdRows {
    const at = revision === 0 ? this.#revision : revision;
    if (at > this.#revision)
      throw new Error("11 OUT_OF_RANGE: etcdserver: mvcc: required revision is a future revision");
    if (at < this.#compacted)
      throw new Error("11 OUT_OF_RANGE: etcdserver: mvcc: required revision has been compacted");
    const rows = this.#keysIn(key, range_end).flatMap((one) => this.#row(one, at) ?? []);
    if (sort_order === "Descend") rows.reverse();
    const kvs = (limit === 0 ? rows : rows.slice(0, limit)).map((row) =>
      keys_only === true ? { ...row, value: NO_BYTES } : row,
    );
    return { header: header(this.#revision), kvs, more: kvs.length < rows.length };
  }

  #keysIn(begin: Buffer, end: Buffer | undefined): string[] {
    if (end === undefined) return [text(begin)];
    return [...this.#history.keys()].filter((key) => key >= text(begin) && key < text(end)).sort();
  }

  #at(key: string, revision: number): Change | null {
    const change = this.#history.get(key)?.findLast((one) => one.revision <= revision);
    return change === undefined || change.version === 0 ? null : change;
  }

  #row(key: string, revision: number): EtcdKeyValue | null {
    const change = this.#at(key, revision);
    if (change === null) return null;
    return {
      key: Buffer.from(key, "latin1"),
      value: change.value,
      mod_revision: String(change.revision),
      version: String(change.version),
    };
  }

  #put(key: Buffer, value: Buffer, revision: number): void {
    const version = (this.#at(text(key), revision)?.version ?? 0) + 1;
    const history = this.#history.get(text(key)) ?? [];
    this.#history.set(text(key), history);
    history.push({ revision, version, value: Buffer.from(value) });
  }

  #delete({ key, range_end }: { key: Buffer; range_end?: Buffer }, revision: number): boolean {
    const there = this.#keysIn(key, range_end).filter((one) => this.#at(one, revision) !== null);
    for (const one of there) this.#history.get(one)?.push({ revision, version: 0, value: NO_BYTES });
    return there.length > 0;
  }
}

/** As etcd checks a transaction when it arrives. */
function check({ compare, success, failure }: EtcdTxn, maxOperations: number, maxBytes: number): void {
  if (Math.max(compare.length, success.length, failure.length) > maxOperations) {
    throw new Error("3 INVALID_ARGUMENT: etcdserver: too many operations in txn request");
  }
  const bytes = [...success, ...failure].reduce((sum, operation) => sum + bytesOf(operation), 0);
  if (bytes > maxBytes) throw new Error("3 INVALID_ARGUMENT: etcdserver: request is too large");
  const put = new Set<string>();
  for (const { request_put } of success) {
    if (request_put === undefined) continue;
    if (put.has(text(request_put.key)))
      throw new Error("3 INVALID_ARGUMENT: etcdserver: duplicate key given in txn request");
    put.add(text(request_put.key));
  }
  for (const { request_delete_range: deletion } of success) {
    if (deletion === undefined) continue;
    const [begin, end] = [text(deletion.key), deletion.range_end && text(deletion.range_end)];
    if ([...put].some((key) => (end === undefined ? key === begin : key >= begin && key < end))) {
      throw new Error("3 INVALID_ARGUMENT: etcdserver: duplicate key given in txn request");
    }
  }
}

function bytesOf({ request_put: put }: EtcdOperation): number {
  return put === undefined ? 0 : put.key.length + put.value.length;
}

function header(revision: number): { revision: string } {
  return { revision: String(revision) };
}

function text(key: Buffer): string {
  return key.toString("latin1");
}
