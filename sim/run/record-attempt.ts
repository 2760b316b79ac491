/**
 * One try of a transaction of records: its steps, and beside them what each answer must be. Does not own: when it is tried, what becomes of
 * it (`records.ts`), what answers are due (`records/view.ts`, `records/queries.ts`).
 */
import type { RecordTransaction } from "../../src/collection/record-transaction.js";
import { hasCode } from "../../src/platform/errors.js";
import type { IndexValue } from "../../src/record/index-value.js";
import type { Predicate } from "../../src/record/predicate.js";
import { OracleFailure } from "../oracles/failure.js";
import { checkFound, checkQueried, window } from "../oracles/record-calls.js";
import {
  type Item,
  itemId,
  itemOf,
  nameOf,
  noteId,
  noteOf,
  type RecordCollections,
  textOfDocument,
} from "../records/declarations.js";
import { packedRows, SCALAR_INDEXES } from "../records/expected-rows.js";
import { REMOVED_INDEX } from "../records/migrations.js";
import { type AskedQuery, queryOf } from "../records/queries.js";
import { parsed } from "../records/raw-state.js";
import { packed, type RawElement, unpacked } from "../records/tuple.js";
import type { RecordsView } from "../records/view.js";
import type { RecordStep } from "../workload/record-steps.js";
import type { Session } from "./session.js";
import { think } from "./think.js";

/** More documents than there ever are. */
export const ALL = 1000;

export class Attempt {
  readonly transaction: RecordTransaction<RecordCollections>;
  readonly view: RecordsView;
  readonly #session: Session;
  readonly #damaged: ReadonlySet<string>;
  readonly #what: string;

  constructor(
    session: Session,
    damaged: ReadonlySet<string>,
    transaction: RecordTransaction<RecordCollections>,
    view: RecordsView,
    what: string,
  ) {
    this.#session = session;
    this.#damaged = damaged;
    this.transaction = transaction;
    this.view = view;
    this.#what = what;
  }

  async run(steps: readonly RecordStep[], together: boolean): Promise<void> {
    const underWay: Promise<void>[] = [];
    for (const step of steps) {
      const isWrite = together && AT_ONCE.has(step[0]);
      if (!isWrite) await Promise.all(underWay.splice(0));
      if (underWay.length === 0 || this.#isApart()) await think(this.#session);
      const running = this.#step(step);
      if (!isWrite) await running;
      else {
        // Awaited with the others.
        running.catch(ignore);
        underWay.push(running);
      }
    }
    await Promise.all(underWay);
    await think(this.#session);
  }

  /** Whether a write is asked for later than the one before, which may be answered by then. */
  #isApart(): boolean {
    return this.#session.world.choices.stream("clients").chance(THINKS_BETWEEN, "clients.thinks-between");
  }

  #step(step: RecordStep): Promise<void> {
    switch (step[0]) {
      case "manage":
      case "migrate":
        // A case may have been edited: there is no such call within a transaction.
        return Promise.resolve();
      case "put": {
        const [, id, name, group, amount, tags, place, textBytes] = step;
        return this.#put(itemOf({ id, name, group, amount, tags, place, textBytes }));
      }
      case "remove":
        return this.#remove("Item", itemId(step[1]));
      case "again":
        return this.#again(step[1]);
      case "swap":
        return this.#swap(step[1], step[2]);
      case "note": {
        const note = noteOf(step[1], step[2], step[3]);
        this.view.put("Note", packed([note.id]), textOfDocument(note));
        return this.transaction.collection("Note").put(note);
      }
      case "removeNote":
        return this.#remove("Note", noteId(step[1]));
      case "get":
        return this.#get(itemId(step[1])).then(ignore);
      case "list":
        return this.list(step[1], step[2], step[3]);
      case "query": {
        const [, first, second, either, order, limit, size] = step;
        return this.#query(queryOf(first, second, either, order), limit, size);
      }
      case "find": {
        const [, index, count, like, limit, reverse] = step;
        const name = SCALAR_INDEXES.includes(index) ? index : "Item_name";
        return this.find(name, this.#valuesLike(name, count, like), limit, reverse);
      }
    }
  }

  #put(item: Item): Promise<void> {
    this.view.put("Item", packed([item.id]), textOfDocument(item));
    return this.transaction.collection("Item").put(item);
  }

