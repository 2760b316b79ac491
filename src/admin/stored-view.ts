/** The records of a view, opened for one answer by what the catalogue says at that version. */
import { openStoredRecords, type StoredRecords } from "../collection/stored-records.js";
import { type AdminContext, databaseOf } from "./context.js";
import { type RowView, viewDatabase, withView } from "./views.js";

/** Throws `NOT_FOUND` where no program has declared collections. */
export function withRecords<Result>(
  context: AdminContext,
  snapshot: string | undefined,
  action: (records: StoredRecords, view: RowView) => Promise<Result>,
): Promise<Result> {
  return withView(context, snapshot, async (view) =>
    action(await openStoredRecords(viewDatabase(view), context.platform, context.items), view),
  );
}

/** To be written. */
export function writableRecords(context: AdminContext): Promise<StoredRecords> {
  return openStoredRecords(databaseOf(context), context.platform, context.items);
}
