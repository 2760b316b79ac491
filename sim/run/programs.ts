/**
 * The programs that have the records of one life open: one for each schema that somebody has opened them with, as several processes
 * do while a release is rolled out. Clients stay with theirs until they are told that it is too old; then they go on with the one that
 * the store asks for. Owns whether that answer is right (O38).
 */
import { hasCode } from "../../src/platform/errors.js";
import { OracleFailure, type OracleLedger } from "../oracles/failure.js";
import { NEWEST_SCHEMA, SCHEMAS, schemaNumber } from "../records/migrations.js";
import type { RawState } from "../records/raw-state.js";

export class Programs<Store extends { close(): Promise<void> }> {
  readonly #ledger: OracleLedger;
  readonly #newest: () => RawState;
  readonly #openStore: (number: number) => Promise<Store>;
  readonly #open = new Map<number, Promise<Store>>();
  /** That of the clients. Null: none has come yet. */
  #number: number | null = null;

  /** `newest`: what is committed; `openStore`: by the number of a schema. */
  constructor(ledger: OracleLedger, newest: () => RawState, openStore: (number: number) => Promise<Store>) {
    this.#ledger = ledger;
    this.#newest = newest;
    this.#openStore = openStore;
  }

  /** A life begins. */
  opened(): void {
    this.#open.clear();
    this.#number = null;
  }

  /** What is under way is stopped, as a process does that closes its records first. */
  closing(): void {
    for (const opening of this.#open.values()) opening.then((store) => store.close()).catch(ignore);
  }

  /** The store of the clients. Who comes when it could not be opened tries again. */
  async open(): Promise<Store> {
    for (;;) {
      this.#number ??= neededBy(this.#newest());
      const number = this.#number;
      try {
        return await this.#opened(number);
      } catch (error) {
        this.#refused(error, number);
      }
    }
  }

  /** Resolves when the records are open with this schema, or it turns out to be too old. */
  async run(number: number): Promise<void> {
    try {
      await this.#opened(number);
    } catch (error) {
      this.#refused(error, number);
    }
  }

  /** Clients have failed with this: what is not about their schema is thrown again. */
  refused(error: unknown): void {
    // They may have begun before others went on.
    this.#refused(error, Math.min(...this.#open.keys()));
  }

  #refused(error: unknown, number: number): void {
    const isChanged = hasCode(error, "SCHEMA_CHANGED");
    if (!isChanged && !hasCode(error, "SCHEMA_TOO_OLD")) throw error;
    this.#ledger.count("O38");
    const state = this.#newest();
    const needed = neededBy(state);
    // Between two stages of a program with 2.0.0 nobody else has the indexes that are there.
    const isRight = isChanged ? number === 1 && state.schemaVersion === SCHEMAS[1].version : number < needed;
    if (!isRight) throw new OracleFailure("O38", `a program with schema ${number} is told ${error}`, error);
    const next = isChanged ? NEWEST_SCHEMA : needed;
    if (this.#number === null || this.#number < next) this.#number = next;
  }

  #opened(number: number): Promise<Store> {
    const known = this.#open.get(number);
    const opening = known ?? this.#openStore(number);
    this.#open.set(number, opening);
    return opening.catch((error: unknown) => {
      if (this.#open.get(number) === opening) this.#open.delete(number);
      throw error;
    });
  }
}

/** The oldest program that such a store lets in. */
function neededBy({ schemaVersion, migration }: RawState): number {
  return schemaNumber(migration?.isExclusive === true ? migration.to : schemaVersion);
}

function ignore(): void {}
