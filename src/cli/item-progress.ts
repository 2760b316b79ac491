/** A progress bar of work that goes through documents, on standard error, when a person watches; otherwise nothing. */
import type { JsonOption } from "./session.js";
import { isWatched } from "./terminal.js";

export interface ItemProgress {
  readonly update: (event: { readonly itemsDone: number; readonly fraction: number }) => void;
  readonly stop: () => void;
}

export async function startItemProgress(options: JsonOption): Promise<ItemProgress> {
  if (options.json === true || !isWatched()) return { update: () => undefined, stop: () => undefined };
  const { SingleBar } = (await import("cli-progress")).default;
  const bar = new SingleBar({
    format: "{bar} {percentage} %  {items} documents",
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(1, 0, { items: 0 });
  return {
    update: ({ itemsDone, fraction }) => bar.update(fraction, { items: itemsDone.toLocaleString("en-US") }),
    stop: () => bar.stop(),
  };
}

/** The same for work of which nobody knows how much there is: rows that have been looked at. */
export async function startRowProgress(
  options: JsonOption,
  what: string,
): Promise<{ readonly update: (rows: number) => void; readonly stop: () => void }> {
  if (options.json === true || !isWatched()) return { update: () => undefined, stop: () => undefined };
  const { SingleBar } = (await import("cli-progress")).default;
  const bar = new SingleBar({ format: `${what}: {rows} rows`, clearOnComplete: true, hideCursor: true });
  bar.start(1, 0, { rows: 0 });
  return { update: (rows) => bar.update(0, { rows: rows.toLocaleString("en-US") }), stop: () => bar.stop() };
}
