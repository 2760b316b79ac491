/**
 * Carries out the reading operations of a workload: point reads, scans, snapshots, iterators; each answer is compared
 * with what the model says that its version may show. Does not own: writes and maintenance (`executor.ts`), comparisons
 * of the whole store (`checks.ts`).
 */
import type { Row } from "../model/comparison.js";
import type { PrefixSpan } from "../model/model.js";
import { OracleFailure } from "../oracles/failure.js";
import { checkGet, checkScan, checkStep } from "../oracles/snapshot-stability.js";
import { keyBytes, keyText } from "../workload/bytes.js";
import type { Bounds, Operation } from "../workload/operation.js";
import { DamageFound, type PinnedIterator, type PinnedSnapshot, type Session } from "./session.js";

type Of<Kind extends Operation["kind"]> = Extract<Operation, { kind: Kind }>;

export class Reader {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async get(operation: Of<"get">): Promise<void> {
    const { store, model, ledger } = this.#session;
    const pinned = this.#pinned(operation.snapshot);
    const key = keyBytes(operation.key);
    const options = pinned === null ? {} : { snapshot: pinned.snapshot };
    const span = this.#spanOf(pinned);
    try {
      const value = operation.blocking === true ? store.getSync(key, options) : await store.get(key, options);
      this.#session.checkAlive();
      checkGet(ledger, model, span, operation.key, value, named("get", pinned), promiseOf(pinned));
    } catch (error) {
      this.#readFailed(error, "get");
    }
  }

  async getMany(operation: Of<"getMany">): Promise<void> {
    const { store, model, ledger } = this.#session;
    const pinned = this.#pinned(operation.snapshot);
    const options = pinned === null ? {} : { snapshot: pinned.snapshot };
    const span = this.#spanOf(pinned);
    try {
      const values = await store.getMany(operation.keys.map(keyBytes), options);
      this.#session.checkAlive();
      if (values.length !== operation.keys.length) {
        throw new OracleFailure(
          "O6",
          `getMany of ${operation.keys.length} keys gives ${values.length} values`,
        );
      }
      operation.keys.forEach((key, index) =>
        checkGet(ledger, model, span, key, values[index], named("getMany", pinned), promiseOf(pinned)),
      );
    } catch (error) {
      this.#readFailed(error, "getMany");
    }
  }

  async scan(operation: Of<"scan">): Promise<void> {
    const { store, model, ledger } = this.#session;
    const pinned = this.#pinned(operation.snapshot);
    const span = this.#spanOf(pinned);
    const limit = operation.limit ?? Number.POSITIVE_INFINITY;
    const scan = store.scan({
      ...boundsOf(operation),
      ...(operation.limit === undefined ? {} : { limit: operation.limit }),
      ...(pinned === null ? {} : { snapshot: pinned.snapshot }),
    });
    const rows: Row[] = [];
    try {
      if (operation.awaited === true) {
        for await (const [key, value] of scan) {
          this.#session.checkAlive();
          rows.push({ key: keyText(key), value });
        }
      } else {
        for (const [key, value] of scan) rows.push({ key: keyText(key), value });
      }
      this.#session.checkAlive();
      checkScan(ledger, model, span, operation, limit, rows, named("scan", pinned), promiseOf(pinned));
    } catch (error) {
      this.#readFailed(error, "scan");
    }
  }

  openSnapshot(id: number): void {
    const { store, model, order, snapshots } = this.#session;
    const snapshot = store.snapshot();
    order.readAt("a snapshot", snapshot.version);
    snapshots.set(id, { snapshot, span: model.visibleAt(snapshot.version) });
  }

