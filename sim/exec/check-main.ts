/**
 * The process that checks crash states (`sim exec` starts it): its `node:fs` shows one crash state after the other, and
 * the user's check runs on each. Gets its task as a real file, answers by messages. Not loaded by anything else.
 */
import realFS from "node:fs";
import type { SyncPersonality } from "../disk/options.js";
import type { CrashChoice } from "./crash-states.js";
import { type Exploration, type ExploreOptions, Explorer } from "./explorer.js";
import type { Finding } from "./findings.js";
import { loadCheck } from "./program-check.js";
import { Session } from "./session.js";
import { tapeFromJSON } from "./tape.js";

export interface CheckTask {
  readonly tape: unknown;
  readonly mount: string;
  readonly check: string;
  readonly personality: SyncPersonality;
  readonly explore: ExploreOptions;
  /** One crash state, instead of all. */
  readonly only: { readonly position: number; readonly choice: CrashChoice } | null;
}

export type CheckMessage =
  | { readonly type: "ready" }
  | { readonly type: "progress"; readonly position: number; readonly events: number }
  | { readonly type: "explored"; readonly exploration: Exploration }
  | { readonly type: "one"; readonly finding: Finding | null }
  | { readonly type: "error"; readonly message: string };

const PROGRESS_EVENTS = 20;
const { readFileSync } = realFS;

async function main(path: string): Promise<void> {
  const task = JSON.parse(readFileSync(path, "utf8")) as CheckTask;
  const { mount, personality, explore } = task;
  const session = new Session({ mount, allowWrite: false, seed: explore.seed, personality });
  const tape = tapeFromJSON(task.tape, mount);
  session.install();
  // While the module of the check is loaded, it may look at the disk: an empty one.
  const empty = session.createMachine();
  session.enter(empty);
  session.files.prepare(empty);
  const check = await loadCheck(task.check);
  const explorer = new Explorer(tape, session, check, explore);
  if (task.only !== null) {
    send({ type: "one", finding: await explorer.runOne(task.only.position, task.only.choice) });
    return;
  }
  let announced = 0;
  send({ type: "ready" });
  const exploration = await explorer.run((position) => {
    if (position < announced + PROGRESS_EVENTS) return;
    announced = position;
    send({ type: "progress", position, events: tape.events.length });
  });
  send({ type: "explored", exploration });
}

function send(message: CheckMessage): void {
  process.send?.(message);
}

main(process.argv[2] ?? "").then(
  () => process.disconnect(),
  (error: unknown) => {
    send({ type: "error", message: error instanceof Error ? error.message : String(error) });
    process.disconnect();
    process.exitCode = 1;
  },
);
