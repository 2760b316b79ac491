/**
 * Carries out the operations on backups: one repository beside the store, in which backups are made while the workload
 * goes on, and what is known of each of them. Restored stores are opened, compared and removed again; damage is done to
 * one file for as long as it takes to see it found. The judging is O41's (`oracles/backups.ts`).
 *
 * A backup whose call has no answer (a crash, an error) may be there or not; so may one whose deletion has none. Once the
 * disk has lied or lost bytes at rest nothing more is asked: nobody can say what a repository must hold then.
 */
import { writeBackup } from "../../src/engine/backup/create.js";
import { pruneRepository, removeBackup } from "../../src/engine/backup/prune.js";
import { openRepository } from "../../src/engine/backup/repository.js";
import {
  inspectRepository,
  restoreFromRepository,
  verifyInRepository,
} from "../../src/engine/backup/restore.js";
import type { BackupInfo, RepositoryReport } from "../../src/engine/backup/types.js";
import { type ErrorCode, hasCode } from "../../src/platform/errors.js";
import { baseName, joinPath } from "../../src/platform/path.js";
import {
  checkBackupVersion,
  checkDurableBackup,
  checkListed,
  checkRestored,
  type KnownBackup,
} from "../oracles/backups.js";
import { OracleFailure } from "../oracles/failure.js";
import type { Operation } from "../workload/operation.js";
import { attempt, checkDurableCopy, isHonest, readCopy, remove } from "./copies.js";
import { disturbBackups } from "./rare-moments.js";
import { DamageFound, type Session, STORE_DIRECTORY } from "./session.js";

export const REPOSITORY = "/backups";
/** An id that no backup has. */
const NO_BACKUP = "000000-00000000";
const KEEP_MAX = 4;
const KEEP_ALL = 1_000_000;
/** Backups whose calls may be under way beside the workload: the second is refused. */
const UNDER_WAY_MAX = 2;
const RESTORES_AFTER_RECOVERY = 0.4;

type BackupOperation = Extract<Operation, { kind: "backup" }>;

interface UnderWay {
  /** Newest commit that the backup must hold. */
  readonly acknowledged: number;
}

/** A flipped bit that is to be put right. */
interface Damage {
  readonly path: string;
  readonly offset: number;
  readonly bit: number;
}

export class Backups {
  readonly #session: Session;
  readonly #known = new Map<string, KnownBackup>();
  readonly #deleted = new Set<string>();
  /** Calls that may have made a backup of which nobody was told. */
  #unanswered: Pick<KnownBackup, "model" | "span">[] = [];
  #underWay = new Set<UnderWay>();
  #damage: Damage | null = null;
  #number = 0;
  #isBlind = false;

  constructor(session: Session) {
    this.#session = session;
  }

