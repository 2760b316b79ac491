/**
 * The lanes of a page about the store: which job of the engine a call belongs to, by the modules on its stack. The
 * first rule that matches any frame wins, so that the code which all jobs share counts as the job's.
 */
import type { Classify, Frame } from "./places.js";

export const STORE_LANES = [
  "operations",
  "calls in flight",
  "commit log",
  "flush",
  "compaction",
  "background",
  "recovery",
] as const;

type StoreLane = (typeof STORE_LANES)[number];

const RULES: readonly (readonly [file: RegExp, lane: StoreLane])[] = [
  [/\/engine\/compaction\/flush-job\./, "flush"],
  [/\/engine\/compaction\//, "compaction"],
  [/\/engine\/(recovery|restore|salvage)\b/, "recovery"],
  [/\/engine\/(committer|wal\/)/, "commit log"],
  [/\/engine\/(background\/|tree-keeper|manifest\/)/, "background"],
];

/** Below these a call is only passed on. */
const PASSED_ON = /\/(sim\/disk|src\/platform)\//;
const OURS = /(?:^|\/)((?:src|sim)\/[\w./-]+?)\.[jt]s$/;

export const classifyStoreCall: Classify = (frames) => {
  const rule = RULES.find(([file]) => frames.some((frame) => file.test(frame.file)));
  const caller = frames.find(({ file }) => OURS.test(file) && !PASSED_ON.test(file));
  return { lane: rule?.[1] ?? "operations", place: caller === undefined ? null : placeOf(caller) };
};

/** "engine/wal/segment.ts, LogSegment.append" */
function placeOf({ file, name }: Frame): string {
  const path = (OURS.exec(file)?.[1] ?? file).replace(/^src\//, "");
  return name === "" ? `${path}.ts` : `${path}.ts, ${name}`;
}
