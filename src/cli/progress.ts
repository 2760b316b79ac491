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

/** The same for work that is measured in bytes alone. */
export async function startByteProgress(options: JsonOption): Promise<{
  readonly update: (progress: { readonly bytesDone: number; readonly bytesTotal: number }) => void;
  readonly stop: () => void;
}> {
  if (options.json === true || !isWatched()) return { update: () => undefined, stop: () => undefined };
  const { SingleBar } = (await import("cli-progress")).default;
  const bar = new SingleBar({
    format: "{bar} {percentage} %  {megabytes} MB",
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(1, 0, { megabytes: 0 });
  return {
    update: ({ bytesDone, bytesTotal }) =>
      bar.update(bytesTotal === 0 ? 1 : bytesDone / bytesTotal, { megabytes: Math.round(bytesDone / 1e6) }),
    stop: () => bar.stop(),
  };
}
