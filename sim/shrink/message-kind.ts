/**
 * What kind of finding a failure is, so that a shrinker does not slip from one bug to another that breaks the same
 * promise: the assertion that failed, the damage that was reported, else the words of the message without its literal
 * values. Promises about content are one kind each: a wrong row is the same finding by scan and by get.
 */
import type { OracleId } from "../oracles/failure.js";

/** Their messages say which read showed it, and how wrong it was. */
const CONTENT_ORACLES: readonly OracleId[] = ["O1", "O2", "O3", "O4", "O6", "O12", "O20"];
const WORDS_KEPT = 12;
/** What stands before these depends on which call happened to come upon it. */
const CAUSES = ["internal assertion failed: ", "reports damage that nobody did: "];

/** `message` is that of an `OracleFailure`, or of an error of the simulator itself (`oracle` null). */
export function kindOfMessage(oracle: OracleId | null, message: string): string {
  const cause = CAUSES.find((each) => message.includes(each));
  if (cause !== undefined) return wordsOf(message.slice(message.indexOf(cause)));
  if (oracle !== null && CONTENT_ORACLES.includes(oracle)) return oracle;
  const [promise = ""] = /^O\d+ broken \(.*?\): /.exec(message) ?? [];
  return wordsOf(message.slice(promise.length));
}

function wordsOf(message: string): string {
  const [first = ""] = message.replaceAll(/"(?:[^"\\]|\\.)*"(?:…)?/g, "#").split(/; |\n|\. /);
  const words = first
    .replaceAll(/\([^()]*\)/g, "")
    .replaceAll(/\/[\w./-]+/g, "#")
    .replaceAll(/\b[\w.]*\d[\w.]*\b/g, "#")
    .split(/\s+/)
    .filter((word) => word !== "");
  return words.slice(0, WORDS_KEPT).join(" ");
}
