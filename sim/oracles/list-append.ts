/**
 * O5 for transactions, from the outside: the workload `list-append` appends to lists and reads them, and what its clients were
 * told goes to the checker of histories (`sim/history`), which knows nothing of versions and names the anomaly. This workload has no
 * judge inside beside it (`transactions.ts`), so that each stands for itself.
 * Verifies: strict serializability over all lives in a row, as far as reads tell; that recoveries keep what was acknowledged.
 * Does not verify: across a recovery that may lose what was acknowledged (durability `buffered` or `none`), where a new history
 * begins with what is left.
 */
import { assert } from "../../src/platform/assert.js";
import type { Anomaly } from "../history/anomaly.js";
import { checkHistory } from "../history/check.js";
import type { HistoryOperation, HistoryTransaction, List, Outcome } from "../history/history.js";
import { meaningOf } from "../history/models.js";
import type { Row } from "../model/comparison.js";
import type { AttemptLog, LoggedCall } from "../transactions/attempt-log.js";
import { elementsOf, LISTS, LISTS_END } from "../transactions/places.js";
import { keyText } from "../workload/bytes.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** The last try of one client: earlier ones have failed, and its values are those of the last. */
export class ListClient {
  readonly #tick: () => number;
  readonly what: string;
  #log: AttemptLog | null = null;
  #start = 0;
  #end: number | undefined;
  #outcome: Outcome = "unknown";
  /** Its acknowledgement promises less than that a crash leaves it. */
  mayBeLost = false;

  constructor(what: string, tick: () => number) {
    this.what = what;
    this.#tick = tick;
  }

  /** The version of its commit; null if the store has not taken it. */
  get version(): number | null {
    return this.#log?.accepted ?? null;
  }

  get isAcknowledged(): boolean {
    return this.#outcome === "ok";
  }

  begins(log: AttemptLog): void {
    this.#log = log;
    this.#start = this.#tick();
  }

  ends(outcome: Outcome): void {
    this.#outcome = outcome;
    this.#end = this.#tick();
  }

  transaction(): HistoryTransaction {
    return {
      outcome: this.#outcome,
      start: this.#start,
      ...(this.#end === undefined ? {} : { end: this.#end }),
      operations: (this.#log?.calls ?? []).flatMap(operationOf),
    };
  }
}

export class ListHistory {
  readonly #ledger: OracleLedger;
  #names: string[] = [];
  #transactions: (() => HistoryTransaction)[] = [];
  #clients: ListClient[] = [];
  #now = 0;

  constructor(ledger: OracleLedger) {
    this.#ledger = ledger;
  }

  client(what: string): ListClient {
    const client = new ListClient(what, () => ++this.#now);
    this.#clients.push(client);
    this.#add(what, () => client.transaction());
    return client;
  }

  /** A recovery has brought back these rows, and of the commits from version `lostFrom` on nothing, if it is not null. */
  recovered(rows: readonly Row[], lostFrom: number | null, what: string): void {
    const lists = rows.flatMap(({ key, value }): [string, List][] =>
      key.startsWith(LISTS) ? [[key, elementsOf(keyText(value))]] : [],
    );
    const isLost = ({ version }: ListClient): boolean =>
      lostFrom !== null && version !== null && version >= lostFrom;
    const mayForget = this.#clients.some((one) => isLost(one) && (one.isAcknowledged || one.mayBeLost));
    if (mayForget) {
      this.check(`before ${what}`);
      this.#names = [];
      this.#transactions = [];
      this.#clients = [];
      const appends = lists.flatMap(([key, list]) =>
        list.map((value): HistoryOperation => ({ kind: "append", key, value })),
      );
      this.#addWhole(what, appends);
    } else {
      this.#addWhole(what, [{ kind: "range", prefix: LISTS, rows: lists }]);
      this.check(what);
    }
  }

  check(when: string): void {
    this.#ledger.count("O5");
    const history = this.#transactions.map((make) => make());
    const { anomalies } = checkHistory(history);
    const [gravest] = anomalies;
    if (gravest === undefined) return;
    throw new OracleFailure("O5", `${when}, clients have seen ${this.#text(gravest)}`);
  }

  #add(what: string, make: () => HistoryTransaction): void {
    this.#names.push(what);
    this.#transactions.push(make);
  }

  /** By nobody's client, while nothing was under way. */
  #addWhole(what: string, operations: readonly HistoryOperation[]): void {
    const [start, end] = [++this.#now, ++this.#now];
    this.#add(what, () => ({ outcome: "ok", start, end, operations }));
  }

  #text({ name, transactions, reasons }: Anomaly): string {
    const who = [...new Set(transactions)].map((index) => {
      const what = this.#names[index];
      assert(what !== undefined, "an anomaly is about transactions of the history");
      return `T${index + 1} is ${what}`;
    });
    return `${name} (${meaningOf(name)}): ${[...reasons, ...who].join("; ")}`;
  }
}

/** What a call says about lists. */
function operationOf(call: LoggedCall): HistoryOperation[] {
  if (call.kind === "atomic" && call.operation === "appendIfFits" && call.key.startsWith(LISTS)) {
    return [{ kind: "append", key: call.key, value: call.operand }];
  }
  if (call.kind === "get" && call.key.startsWith(LISTS) && call.answer !== null) {
    const list = elementsOf(call.answer.value ?? "");
    return [{ kind: "read", key: call.key, list, isSnapshot: call.isSnapshot }];
  }
  const isAll = call.kind === "range" && call.begin === LISTS && call.end === LISTS_END;
  if (!isAll || call.answer?.isWhole !== true) return [];
  const rows = call.answer.rows.map(([key, value]): [string, List] => [key, elementsOf(value)]);
  return [{ kind: "range", prefix: LISTS, rows, isSnapshot: call.isSnapshot }];
}
