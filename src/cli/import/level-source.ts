/**
 * The rows of a LevelDB directory, byte for byte, in LevelDB's order. Read through `classic-level`, which is LevelDB itself: it
 * takes LevelDB's lock, and may recover and compact while it has the directory open.
 */
import { statSync } from "node:fs";
import { StillwaterError } from "../../platform/errors.js";
import { optionalModule } from "./optional-module.js";
import type { RowSource, SourceRow } from "./row-source.js";

/** What of `classic-level` is used. */
interface LevelDatabase {
  open(options: { readonly createIfMissing: false }): Promise<void>;
  iterator(): LevelIterator;
  close(): Promise<void>;
}

interface LevelIterator {
  nextv(size: number): Promise<readonly (readonly [Buffer, Buffer])[]>;
  close(): Promise<void>;
}

type LevelConstructor = new (
  location: string,
  options: { readonly keyEncoding: "buffer"; readonly valueEncoding: "buffer" },
) => LevelDatabase;

const PAGE_ROWS = 1000;

/** Throws `MISSING_DEPENDENCY`, and `NOT_FOUND`, `LOCKED` or `IO` for what LevelDB says when it opens the directory. */
export async function openLevelSource(path: string): Promise<RowSource> {
  const { ClassicLevel } = optionalModule(
    "classic-level",
    "Importing from LevelDB needs",
    "classic-level",
  ) as { readonly ClassicLevel: LevelConstructor };
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new StillwaterError("NOT_FOUND", `there is no directory ${path}. Check the path.`, { path });
  const level = new ClassicLevel(path, { keyEncoding: "buffer", valueEncoding: "buffer" });
  try {
    await level.open({ createIfMissing: false });
  } catch (error) {
    throw openingFailed(path, error);
  }
  return {
    kind: "level",
    path,
    total: null,
    rows: () => rowsOf(level),
    describe: (row) => `row ${row} of ${path}`,
    close: () => level.close(),
  };
}

async function* rowsOf(level: LevelDatabase): AsyncGenerator<SourceRow, void, void> {
  const iterator = level.iterator();
  try {
    for (;;) {
      const page = await iterator.nextv(PAGE_ROWS);
      if (page.length === 0) return;
      yield* page;
    }
  } finally {
    await iterator.close();
  }
}

function openingFailed(path: string, error: unknown): StillwaterError {
  const cause = (error as { readonly cause?: unknown } | null)?.cause ?? error;
  const { code = "", message } = cause as { readonly code?: string; readonly message: string };
  const isLocked = code === "LEVEL_LOCKED";
  return new StillwaterError(
    isLocked ? "LOCKED" : "IO",
    `LevelDB does not open ${path}: ${message.replace(/\.*$/, ".")} ${isLocked ? "Close it in the program that has it open first." : "Check that it is a LevelDB database."}`,
    { path, cause: error },
  );
}
