/**
 * Calls about the indexes of one life: their states, builds and scrubs, rows that are damaged by hand, writers beside them. Owns what a
 * scrub must have repaired and may have found (O38). Does not own: when the calls are made, nor the judging of rows (`records.ts`).
 */
import type { RecordStore } from "../../src/collection/record-store.js";
import { hasCode } from "../../src/platform/errors.js";
import { OracleFailure } from "../oracles/failure.js";
import { numberOfItem, type RecordCollections } from "../records/declarations.js";
import { ITEM_INDEXES, mayBeDamaged } from "../records/expected-rows.js";
import { copyName, INDEX_ROWS, type RawState, RECORDS } from "../records/raw-state.js";
import { packed, unpacked } from "../records/tuple.js";
import { keyBytes } from "../workload/bytes.js";
import type { RecordStep } from "../workload/record-steps.js";
import { type IndexDamage, indexOf, type NamedIndexes } from "./named-indexes.js";
import type { Session } from "./session.js";
import { think } from "./think.js";

type Store = RecordStore<RecordCollections>;
export type ManageStep = Extract<RecordStep, readonly ["manage", ...unknown[]]>;

/** What it needs of the clients of records. */
export interface IndexCallHost {
  readonly session: Session;
  readonly damage: IndexDamage;
  open(): Promise<Store>;
  newestVersion(): number;
  stateAt(version: number): RawState;
  judge(state: RawState, when: string): void;
  /** In a transaction of its own. */
  write(step: RecordStep, what: string): Promise<void>;
  failed(error: unknown, what: string): void;
}

const WRITES_BESIDE = 8;

/** Think times are long. */
const NO_LIMIT = { timeoutMs: 0 };

/** A primary key that no item has. */
const NOBODY = "zz";

export class IndexCalls {
  readonly #host: IndexCallHost;
  readonly #session: Session;
  readonly #damage: IndexDamage;

  constructor(host: IndexCallHost) {
    this.#host = host;
    this.#session = host.session;
    this.#damage = host.damage;
  }

  async run([, how, index, other, items]: ManageStep): Promise<void> {
    const store = await this.#host.open();
    // The names are known at run time only.
    const indexes = store.indexes as unknown as NamedIndexes;
    const [name, second] = [indexOf(index), indexOf(other)];
    const options =
      items === 0
        ? {}
        : { inlineItems: 0, throttle: { firstItems: items, minItems: 1, maxItems: items, maxFailures: 5 } };
    await think(this.#session);
    switch (how) {
      case "enable":
        return indexes.enable("Item", name);
      case "disable":
        return indexes.disable("Item", name);
      case "build":
        return indexes.build("Item", name, options).then(ignore);
      case "buildTwo":
        return indexes.build("Item", name === second ? name : [name, second], options).then(ignore);
      case "buildFrom":
        return indexes.build("Item", name, { ...options, from: second }).then(ignore);
      case "rebuild":
        return indexes.rebuild("Item", name, options).then(ignore);
      case "shadow":
        return indexes.buildShadow("Item", name, options).then(ignore);
      case "swap":
        return indexes.swapShadow("Item", name);
      case "drop":
        return indexes.dropShadow("Item", name);
      case "scrub":
        return this.#scrub(store, name, items);
      case "damage":
        return this.#damageRow(store, name, other).then(ignore);
      case "anewFrom":
        await indexes.disable("Item", name);
        await indexes.enable("Item", name);
        return this.#besideWriter(
          index,
          (time) => time,
          indexes.build("Item", name, { ...options, from: second }).then(ignore),
        );
      case "damageAndScrub":
        return this.#damageAndScrub(store, name, other, items);
    }
  }