  async #remove(collection: "Item" | "Note", id: string | number): Promise<void> {
    const packedId = packed([id]);
    const was = this.view.get(collection, packedId) !== null;
    if (was) this.view.put(collection, packedId, null);
    const { transaction } = this;
    const is = await (typeof id === "string"
      ? transaction.collection("Item").delete(id)
      : transaction.collection("Note").delete(id));
    if (is === was) return;
    throw new OracleFailure("O38", `${this.#what}: removing ${JSON.stringify(id)} says ${is}, not ${was}`);
  }

  async #again(id: number): Promise<void> {
    const item = await this.#get(itemId(id));
    if (item !== undefined) await this.#put(item);
  }

  async #swap(a: number, b: number): Promise<void> {
    const [one, other] = [await this.#get(itemId(a)), await this.#get(itemId(b))];
    if (one === undefined || other === undefined || one.id === other.id) return;
    await Promise.all([this.#put({ ...one, name: other.name }), this.#put({ ...other, name: one.name })]);
  }

  async #get(id: string): Promise<Item | undefined> {
    const expected = this.view.get("Item", packed([id]));
    const found = await this.transaction.collection("Item").get(id);
    const texts = found === undefined ? [] : [textOfDocument(found)];
    this.#check(expected === null ? [] : [expected], texts, `get ${JSON.stringify(id)}`);
    return found;
  }

  async list(collection: "Item" | "Note", limit: number, reverse: boolean): Promise<void> {
    const expected = window(this.view.documents(collection), limit === 0 ? ALL : limit, reverse);
    const options = { ...(limit === 0 ? {} : { limit }), reverse };
    const { transaction } = this;
    const found: readonly unknown[] = await transaction.collection(collection).scan(options);
    this.#check(expected, found.map(textOfDocument), `a scan of "${collection}"`);
  }

  async find(index: string, values: readonly RawElement[], limit: number, reverse: boolean): Promise<void> {
    const collection = collectionOf(index);
    const isReadable = this.view.state.index(index)?.state === "readable";
    const expected = window(this.view.find(collection, index, values), limit === 0 ? ALL : limit, reverse);
    const options = { ...(limit === 0 ? {} : { limit }), reverse };
    let found: readonly unknown[];
    try {
      const typed = this.transaction.collection(collection) as {
        byIndex(name: string, values: readonly IndexValue[], options: object): Promise<unknown[]>;
      };
      found = await typed.byIndex(index, values.map(indexValueOf), options);
    } catch (error) {
      if (hasCode(error, "INDEX_NOT_READABLE") && !isReadable) return;
      // A newer program does not know it any more.
      if (hasCode(error, "UNKNOWN_INDEX") && index === REMOVED_INDEX && !isReadable) return;
      throw error;
    }
    if (!isReadable) throw new OracleFailure("O38", `${this.#what}: "${index}" is read, but is not readable`);
    if (this.#damaged.has(index)) return;
    this.#check(expected, found.map(textOfDocument), `"${index}" from ${JSON.stringify(values)}`);
  }

  /** By whatever plan. `limit` 0: all; `size` 0: not in pages. */
  async #query(asked: AskedQuery, limit: number, size: number): Promise<void> {
    // Conditions are known at run time only.
    let query = this.transaction.collection("Item").query() as unknown as NamedQuery;
    for (const predicate of asked.where) query = query.where(() => predicate);
    for (const { field, direction } of asked.orderBy) query = query.orderBy(field, direction);
    if (limit !== 0) query = query.limit(limit);
    const due = this.view.documents("Item").map(({ text }) => text);
    const found: unknown[] = [];
    if (size === 0) found.push(...(await query.all()));
    else {
      let token: string | null = null;
      do {
        const page = await query.page({ size, token });
        found.push(...page.items);
        token = page.token;
        // A page that begins where it ends would never come to an end.
      } while (token !== null && found.length <= due.length);
    }
    if (this.#damaged.size > 0) return;
    const most = limit === 0 ? ALL : limit;
    const what = `${this.#what}: the query ${JSON.stringify(asked)} by ${most}, in pages of ${size},`;
    checkQueried(this.#session.ledger, asked, due, found.map(textOfDocument), most, what);
  }

  /** The values of a document that is there, or of one that nobody has. */
  #valuesLike(index: string, count: number, like: number): readonly RawElement[] {
    if (collectionOf(index) === "Note") return [itemId(like), { double: 0 }].slice(0, count);
    const text = this.view.get("Item", packed([itemId(like)]));
    const [row] = text === null ? [] : packedRows(index, parsed(text), "");
    return ((row && unpacked(row.prefix)) ?? [nameOf(like)]).slice(0, count);
  }

  #check(expected: readonly string[], found: readonly string[], what: string): void {
    checkFound(this.#session.ledger, expected, found, `${this.#what}: ${what}`);
  }
}

const THINKS_BETWEEN = 0.5;

const AT_ONCE: ReadonlySet<RecordStep[0]> = new Set(["put", "remove", "note", "removeNote"]);

/** A query whose conditions are known at run time only. */
interface NamedQuery {
  where(make: () => Predicate): NamedQuery;
  orderBy(field: string, direction: "asc" | "desc"): NamedQuery;
  limit(count: number): NamedQuery;
  all(): Promise<unknown[]>;
  page(options: {
    size: number;
    token: string | null;
  }): Promise<{ readonly items: readonly unknown[]; readonly token: string | null }>;
}

function ignore(): void {}

function collectionOf(index: string): "Item" | "Note" {
  return index.startsWith("Note") ? "Note" : "Item";
}

function indexValueOf(element: RawElement): IndexValue {
  if (typeof element === "object" && element !== null && "double" in element) return element.double;
  return element as IndexValue;
}
