/** The journal with its bug fixed: a new file is not durable until its directory is. */
import { dirname } from "node:path";
import { Journal } from "./journal.js";

export class FixedJournal extends Journal {
  override async open(): Promise<string[]> {
    const records = await super.open();
    const directory = await this.fs.promises.open(dirname(this.path), "r");
    await directory.sync();
    await directory.close();
    return records;
  }
}
