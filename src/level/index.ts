/**
 * `stillwater/level`: the store as a Level database, for everything that is built on abstract-level 3. Needs the package
 * `abstract-level`, which this entry loads.
 *
 * ```ts
 * import { StillwaterLevel } from "stillwater/level";
 * const db = new StillwaterLevel("./data", { valueEncoding: "json" });
 * await db.put("a", { b: 1 }); // on disk, synced, when this resolves
 * ```
 */
import type { SalvageReport } from "../engine/salvage.js";
import type { Store } from "../engine/store.js";
import { nodePlatform } from "../platform/node/node-platform.js";
import type { Platform } from "../platform/platform.js";
import { throwLevelError } from "./errors.js";
import { LevelOverStore, type LevelSource } from "./level.js";
import { destroyStore, repairStore } from "./location.js";
import type { StillwaterLevelOptions } from "./options.js";

/** Where `destroy` and `repair` work. Default: the real file system. */
export interface LocationOptions {
  readonly platform?: Platform;
}

/** A store with the interface of `abstract-level` 3, so that what is written for Level runs on it. */
export class StillwaterLevel<K = string, V = string> extends LevelOverStore<K, V> {
  /**
   * A database in a directory, or over a store that is open already and that closing the database leaves open. Opens itself; calls
   * made before that wait for it. Throws `TypeError` for options that are none. `open()` rejects with `LEVEL_DATABASE_NOT_OPEN`,
   * whose cause has the code `LEVEL_LOCKED`, `LEVEL_CORRUPTION`, `LEVEL_NOT_A_STORE`, `LEVEL_EXISTS`, ...
   */
  constructor(place: string | Store, options: StillwaterLevelOptions<K, V> = {}) {
    super(sourceOf(place, options.platform), options);
  }

  /** Removes the database in a directory; see `destroyStore`. */
  static async destroy(location: string, options: LocationOptions = {}): Promise<void> {
    checkLocation(location);
    await destroyStore(options.platform ?? nodePlatform(), location).catch(throwLevelError);
  }

  /** Makes a database that does not open any more one that does, of what can still be read; see `repairStore`. */
  static async repair(location: string, options: LocationOptions = {}): Promise<SalvageReport | null> {
    checkLocation(location);
    return repairStore(options.platform ?? nodePlatform(), location).catch(throwLevelError);
  }
}

function sourceOf(place: string | Store, platform: Platform | undefined): LevelSource {
  if (typeof place === "object" && place !== null) return { store: place };
  checkLocation(place);
  return { location: place, platform: platform ?? nodePlatform() };
}

function checkLocation(location: unknown): void {
  if (typeof location !== "string" || location === "") {
    throw new TypeError("The first argument 'location' must be a non-empty string");
  }
}

export type { StillwaterWriteOptions } from "./abstract-level.js";
export { LevelError, type LevelErrorCode } from "./errors.js";
export type { StillwaterLevelOptions } from "./options.js";
export { StillwaterSnapshot } from "./snapshot.js";
