/** `createSnapshot`, `deleteSnapshot`: a fixed view to read several pages of, held for a time. */
import { operation } from "../operation.js";
import { integer, object, optional, text } from "../schema.js";
import { SNAPSHOT_TIME_MS, SNAPSHOT_TIME_MS_MAX } from "../snapshot-shelf.js";
import { snapshotName, version } from "./rows.js";

export const createSnapshot = operation({
  name: "createSnapshot",
  summary: "Hold the store as it is now, to read it for a while.",
  effect: "read",
  errors: ["BUSY", "NOT_SUPPORTED"],
  input: object({
    ttlMs: optional(
      integer({
        minimum: 1,
        maximum: SNAPSHOT_TIME_MS_MAX,
        default: SNAPSHOT_TIME_MS,
        description: "After this it is gone. While it is held, what it shows is not compacted away.",
      }),
    ),
  }),
  output: object({ id: text(), version, ttlMs: integer({ minimum: 1 }) }),
  async run(context, { ttlMs = SNAPSHOT_TIME_MS }) {
    const { id, snapshot } = context.snapshots.take(ttlMs);
    return { id, version: snapshot.version, ttlMs };
  },
});

export const deleteSnapshot = operation({
  name: "deleteSnapshot",
  summary: "Give a held snapshot back before its time.",
  effect: "read",
  errors: ["NOT_FOUND"],
  input: object({ id: snapshotName }),
  output: object({ id: text() }),
  async run(context, { id }) {
    context.snapshots.delete(id);
    return { id };
  },
});
