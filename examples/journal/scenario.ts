/** What a test of the journal says: what it does, and what must hold afterwards. */
import type * as NodeFS from "node:fs";
import type { Journal } from "./journal.js";

type JournalClass = new (fs: typeof NodeFS, path: string) => Journal;

const PATH = "/data/journal";

/** Appends some records; each is promised once `append` has resolved. */
export function appending(Class: JournalClass, records: readonly string[]) {
  return async ({ fs, acknowledge }: { fs: typeof NodeFS; acknowledge(record: string): void }) => {
    const journal = new Class(fs, PATH);
    await journal.open();
    for (const record of records) {
      await journal.append(record);
      acknowledge(record);
    }
    await journal.close();
  };
}

/** Everything that was promised is there, in order; one more may be, whose append was under way. */
export function nothingLost(Class: JournalClass) {
  return async ({ fs, acknowledged }: { fs: typeof NodeFS; acknowledged: readonly string[] }) => {
    const journal = new Class(fs, PATH);
    const records = await journal.open();
    const found = records.slice(0, acknowledged.length);
    if (JSON.stringify(found) !== JSON.stringify(acknowledged)) {
      throw new Error(`promised ${JSON.stringify(acknowledged)}, found ${JSON.stringify(records)}`);
    }
    await journal.append("life goes on");
  };
}
