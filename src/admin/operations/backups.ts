/** `listBackups`, `createBackup`: of the one repository that the admin was given. Callers name no paths. */
import { writeBackup } from "../../engine/backup/create.js";
import { inspectRepository } from "../../engine/backup/restore.js";
import { StillwaterError } from "../../platform/errors.js";
import { type AdminContext, storeOf } from "../context.js";
import { operation } from "../operation.js";
import { integer, list, object, optional, text } from "../schema.js";
import { version } from "./rows.js";

const natural = integer({ minimum: 0 });

const backup = object({
  id: text({ description: "Rises with each backup." }),
  createdAt: integer({ description: "Milliseconds since 1970 by the machine's clock." }),
  note: text(),
  version,
  bytes: natural,
  tables: natural,
  newBytes: integer({ minimum: 0, description: "Bytes of tables that no earlier backup had." }),
});

export const listBackups = operation({
  name: "listBackups",
  summary: "List backups, the oldest first.",
  effect: "read",
  errors: ["NOT_SUPPORTED", "NOT_A_REPOSITORY"],
  input: object({}),
  output: object({
    backups: list(backup),
    damaged: list(text(), { description: "Ids of backups that are not whole, judged by names and sizes." }),
  }),
  async run(context) {
    const { vfs } = context.platform;
    const repository = repositoryOf(context);
    // The first backup makes it.
    if (vfs.stat(repository) === null) return { backups: [], damaged: [] };
    const { backups, damaged } = inspectRepository(vfs, repository);
    return { backups, damaged: damaged.map(({ id }) => id) };
  },
});

export const createBackup = operation({
  name: "createBackup",
  summary: "Back the store up while it is used.",
  description: "Answers when the backup is durable: it holds everything that was acknowledged before.",
  effect: "upkeep",
  errors: ["NOT_SUPPORTED", "NOT_A_REPOSITORY", "LOCKED", "NO_SPACE", "CORRUPTION"],
  input: object({ note: optional(text({ maxLength: 1_000, description: "A few words for people." })) }),
  output: object({ backup }),
  async run(context, { note = "" }) {
    return { backup: await writeBackup(storeOf(context).backupSource, repositoryOf(context), { note }) };
  },
});

/** Throws `NOT_SUPPORTED`. */
function repositoryOf({ backups }: AdminContext): string {
  if (backups !== null) return backups;
  throw new StillwaterError(
    "NOT_SUPPORTED",
    "this admin was given no place for backups. Start it with one: --backups REPOSITORY.",
  );
}
