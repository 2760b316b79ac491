/**
 * Looks at what is durable after every change of it: before each VFS call and before each task, which no change can
 * slip between, since each is made by one call or by one completion. Feeds O7, O8, O9 and O24; what it finds is kept for
 * the main task, since thrown inside a call the engine could swallow it.
 * Does not own: reading (`DurableReader`, which decodes only what is new), judging.
 */
import type { LoadedManifest } from "../../src/engine/manifest/manifest-log.js";
import { assert } from "../../src/platform/assert.js";
import { baseName, parentPath } from "../../src/platform/path.js";
import type { DirectoryNode } from "../disk/name-log.js";
import type { VFSOperation } from "../disk/simulation-disk.js";
import { DurableReader, type DurableStore } from "../oracles/durable-reader.js";
import { OracleFailure } from "../oracles/failure.js";
import { checkDurableRemoval, checkRemoval } from "../oracles/file-lifetime.js";
import { LogAndTables } from "../oracles/log-and-tables.js";
import { DurableTables } from "../oracles/referential-integrity.js";
import { type Session, STORE_DIRECTORY } from "./session.js";

export class DurableWatch {
  readonly #session: Session;
  readonly #reader = new DurableReader();
  readonly #tables: DurableTables;
  readonly #logAndTables: LogAndTables;
  #versionSeen = -1;
  #store: DurableStore | null = null;
  #logIsRotten = false;

  constructor(session: Session) {
    this.#session = session;
    this.#tables = new DurableTables(session.ledger);
    this.#logAndTables = new LogAndTables(session.ledger);
    session.world.observer = (operation, path) => this.#beforeCall(operation, path);
    session.world.beforeTask = () => this.#beforeTask();
  }

  /** The power failed, so that what is durable need hold no more than O1 demands. */
  powerLost(): void {
    this.#logAndTables.powerLost();
  }

  /** Somebody has damaged the log on purpose: from now on only the manifest can be relied on to decode. */
  logRots(): void {
    this.#logIsRotten = true;
  }

  /** The store's own loader, which reads everything anew, has found this: two readers must agree. */
  compareWith(loaded: LoadedManifest | null): void {
    this.#look();
    if (this.#logIsRotten) return;
    assert(
      (loaded === null) === (this.#store === null),
      "two readers agree whether there is a durable store",
    );
    if (loaded === null || this.#store === null) return;
    assert(loaded.editNumber === this.#store.editNumber, "two readers find the same last edit");
    assert(haveSameTables(loaded.levels, this.#store.levels), "two readers find the same tables");
  }

  #beforeTask(): void {
    if (this.#session.disk.durableVersion === this.#versionSeen) return;
    this.#guarded(() => this.#look());
  }

  #beforeCall(operation: VFSOperation, path: string): void {
    const { callListener, fileNumbers, ledger } = this.#session;
    if (callListener !== null) this.#guarded(() => callListener(operation, path));
    if (operation === "createFile" && parentPath(path) === STORE_DIRECTORY)
      this.#guarded(() => fileNumbers.creating(ledger, baseName(path)));
    if (operation === "removeFile" && parentPath(path) === STORE_DIRECTORY)
      fileNumbers.removing(baseName(path));
    if (operation === "removeFile" || operation === "rename")
      this.#guarded(() => this.#checkRemoval(operation, path));
    else this.#beforeTask();
  }

  #look(): void {
    const { disk, ledger, monotonicity, created } = this.#session;
    this.#versionSeen = disk.durableVersion;
    // A disk that lies has a durable state of its own, which no store can answer for.
    if (disk.isLying || disk.lossShows) {
      this.#store = null;
      this.#logAndTables.powerLost();
      return;
    }
    const before = this.#store;
    const directory = disk.durableDirectory(STORE_DIRECTORY);
    try {
      this.#store = directory === null ? null : this.#reader.read(directory);
    } catch (error) {
      if (this.#logIsRotten) return;
      ledger.count("O8");
      const said = error instanceof Error ? error.message : String(error);
      throw new OracleFailure("O8", `the durable state is not a store: ${said}`, error);
    }
    if (this.#store === null) {
      ledger.count("O8");
      if (!created) return;
      throw new OracleFailure(
        "O8",
        "the durable state has no CURRENT, though the store was created long ago",
      );
    }
    this.#tables.check(this.#store.levels, directory as DirectoryNode);
    if (this.#store !== before && this.#store.manifestChanged) monotonicity.observeDurable(this.#store);
    if (!this.#logIsRotten) this.#logAndTables.observe(this.#store);
  }

  /** A rename takes a file away too, unless it replaces CURRENT or gives a file its name within the directory. */
  #checkRemoval(operation: VFSOperation, path: string): void {
    const { disk, ledger, hasStore } = this.#session;
    // A sync that was a lie changes nothing, and so is not noticed otherwise.
    if (disk.durableVersion !== this.#versionSeen || disk.isLying) this.#look();
    if (parentPath(path) !== STORE_DIRECTORY) return;
    const name = baseName(path);
    if (operation === "removeFile" && hasStore) checkRemoval(ledger, this.#session.store.inspect(), name);
    // What a disk that lies has durably is not what it said.
    const isHonest = !disk.isLying && !disk.lossShows;
    if (isHonest && this.#store !== null && !this.#logIsRotten)
      checkDurableRemoval(ledger, this.#store, name, operation === "rename" ? 0 : disk.handlesOf(path));
  }

  #guarded(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#session.found(error);
    }
  }
}

function haveSameTables(a: DurableStore["levels"], b: DurableStore["levels"]): boolean {
  return (
    a.length === b.length &&
    a.every((tables, level) => {
      const others = b[level] ?? [];
      return (
        tables.length === others.length &&
        tables.every(({ fileNumber }, index) => fileNumber === others[index]?.fileNumber)
      );
    })
  );
}
