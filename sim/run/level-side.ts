/**
 * A small database beside the store of the workload `level`, which is made, destroyed and repaired by the static calls of
 * `StillwaterLevel`, with crashes wherever they come (faults of calls off: what is asked is what an interruption leaves). Verifies O42
 * for those calls: what was acknowledged is there until a destroy has begun, whole or not at all after that; a repair that was cut
 * short goes on, and loses nothing of a sound store.
 */
import { throwLevelError } from "../../src/level/errors.js";
import { LevelOverStore } from "../../src/level/level.js";
import { destroyStore, repairStore } from "../../src/level/location.js";
import { OracleFailure } from "../oracles/failure.js";
import { causeOfLevelError } from "../oracles/level.js";
import { disturbSide } from "./rare-moments.js";
import { DamageFound, type Session } from "./session.js";

const LOCATION = "/side/by/side";
const DAMAGED = `${LOCATION}.damaged`;
const ROWS = 6;

/** What the calls so far leave. */
type State = "nothing" | "making" | "whole" | "destroying" | "repairing";

export class SideDatabase {
  readonly #session: Session;
  #state: State = "nothing";

  constructor(session: Session) {
    this.#session = session;
  }

  /** Takes up what a crash has left, then goes one step on. */
  async run(): Promise<void> {
    const { disk, faultsAreOn } = this.#session;
    if (faultsAreOn) disk.faultsOff();
    try {
      await this.#step();
    } catch (error) {
      const call = `the side database, ${this.#state}`;
      const cause = causeOfLevelError(this.#session.ledger, error, call);
      const verdict = this.#session.judge(cause, call, ["NO_SPACE"]);
      if (verdict === "damage") throw new DamageFound(call);
    } finally {
      if (faultsAreOn && !this.#session.ended()) disk.faultsOn();
    }
  }

  async #step(): Promise<void> {
    switch (this.#state) {
      case "nothing":
        return this.#make();
      case "making":
        await this.#destroy();
        return this.#make();
      case "whole":
        await this.#expectAll();
        return this.#isDestroyedNext() ? this.#destroy() : this.#repair();
      case "destroying":
        await this.#expectAllOrNothing();
        return this.#destroy();
      case "repairing":
        return this.#repair();
    }
  }

  async #make(): Promise<void> {
    this.#state = "making";
    await this.#with(async (database) => {
      for (let row = 0; row < ROWS; row++) await database.put(`key ${row}`, `value ${row}`, { sync: true });
    });
    this.#state = "whole";
  }

  async #destroy(): Promise<void> {
    const { platform } = this.#session.life;
    this.#state = "destroying";
    disturbSide(this.#session);
    await destroyStore(platform, LOCATION).catch(throwLevelError);
    this.#session.checkAlive();
    if (platform.vfs.stat(LOCATION) !== null)
      throw new OracleFailure("O42", "destroy is done, but the database is there");
    this.#state = "nothing";
  }

  async #repair(): Promise<void> {
    const { platform } = this.#session.life;
    const { vfs } = platform;
    const wasMoved = vfs.stat(DAMAGED) !== null;
    this.#state = "repairing";
    disturbSide(this.#session);
    // With the database in its place and the former one beside it, only the answer of the last repair was lost.
    if (!(wasMoved && vfs.stat(LOCATION) !== null))
      await repairStore(platform, LOCATION).catch(throwLevelError);
    this.#session.checkAlive();
    await this.#expectAll();
    await destroyStore(platform, DAMAGED).catch(throwLevelError);
    this.#session.checkAlive();
    this.#state = "whole";
  }

  async #expectAll(): Promise<void> {
    const rows = await this.#rows();
    this.#session.ledger.count("O42");
    if (rows === EVERYTHING) return;
    throw new OracleFailure("O42", `the side database, ${this.#state}, holds "${rows}"`);
  }

  async #expectAllOrNothing(): Promise<void> {
    const { vfs } = this.#session.life.platform;
    if (vfs.stat(LOCATION) === null) return;
    let rows: string;
    try {
      rows = await this.#rows();
    } catch (error) {
      const code = error instanceof Error && error.cause instanceof Error && "code" in error.cause;
      if (
        code &&
        ["LEVEL_CORRUPTION", "LEVEL_NOT_A_STORE"].includes(String((error.cause as { code?: unknown }).code))
      )
        return;
      throw error;
    }
    this.#session.ledger.count("O42");
    // An empty directory is made a database anew.
    if (rows !== EVERYTHING && rows !== "")
      throw new OracleFailure("O42", `a destroy that was cut short leaves "${rows}"`);
  }

  async #rows(): Promise<string> {
    const entries = await this.#with((database) => database.iterator().all());
    return entries.map(([key, value]) => `${key}=${value}`).join();
  }

  #isDestroyedNext(): boolean {
    return this.#session.world.choices.stream("clients").chance(0.5, "clients.side-destroyed");
  }

  /** Opened first: a deferred call would not tell why that has failed. */
  async #with<T>(work: (database: LevelOverStore) => Promise<T>): Promise<T> {
    const { platform } = this.#session.life;
    const database = new LevelOverStore({ location: LOCATION, platform }, { memtableBytes: 4096 });
    await database.open();
    let result: T;
    try {
      result = await work(database);
    } catch (error) {
      this.#session.checkAlive();
      await database.close();
      throw error;
    }
    await database.close();
    this.#session.checkAlive();
    return result;
  }
}

const EVERYTHING = Array.from({ length: ROWS }, (_, row) => `key ${row}=value ${row}`).join();
