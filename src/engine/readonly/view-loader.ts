/**
 * Reads a store that somebody else may be writing: CURRENT, the manifest, the tables it names, the live log; and shows that
 * what was read belongs together. Takes no lock and changes nothing, so it must get along with everything that a writer does.
 *
 *     CURRENT ─► manifest ─► open every table ─► list and read the live log ─► manifest again
 *                   ▲                                                              │
 *                   └───────────── the log has been shortened meanwhile ◄──────────┘
 *
 * Why what comes of it is a prefix that lacks nothing durable: a writer removes a file only after the manifest has said so.
 * So a table that could be opened is the one that was meant, and stays readable; and as long as the manifest calls the same
 * log segments live as before, none of them was removed before it was read. Every commit that was acknowledged as durable
 * before the call was by then in a table of the manifest, or in a segment that was in the directory.
 *
 * Whatever looks wrong (a file that is gone, a record that does not verify and yet others follow it) may be the writer's
 * work at this very moment. It is believed when a second reading, begun after the first, finds the same and the store has not
 * changed meanwhile: what was being written then is written now. So damage is found, and only damage.
 */
import { hasCode, StillwaterError } from "../../platform/errors.js";
import { mutant, sometimes } from "../../platform/probes.js";
import type { VFS } from "../../platform/vfs.js";
import { readCurrent } from "../manifest/current.js";
import { type LoadedManifest, readManifest } from "../manifest/manifest-log.js";
import { checkBehindTables, checkContinues, liveWalNumbers, refuseUnlessUnborn } from "../replay.js";
import { type HeldTables, storeReplaced } from "./held-tables.js";
import { LogImage } from "./log-image.js";

/** What was found, as of one moment. */
export interface LoadedView {
  readonly manifest: LoadedManifest;
  /** The live log, oldest first. */
  readonly log: readonly LogImage[];
  readonly version: number;
}

/** A writer that changes the store faster than it can be read, so often in a row, is told of. */
const TRIES_MAX = 100;

export class ViewLoader {
  readonly #vfs: VFS;
  readonly #directory: string;
  readonly #tables: HeldTables;
  /** What of the log has been read, by number. */
  #images = new Map<number, LogImage>();
  #newest: LoadedView | null = null;
  /** State of the manifest that the attempt under way goes by. */
  #basis = "";

  constructor(vfs: VFS, directory: string, tables: HeldTables) {
    this.#vfs = vfs;
    this.#directory = directory;
    this.#tables = tables;
  }

  /**
   * Loads the newest view; every step is a bounded piece of work. Throws `NOT_A_STORE`, `CORRUPTION`, `UNSUPPORTED_FORMAT`,
   * `STORE_REPLACED`, `BUSY`, file errors. Tables that it opened stay open, whatever becomes of it.
   */
  *load(): Generator<void, LoadedView, void> {
    let doubt = "";
    for (let tries = 1; ; tries++) {
      let cause: unknown;
      try {
        const view = yield* this.#attempt();
        if (view !== null) return view;
        sometimes("read-only.log-was-shortened");
        doubt = "";
      } catch (error) {
        if (!mayBeRace(error) || mutant("Y3-first-look-believed")) throw error;
        const found = `${this.#basis} ${error.message}`;
        if (found === doubt) throw error;
        sometimes("read-only.looks-again");
        doubt = found;
        cause = error;
      }
      if (tries === TRIES_MAX) throw this.#tooBusy(cause);
      yield;
    }
  }

  /** Null when the log was shortened between the first look at the manifest and the last. */
  *#attempt(): Generator<void, LoadedView | null, void> {
    const manifest = yield* this.#readManifest();
    const before = this.#newest;
    if (before !== null && !isLaterOf(before.manifest, manifest)) throw storeReplaced(this.#directory);
    for (const tables of manifest.levels) {
      for (const table of tables) {
        this.#tables.hold(table);
        yield;
      }
    }
    const log = yield* this.#readLog(manifest);
    if (!mutant("Y1-manifest-not-checked-again")) {
      const now = yield* this.#readManifest();
      if (now.counters.minWalNumber !== manifest.counters.minWalNumber) return null;
    }
    const version = log.reduce(
      (newest, image) => Math.max(newest, image.position.lastVersion),
      manifest.counters.lastVersion,
    );
    if (before !== null && version < before.version) throw storeReplaced(this.#directory);
    const view = { manifest, log, version };
    this.#newest = view;
    this.#images = new Map(log.map((image) => [image.fileNumber, image]));
    return view;
  }

  *#readManifest(): Generator<void, LoadedManifest, void> {
    const current = readCurrent(this.#vfs, this.#directory);
    if (current === null) throw noStore(this.#directory);
    this.#basis = String(current.manifestNumber);
    yield;
    const manifest = readManifest(this.#vfs, this.#directory, current);
    this.#basis += `:${manifest.editNumber}`;
    yield;
    return manifest;
  }

  *#readLog(manifest: LoadedManifest): Generator<void, readonly LogImage[], void> {
    const vfs = this.#vfs;
    const directory = this.#directory;
    const { minWalNumber, lastVersion } = manifest.counters;
    const numbers = liveWalNumbers(vfs, directory, vfs.list(directory), minWalNumber);
    yield;
    const log: LogImage[] = [];
    for (const number of mutant("Y4-newest-segment-left-out") ? numbers.slice(0, -1) : numbers) {
      const image =
        this.#images.get(number) ?? (yield* LogImage.begin(vfs, directory, number, manifest.storeId));
      if (image === null) {
        sometimes("read-only.unborn-segment");
        refuseUnlessUnborn(vfs, directory, number, number === numbers.at(-1));
        continue;
      }
      yield* image.extend(vfs, directory);
      checkContinues(directory, image.position, log.at(-1)?.position ?? null, minWalNumber);
      checkBehindTables(directory, image.position, lastVersion);
      log.push(image);
    }
    return log;
  }

  #tooBusy(cause: unknown): StillwaterError {
    return new StillwaterError(
      "BUSY",
      `the store in ${this.#directory} changed ${TRIES_MAX} times while it was being read. Try again, or read more rarely.`,
      { path: this.#directory, cause },
    );
  }
}

/** What the writer's work may look like from outside. */
function mayBeRace(error: unknown): error is StillwaterError {
  return hasCode(error, "CORRUPTION") || hasCode(error, "NOT_FOUND");
}

function isLaterOf(before: LoadedManifest, after: LoadedManifest): boolean {
  return (
    before.storeId.every((byte, i) => byte === after.storeId[i]) &&
    after.counters.nextFileNumber >= before.counters.nextFileNumber &&
    after.counters.lastVersion >= before.counters.lastVersion
  );
}

function noStore(directory: string): StillwaterError {
  return new StillwaterError("NOT_A_STORE", `there is no store in ${directory}. Check the path.`, {
    path: directory,
  });
}