  async run({ call, which, waits }: BackupOperation): Promise<void> {
    if (this.#sees() === false) return;
    disturbBackups(this.#session);
    switch (call) {
      case "create":
        return await this.#create(which % 2 === 1, waits);
      case "verify":
        return await this.#verify(this.#pick(which));
      case "restore":
        return await this.#restore(this.#pick(which));
      case "delete":
        return await this.#delete(this.#pick(which));
      case "prune":
        return await this.#prune(1 + (which % KEEP_MAX));
      case "damage":
        return await this.#strike(which);
    }
  }

  /** After the recovery of the store, whether the life before had ended in order or not. */
  async recovered(): Promise<void> {
    this.#mend();
    const { model } = this.#session;
    for (const { acknowledged } of this.#underWay)
      this.#unanswered.push({ model: model.copy(), span: { low: acknowledged, high: model.resolved } });
    this.#underWay.clear();
    if (!this.#sees()) return;
    const report = await this.#judgeList();
    const choices = this.#session.world.choices.stream("backups");
    const { backups } = report;
    if (backups.length === 0 || !choices.chance(RESTORES_AFTER_RECOVERY, "backups.restore")) return;
    const chosen = backups[choices.below(backups.length, "backups.which")] as BackupInfo; // below(n) < n
    await this.#restore(chosen.id);
  }

  /** With faults off: what is listed restores, the store is backed up once more, and nothing superfluous is left. */
  async atRest(): Promise<void> {
    if (this.#number === 0 || !this.#sees()) return;
    for (const { id } of (await this.#judgeList()).backups) await this.#restore(id);
    await this.#create(false, true);
    await this.#prune(1);
    if (!this.#sees()) return;
    const { backups } = await this.#judgeList();
    const { vfs } = this.#session.life.platform;
    const tables = await this.#session.retrying("listing the tables of backups", () =>
      vfs.list(joinPath(REPOSITORY, "tables")),
    );
    const needed = backups[0]?.tables ?? 0;
    if (backups.length !== 1 || tables.length !== needed) {
      throw new OracleFailure(
        "O41",
        `${tables.length} tables are left in the repository for ${backups.length} backups, of which the first has ${needed}`,
      );
    }
  }

  async #create(copies: boolean, waits: boolean): Promise<void> {
    const session = this.#session;
    const { store, model, ledger, inFlight, disk } = session;
    const underWay: UnderWay = { acknowledged: model.acknowledgedUpTo() };
    const promised = model.versionAt(underWay.acknowledged);
    const expected: ErrorCode[] = this.#underWay.size > 0 ? ["LOCKED"] : [];
    const call = writeBackup(store.backupSource, REPOSITORY, { note: `${this.#number++}`, copies });
    this.#underWay.add(underWay);
    const onAnswer = ({ id, version }: BackupInfo): void => {
      this.#underWay.delete(underWay);
      if (!this.#sees()) return;
      checkBackupVersion(ledger, id, version, promised);
      if (this.#known.has(id) || this.#deleted.has(id))
        throw new OracleFailure("O41", `two backups have the id ${id}`);
      this.#known.set(id, { model: model.copy(), span: model.visibleAt(version), isCertain: true });
      checkDurableBackup(ledger, disk.snapshotDurable(), REPOSITORY, id, "made");
    };
    inFlight.add("createBackup", call, onAnswer, (error) => {
      this.#underWay.delete(underWay);
      const legal = session.closing ? [...expected, "CLOSED" as const] : expected;
      const verdict = session.judge(error, "createBackup", this.#readsFail(legal));
      if (verdict === "damage") throw new DamageFound("createBackup");
      // Whoever is refused has made nothing; any other error may have come behind the last step.
      if (verdict === "refused" && !hasCode(error, "CORRUPTION")) return;
      this.#unanswered.push({
        model: model.copy(),
        span: { low: underWay.acknowledged, high: model.submitted },
      });
    });
    await inFlight.waitBelow(waits ? 0 : UNDER_WAY_MAX + session.options.committersMax);
  }

  async #verify(id: string): Promise<void> {
    const { life } = this.#session;
    await this.#call("verifyBackup", id, async () => {
      const { problems } = await verifyInRepository(life.platform, REPOSITORY, id, {});
      this.#session.checkAlive();
      // What cannot be read does not verify either.
      if (problems.length === 0 || !this.#sees() || this.#session.disk.hasFailedReads) return;
      throw new OracleFailure("O41", `verify finds damage in backup ${id}: ${problems[0]?.message}`);
    });
  }

  async #restore(id: string): Promise<void> {
    const session = this.#session;
    const { life, ledger } = session;
    const target = `/restored-backup-${this.#number++}`;
    const report = await attempt(
      session,
      "restoreBackup",
      target,
      () => restoreFromRepository(life.platform, REPOSITORY, id, target, {}),
      this.#expected(id),
    );
    if (report === null) return;
    checkDurableCopy(session, target);
    const { rows, openedAt } = await readCopy(session, target);
    if (this.#sees()) {
      checkRestored(ledger, id, this.#candidates(id), rows);
      if (openedAt < report.version)
        throw new OracleFailure(
          "O41",
          `backup ${id} is of version ${report.version}, but opens at ${openedAt}`,
        );
    }
    await remove(session, target);
  }

  async #delete(id: string): Promise<void> {
    const backup = this.#known.get(id);
    const expected = this.#expected(id);
    if (backup !== undefined) backup.isCertain = false;
    const done = await this.#call(
      "deleteBackup",
      id,
      async () => {
        await removeBackup(this.#session.life.platform, REPOSITORY, id);
        this.#session.checkAlive();
        this.#known.delete(id);
        this.#deleted.add(id);
      },
      expected,
    );
    // Who is refused for the lock has changed nothing.
    if (
      done === "refused" &&
      backup !== undefined &&
      expected.includes("LOCKED") &&
      !expected.includes("UNKNOWN_BACKUP")
    )
      backup.isCertain = true;
  }

  async #prune(keep: number): Promise<void> {
    const certain = [...this.#known.values()].filter(({ isCertain }) => isCertain);
    const expected = this.#expected(NO_BACKUP);
    for (const backup of certain) backup.isCertain = false;
    const done = await this.#call(
      "pruneBackups",
      NO_BACKUP,
      async () => {
        const report = await pruneRepository(this.#session.life.platform, REPOSITORY, { keep });
        this.#session.checkAlive();
        for (const { id } of report.deleted) {
          this.#known.delete(id);
          this.#deleted.add(id);
        }
        const newest = [...report.kept, ...report.deleted]
          .map(({ id }) => id)
          .sort()
          .slice(-keep);
        const wrong = report.deleted.find(({ id }) => newest.includes(id));
        if (this.#sees() && wrong !== undefined)
          throw new OracleFailure("O41", `pruning all but ${keep} has deleted ${wrong.id}`);
      },
      expected,
    );
    if (done === "failed") return;
    for (const backup of certain) backup.isCertain = true;
  }

  /** Something flips a bit of one file of the repository: it must be found, and not be restored. */
  async #strike(which: number): Promise<void> {
    const session = this.#session;
    await session.inFlight.waitBelow(0);
    if (!this.#sees()) return;
    const id = this.#pick(which);
    if (this.#known.get(id)?.isCertain !== true) return;
    const { disk, life, ledger } = session;
    const files = await session.retrying("looking for a file to damage", () => this.#filesOf(id));
    const place = files[which % files.length];
    if (place === undefined || place.bytes === 0) return;
    this.#damage = { path: place.path, offset: Math.floor(which / 7) % place.bytes, bit: which % 8 };
    const { path, offset, bit } = this.#damage;
    disk.corrupt(path, offset, bit);
    if (path.endsWith(".backup") && Math.floor(which / 11) % 2 === 0)
      return await this.#clearBesideDamage(id);
    const wants = which % 3 === 0 ? "restore" : "verify";
    const target = `/restored-damaged-${this.#number++}`;
    let finding: string | null = null;
    try {
      if (wants === "verify") {
        const { problems } = await verifyInRepository(life.platform, REPOSITORY, id, {});
        finding = problems[0]?.message ?? null;
      } else await restoreFromRepository(life.platform, REPOSITORY, id, target, { verify: which % 2 === 0 });
      session.checkAlive();
    } catch (error) {
      session.judge(error, `${wants} of a damaged backup`);
      finding = String(error);
    }
    this.#mend();
    ledger.count("O41");
    if (finding === null)
      throw new OracleFailure(
        "O41",
        `${wants} of backup ${id} does not see a flipped bit at byte ${offset} of ${path}`,
      );
    await remove(session, target);
  }

  /** While a descriptor is damaged nobody knows which tables are its own, so none may go. */
  async #clearBesideDamage(id: string): Promise<void> {
    await this.#call("pruneBackups", NO_BACKUP, async () => {
      await pruneRepository(this.#session.life.platform, REPOSITORY, { keep: KEEP_ALL });
    });
    this.#mend();
    await this.#verify(id);
  }

  /** Those of which the store has not another name: what is damaged there is the store's as well. */
  #filesOf(id: string): { readonly path: string; readonly bytes: number }[] {
    const { life, disk } = this.#session;
    const { vfs } = life.platform;
    const tables = vfs
      .list(joinPath(REPOSITORY, "tables"))
      .map((name) => joinPath(REPOSITORY, joinPath("tables", name)));
    const own = joinPath(REPOSITORY, joinPath("backups", `${id}.backup`));
    const stored = new Set(
      vfs.list(STORE_DIRECTORY).map((name) => disk.fileNumberAt(joinPath(STORE_DIRECTORY, name))),
    );
    const needed = this.#namesOf(id);
    return [own, ...tables]
      .filter((path) => path === own || (needed.has(baseName(path)) && !stored.has(disk.fileNumberAt(path))))
      .map((path) => ({ path, bytes: vfs.stat(path)?.size ?? 0 }));
  }

  #namesOf(id: string): ReadonlySet<string> {
    const repository = openRepository(this.#session.life.platform.vfs, REPOSITORY);
    return new Set(repository.descriptor(id).tables.map((table) => baseName(repository.tablePath(table))));
  }

  #mend(): void {
    if (this.#damage === null) return;
    const { path, offset, bit } = this.#damage;
    this.#damage = null;
    this.#session.disk.mend(path, offset, bit);
  }

  async #judgeList(): Promise<RepositoryReport> {
    const session = this.#session;
    const { vfs } = session.life.platform;
    const report = await session.retrying("listing backups", () =>
      vfs.stat(REPOSITORY) === null
        ? { backups: [], damaged: [], foreign: [] }
        : inspectRepository(vfs, REPOSITORY),
    );
    const faults = session.disk.counters.faults;
    const strangers = checkListed(
      session.ledger,
      report,
      this.#known,
      this.#deleted,
      this.#unanswered.length,
      faults["S22 sync error"] > 0,
    );
    for (const id of strangers) this.#known.set(id, { ...this.#anyUnanswered(), isCertain: false });
    return report;
  }

  #anyUnanswered(): Pick<KnownBackup, "model" | "span"> {
    return this.#unanswered[0] as KnownBackup; // there are no more strangers than calls without an answer
  }

  /** A stranger may be of any of the calls without an answer. */
  #candidates(id: string): readonly Pick<KnownBackup, "model" | "span">[] {
    const backup = this.#known.get(id);
    if (backup === undefined) return this.#unanswered;
    return this.#unanswered.some(({ model }) => model === backup.model) ? this.#unanswered : [backup];
  }

  /** What a call on this backup may be refused for. */
  #expected(id: string): ErrorCode[] {
    const codes: ErrorCode[] = [];
    if (this.#underWay.size > 0) codes.push("LOCKED");
    if (this.#known.get(id)?.isCertain !== true) codes.push("UNKNOWN_BACKUP", "NOT_A_REPOSITORY");
    return this.#readsFail(codes);
  }

  #readsFail(codes: readonly ErrorCode[]): ErrorCode[] {
    return this.#session.disk.hasFailedReads ? [...codes, "CORRUPTION"] : [...codes];
  }

  async #call(
    call: string,
    id: string,
    make: () => Promise<void>,
    expected = this.#expected(id),
  ): Promise<"done" | "refused" | "failed"> {
    try {
      await make();
      return "done";
    } catch (error) {
      const verdict = this.#session.judge(error, call, expected);
      if (verdict === "damage") throw new DamageFound(call);
      return verdict === "refused" && !hasCode(error, "CORRUPTION") ? "refused" : "failed";
    }
  }

  #pick(which: number): string {
    const ids = [...this.#known.keys()];
    return ids[which % Math.max(1, ids.length)] ?? NO_BACKUP;
  }

  #sees(): boolean {
    this.#isBlind ||= !isHonest(this.#session);
    return !this.#isBlind;
  }
}
