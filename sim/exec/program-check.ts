/**
 * The user's check, and running it on a crash state: it may do with `node:fs` what it likes, and it fails by throwing.
 * A module whose default export is a function is loaded once and called for every state, which makes thousands of states
 * a second possible; what it keeps in module variables lives on, so a failure counts only if it comes up in a fresh
 * process too. Does not own: which states.
 */
import { pathToFileURL } from "node:url";
import { StillwaterError } from "../../src/platform/errors.js";
import type { CrashKind } from "../disk/simulation-disk.js";
import type { NodeMachine } from "../node-fs/machine.js";
import type { Session } from "./session.js";

/** What a check is told. */
export interface CheckContext {
  /** The lines that the program had written to its standard output before the crash: what it has promised. */
  readonly acknowledged: readonly string[];
  readonly crash: CrashKind;
  /** The mounted directory. */
  readonly directory: string;
  /** Whether the program had come to its end before the crash. */
  readonly ended: boolean;
}

export type Check = (context: CheckContext) => unknown;

const realTimeout = setTimeout;
const realClear = clearTimeout;
const CHECK_TIME_MAX_MS = 10_000;

export async function loadCheck(path: string): Promise<Check> {
  const loaded: { readonly default?: unknown } = await import(pathToFileURL(path).href);
  if (typeof loaded.default === "function") return loaded.default as Check;
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `${path} must export its check as the default: export default async function ({ acknowledged, crash, directory }) { … }`,
    { path },
  );
}

/** Null when the check passes; otherwise the error, in words. */
export async function runCheck(
  check: Check,
  session: Session,
  machine: NodeMachine,
  context: CheckContext,
): Promise<string | null> {
  session.enter(machine);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = realTimeout(
      () => reject(new Error(`the check did not come to an end within ${CHECK_TIME_MAX_MS / 1000} s`)),
      CHECK_TIME_MAX_MS,
    );
  });
  const stray = strayFailures();
  try {
    await Promise.race([Promise.resolve(check(context)), late, stray.failure]);
    return null;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } finally {
    realClear(timer);
    stray.stop();
    // What the check left running fails from now on, instead of reaching into the next state.
    machine.crash("process-kill");
  }
}

/** Errors that nobody awaits belong to the check that runs now. */
function strayFailures(): { readonly failure: Promise<never>; stop(): void } {
  let listener: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    listener = (error) => {
      if (!(error instanceof Error && error.name === "SimulatedCrash")) reject(error);
    };
  });
  failure.catch(() => {});
  process.on("unhandledRejection", listener);
  process.on("uncaughtException", listener);
  return {
    failure,
    stop: () => {
      process.off("unhandledRejection", listener);
      process.off("uncaughtException", listener);
    },
  };
}