  /** From the start, with repair: then what was damaged before is right again, and nothing else was found. */
  async #scrub(store: Store, name: string, items: number): Promise<void> {
    const indexes = store.indexes as unknown as NamedIndexes;
    const { names, times, underWay, life } = this.#damage;
    const wasDamaged = names.has(name);
    const batch = items === 0 ? {} : { entriesPerTransaction: items };
    const options = { repair: true, restart: true, retries: 3, ...batch };
    const { dangling, missing, wrong } = await indexes.scrub("Item", name, options);
    // Its life is over, and its repairs may be lost with it.
    if (this.#damage.life !== life) return;
    // Damage that came meanwhile, or may have: the next scrub sees to it.
    if (this.#damage.times !== times || underWay > 0) return;
    if (wasDamaged) {
      const newestVersion = this.#host.newestVersion();
      this.#damage.repaired(name, newestVersion);
      this.#host.judge(this.#host.stateAt(newestVersion), `after a scrub of "${name}"`);
    } else if (dangling + missing + wrong > 0) {
      throw new OracleFailure("O38", `a scrub finds damage in "${name}" that nobody has done`);
    }
  }

  /** While the item of this number at a time is written again and again, with other values. */
  async #besideWriter(number: number, itemAt: (time: number) => number, body: Promise<void>): Promise<void> {
    let isDone = false;
    const what = "writing items beside a call about an index";
    const write = async (): Promise<void> => {
      for (let time = 1; time <= WRITES_BESIDE && !isDone; time++) {
        const id = itemAt(time);
        const step = ["put", id, id, number + time, number + time, number + time, number + time, 0] as const;
        await this.#host.write(step, what);
      }
    };
    this.#session.inFlight.add(what, write(), ignore, (error) => this.#host.failed(error, what));
    try {
      await body;
    } finally {
      isDone = true;
    }
  }

  /** While the item whose row has gone is written. */
  async #damageAndScrub(store: Store, name: string, number: number, items: number): Promise<void> {
    const id = await this.#damageRow(store, name, number);
    const scrub = this.#scrub(store, name, items);
    return id === null ? scrub : this.#besideWriter(number, () => id, scrub);
  }

  /**
   * By hand, as no writer of records does: a row goes, or one comes that is of no document. The number of the item whose row has
   * gone.
   */
  async #damageRow(store: Store, name: string, number: number): Promise<number | null> {
    if (!mayBeDamaged(name)) return null;
    let item: number | null = null;
    const { database, catalogues } = store.shared;
    this.#damage.underWay++;
    await database.transact(async (transaction) => {
      const state = this.#host.stateAt(await transaction.getReadVersion());
      item = null;
      // Whoever changes the catalogue makes this try again.
      await catalogues.read(transaction);
      const index = state.index(name);
      if (index?.state !== "readable") return;
      const prefix = RECORDS + packed([INDEX_ROWS, index.id, index.generation]);
      const rows = [...state.rowsOf(copyName(index.id, index.generation)).keys()];
      const row = rows[number % Math.max(1, rows.length)];
      if (row === undefined) return;
      this.#damage.add(name);
      const elements = unpacked(row) ?? [];
      const values = elements.slice(0, -1);
      item = number % 2 === 0 ? numberOfItem(elements.at(-1)) : null;
      if (number % 2 === 0) transaction.clear(keyBytes(prefix + row));
      else transaction.set(keyBytes(prefix + packed([...values, NOBODY])), keyBytes(""));
    }, NO_LIMIT);
    this.#damage.underWay--;
    return item;
  }

  async buildAll(store: Store): Promise<void> {
    const indexes = store.indexes as unknown as NamedIndexes;
    for (const index of Object.keys(ITEM_INDEXES)) {
      const { state } = await indexes.get("Item", index);
      if (state === "disabled") await indexes.enable("Item", index);
      if (state === "readable") {
        if (this.#damage.names.has(index)) await this.#scrub(store, index, 0);
        continue;
      }
      try {
        await indexes.build("Item", index, { clearFirst: true });
      } catch (error) {
        if (!hasCode(error, "INDEX_BUILD_VIOLATIONS")) throw error;
      }
    }
  }
}

function ignore(): void {}