  openIterator(operation: Of<"openIterator">): void {
    const { store, iterators, order } = this.#session;
    const pinned = this.#pinned(operation.snapshot);
    const span = { ...this.#spanOf(pinned) };
    try {
      const iterator = store.iterator({
        ...boundsOf(operation),
        ...(pinned === null ? {} : { snapshot: pinned.snapshot }),
      });
      const { version } = iterator;
      if (pinned === null) order.readAt("an iterator", version);
      iterators.set(operation.id, {
        iterator,
        version,
        span,
        bounds: operation,
        position: null,
        ended: false,
      });
    } catch (error) {
      this.#readFailed(error, "iterator");
    }
  }

  stepIterator(operation: Of<"stepIterator">): void {
    const pinned = this.#session.iterators.get(operation.id);
    if (pinned === undefined) return;
    const { model, ledger } = this.#session;
    tighten(pinned.span, model.visibleAt(pinned.version));
    for (let left = operation.count; left > 0 && !pinned.ended; left--) {
      let row: Row | null = null;
      try {
        if (pinned.iterator.next()) {
          row = { key: keyText(pinned.iterator.key), value: pinned.iterator.value };
        }
      } catch (error) {
        this.#iteratorFailed(operation.id, pinned, error);
        return;
      }
      this.#session.checkAlive();
      checkStep(ledger, model, pinned.span, pinned.bounds, pinned.position, row, "an iterator");
      if (row === null) pinned.ended = true;
      else pinned.position = { key: row.key, inclusive: false };
    }
  }

  seekIterator(operation: Of<"seekIterator">): void {
    const pinned = this.#session.iterators.get(operation.id);
    if (pinned === undefined || pinned.ended) return;
    try {
      pinned.iterator.seek(keyBytes(operation.key));
      pinned.position = { key: operation.key, inclusive: true };
    } catch (error) {
      this.#iteratorFailed(operation.id, pinned, error);
    }
  }

  /** An iterator that has failed is at its end: it must be closed, and says nothing more. */
  #iteratorFailed(id: number, pinned: PinnedIterator, error: unknown): void {
    this.#session.iterators.delete(id);
    this.#readFailed(error, "an iterator");
    pinned.iterator.close();
  }

  closeSnapshot(id: number): void {
    this.#session.snapshots.get(id)?.snapshot.close();
    this.#session.snapshots.delete(id);
  }

  closeIterator(id: number): void {
    this.#session.iterators.get(id)?.iterator.close();
    this.#session.iterators.delete(id);
  }

  #pinned(snapshot: number | undefined): PinnedSnapshot | null {
    return snapshot === undefined ? null : (this.#session.snapshots.get(snapshot) ?? null);
  }

  /** The prefixes that a read now may show; for a snapshot the same object each time, so that reads narrow it. */
  #spanOf(pinned: PinnedSnapshot | null): PrefixSpan {
    const { model, order, store } = this.#session;
    if (pinned === null) {
      order.readAt("a read", store.version);
      return model.visibleAt(store.version);
    }
    tighten(pinned.span, model.visibleAt(pinned.snapshot.version));
    return pinned.span;
  }

  #readFailed(error: unknown, call: string): void {
    if (this.#session.judge(error, call) === "damage") throw new DamageFound(call);
  }
}

interface ByteBounds {
  gte?: Uint8Array;
  gt?: Uint8Array;
  lte?: Uint8Array;
  lt?: Uint8Array;
  reverse?: boolean;
}

export function boundsOf(bounds: Bounds): ByteBounds {
  const result: ByteBounds = {};
  if (bounds.gte !== undefined) result.gte = keyBytes(bounds.gte);
  if (bounds.gt !== undefined) result.gt = keyBytes(bounds.gt);
  if (bounds.lte !== undefined) result.lte = keyBytes(bounds.lte);
  if (bounds.lt !== undefined) result.lt = keyBytes(bounds.lt);
  if (bounds.reverse !== undefined) result.reverse = bounds.reverse;
  return result;
}

/** What two facts about the same prefix leave of it. */
function tighten(span: PrefixSpan, other: PrefixSpan): void {
  if (other.low > span.low) span.low = other.low;
  if (other.high < span.high) span.high = other.high;
  if (span.low > span.high) throw new OracleFailure("O6", "reads at one version agree with no single state");
}

function named(call: string, pinned: PinnedSnapshot | null): string {
  return pinned === null ? call : `${call} in a snapshot`;
}

/** A pinned version must read the same for ever; what is read now must be what the model holds now. */
function promiseOf(pinned: PinnedSnapshot | null): "O6" | "O22" {
  return pinned === null ? "O22" : "O6";
}
