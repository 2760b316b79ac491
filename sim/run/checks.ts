/**
 * Comparisons of the whole store with the model and with its own directory, used by recovery, by the `checkAll`
 * operation and by the liveness phase. Gathers the facts and hands them to the oracles.
 */
import type { LoadedManifest } from "../../src/engine/manifest/manifest-log.js";
import type { Store } from "../../src/engine/store.js";
import { joinPath } from "../../src/platform/path.js";
import type { VFS } from "../../src/platform/vfs.js";
import type { Row } from "../model/comparison.js";
import { OracleFailure } from "../oracles/failure.js";
import { checkOnceStored } from "../oracles/once-stored.js";
import { checkDurableStore, checkLiveFiles, checkSeal } from "../oracles/referential-integrity.js";
import { checkDeletedKeys } from "../oracles/resurrection.js";
import { checkShape } from "../oracles/shape.js";
import { checkGet, checkScan } from "../oracles/snapshot-stability.js";
import { keyText, shownKey } from "../workload/bytes.js";
import { type Session, STORE_DIRECTORY } from "./session.js";

/** A key that the runner writes itself. */
export const FRESH_KEY = "fresh";

/** Every row of a store, ascending. */
export function readAll(store: Store): Row[] {
  const rows: Row[] = [];
  for (const [key, value] of store.scan()) rows.push({ key: keyText(key), value });
  return rows;
}

/** Contents both ways, deleted keys by name, the shape of the tree, the files it names. */
export async function checkWholeStore(session: Session): Promise<void> {
  const { store, model, ledger } = session;
  session.order.readAt("a scan of everything", store.version);
  // Anew for each try: a read that fails is tried again later, and clients have committed meanwhile.
  const visible = () => model.visibleAt(store.version);
  const all = Number.POSITIVE_INFINITY;
  await session.retrying("a scan of everything", () => {
    const rows = readAll(store);
    checkScan(ledger, model, visible(), {}, all, rows, "a scan of everything", "O22");
    session.transactor.checkRows(rows, "at rest or beside clients");
  });
  await session.retrying("a reverse scan of everything", () => {
    const rows: Row[] = [];
    for (const [key, value] of store.scan({ reverse: true })) rows.push({ key: keyText(key), value });
    checkScan(ledger, model, visible(), { reverse: true }, all, rows, "a reverse scan of everything", "O22");
  });
  await session.retrying("reading deleted keys", () => {
    checkDeletedKeys(ledger, model, visible().high, (key) => store.getSync(key));
  });
  const { layers } = session.transactor;
  if (layers !== null) await layers.check("at rest or beside clients");
  checkStructure(session);
}

/** What can be asked of a store at any moment, without reading data. */
export function checkStructure(session: Session): void {
  const inspection = session.store.inspect();
  session.monotonicity.observeEngine(inspection);
  checkShape(session.ledger, inspection.levels);
  checkLiveFiles(session.ledger, inspection, session.listStore());
  session.metricsWatch.check(session.store);
}

/** What would survive if everything unsynced were lost now, as the store's own loader reads it. */
export function checkDurableState(session: Session): LoadedManifest | null {
  // A disk that lies has a durable state of its own, which no store can answer for.
  if (session.disk.isLying || session.disk.lossShows) return null;
  const durable = session.disk.snapshotDurable();
  const manifest = checkDurableStore(session.ledger, durable, STORE_DIRECTORY, session.created);
  if (manifest !== null) session.monotonicity.observeDurable(manifest);
  return manifest;
}

/** After a process that has had trouble: what it has left in the page cache must not vouch for what is not durable. */
export function checkSealLeft({ disk, ledger }: Session): void {
  if (disk.isLying || disk.lossShows) return;
  const seen = disk.crashedCopy([], "process-kill").mount();
  checkSeal(ledger, seen, disk.snapshotDurable(), STORE_DIRECTORY);
}

/**
 * After damage was found: every key still reads as something it once held, or fails with a typed error; never as
 * anything else (O23). Which of its values is not asked, since what is damaged cannot be told apart from what is old.
 */
export function checkDamagedStore(session: Session): void {
  const { model, ledger, store, operations, disk, transactor } = session;
  for (const history of model.histories) {
    let value: Uint8Array | undefined;
    try {
      value = store.getSync(history.bytes);
    } catch (error) {
      session.judge(error, `get ${shownKey(history.key)}`);
      continue;
    }
    if (disk.lossShows) {
      const rows = value === undefined ? [] : [{ key: history.key, value }];
      checkOnceStored(ledger, operations, rows, FRESH_KEY, transactor.hasStored);
      continue;
    }
    try {
      checkGet(
        ledger,
        model,
        { low: model.base, high: model.submitted },
        history.key,
        value,
        "beside damage",
      );
    } catch (error) {
      if (!(error instanceof OracleFailure)) throw error;
      throw new OracleFailure("O23", error.detail);
    }
  }
}

/** Removes a directory and what is in it, as far as it is there. */
export function removeTree(vfs: VFS, path: string): void {
  const stat = vfs.stat(path);
  if (stat === null) return;
  if (stat.kind === "file") {
    vfs.removeFile(path);
    return;
  }
  for (const name of vfs.list(path)) removeTree(vfs, joinPath(path, name));
  vfs.removeDirectory(path);
}
