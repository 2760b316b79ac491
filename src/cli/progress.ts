/** A progress bar on standard error, when a person watches; otherwise nothing. */

import type { JsonOption } from "./session.js";
import { isWatched } from "./terminal.js";

export interface Progress {
  update(bytes: number, rows: number): void;
  stop(): void;
}

/** `totalBytes` null: how much there is to do is not known, and only what is done is shown. */
export async function startProgress(options: JsonOption, totalBytes: number | null): Promise<Progress> {
  if (options.json === true || !isWatched()) return { update: () => undefined, stop: () => undefined };
  const { SingleBar } = (await import("cli-progress")).default;
  const format = totalBytes === null ? "{rows} rows" : "{bar} {percentage} %  {rows} rows";
  const bar = new SingleBar({ format, clearOnComplete: true, hideCursor: true });
  bar.start(totalBytes ?? 1, 0, { rows: 0 });
  return {
    update: (bytes, rows) => bar.update(totalBytes === null ? 0 : Math.min(bytes, totalBytes), { rows }),
    stop: () => bar.stop(),
  };
}
