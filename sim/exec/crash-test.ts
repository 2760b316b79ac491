/**
 * `sim exec` as a function: records the program in a process of its own, has another one crash the tape everywhere and
 * run the check, and has each finding confirmed by a third, fresh one. Owns the processes; what they do is in
 * `recorder.ts` and `explorer.ts`.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { StillwaterError } from "../../src/platform/errors.js";
import type { SyncPersonality } from "../disk/options.js";
import type { CrashKind } from "../disk/simulation-disk.js";
import type { CheckMessage, CheckTask } from "./check-main.js";
import type { CrashChoice } from "./crash-states.js";
import type { Exploration } from "./explorer.js";
import type { Finding } from "./findings.js";
import { environmentOf } from "./settings.js";
import { type Tape, tapeFromJSON, tapeToJSON } from "./tape.js";

/** Which program is crashed, how, and what judges it. */
export interface CrashTestOptions {
  /** Path of the program, and what it is called with. */
  readonly program: string;
  readonly parameters: readonly string[];
  /** Path of the module with the check. */
  readonly check: string;
  /** Absolute; need not exist. */
  readonly mount: string;
  readonly cwd: string;
  readonly seed: string;
  readonly personality: SyncPersonality;
  readonly kinds: readonly CrashKind[];
  readonly statesMax: number;
  readonly sample: number | null;
  readonly findingsMax: number;
  readonly allowWrite: boolean;
  readonly timeMaxMs: number;
  readonly eventsMax: number;
}

/** What crashing a program has found. */
export interface CrashTestResult {
  readonly tape: Tape;
  readonly exploration: Exploration;
  /** Failures that a fresh process did not repeat: the check keeps something from one state to the next. */
  readonly unconfirmed: readonly Finding[];
  /** Of the exploration, without the start of the processes. */
  readonly elapsedMs: number;
}

const REGISTER = new URL("../register.js", import.meta.url);
const CHECK_MAIN = new URL("./check-main.js", import.meta.url);
const GRACE_MS = 5000;

export type CrashTestProgress = (position: number, events: number) => void;

/** Throws `INVALID_ARGUMENT` when the program fails by itself, or the check is none. */
export async function crashTest(
  options: CrashTestOptions,
  onProgress: CrashTestProgress,
): Promise<CrashTestResult> {
  const tape = await recordProgram(options);
  const task = taskOf(options, tape);
  let startMs = performance.now();
  const message = await runChecker({ ...task, only: null }, options.cwd, onProgress, () => {
    startMs = performance.now();
  });
  const elapsedMs = performance.now() - startMs;
  if (message.type !== "explored") throw new Error(`the checking process answered ${message.type}`);
  const findings: Finding[] = [];
  const unconfirmed: Finding[] = [];
  for (const finding of message.exploration.findings) {
    const { position, crash, answers } = finding;
    const again = await checkOne(options, tape, position, { kind: crash, answers });
    (again === null ? unconfirmed : findings).push(finding);
  }
  const exploration = { ...message.exploration, findings };
  return { tape, exploration, unconfirmed, elapsedMs };
}

/** Runs the check on one crash state of a tape, in a fresh process. Null: it passes. */
export async function checkOne(
  options: CrashTestOptions,
  tape: Tape,
  position: number,
  choice: CrashChoice,
): Promise<Finding | null> {
  const task = { ...taskOf(options, tape), only: { position, choice } };
  const message = await runChecker(task, options.cwd, () => {});
  if (message.type !== "one") throw new Error(`the checking process answered ${message.type}`);
  return message.finding;
}

/** Runs the program once, to its end, on an empty or the given disk. */
export async function recordProgram(options: CrashTestOptions): Promise<Tape> {
  return withFolder(async (folder) => {
    const path = join(folder, "tape.json");
    const { mount, allowWrite, seed, personality, eventsMax, timeMaxMs } = options;
    const record = { tape: path, eventsMax, timeMaxMs };
    const settings = environmentOf({ session: { mount, allowWrite, seed, personality }, record });
    const child = spawn(
      process.execPath,
      ["--import", REGISTER.href, options.program, ...options.parameters],
      { cwd: options.cwd, env: { ...process.env, ...settings }, stdio: ["ignore", "ignore", "pipe"] },
    );
    const { code, errors } = await ended(child, timeMaxMs + GRACE_MS);
    const json = readTape(path);
    if (json === null || code !== 0) {
      throw new StillwaterError(
        "INVALID_ARGUMENT",
        `${options.program} ended with ${code === null ? "a signal" : `exit code ${code}`} before any crash. ` +
          `A program that is crash-tested must work without crashes.\n${errors.trim()}`,
        { path: options.program },
      );
    }
    return tapeFromJSON(json, mount);
  });
}

function taskOf(options: CrashTestOptions, tape: Tape): Omit<CheckTask, "only"> {
  const { mount, check, personality, kinds, statesMax, sample, findingsMax, seed } = options;
  const explore = { kinds, statesMax, sample, findingsMax, seed };
  return { tape: tapeToJSON(tape), mount, check, personality, explore };
}

function runChecker(
  task: CheckTask,
  cwd: string,
  onProgress: CrashTestProgress,
  onReady: () => void = () => {},
): Promise<CheckMessage> {
  return withFolder(async (folder) => {
    const path = join(folder, "task.json");
    writeFileSync(path, JSON.stringify(task));
    const child = fork(fileURLToPath(CHECK_MAIN), [path], {
      cwd,
      // What the check prints is its own business; a report on the standard output must stay one.
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let last: CheckMessage | null = null;
    child.on("message", (message: CheckMessage) => {
      if (message.type === "ready") onReady();
      else if (message.type === "progress") onProgress(message.position, message.events);
      else last = message;
    });
    const { code, errors } = await ended(child, null);
    const answer = last as CheckMessage | null; // set by the listener
    if (answer === null)
      throw new Error(`the checking process ended with code ${code} and no answer: ${errors.trim()}`);
    if (answer.type === "error")
      throw new StillwaterError("INVALID_ARGUMENT", answer.message, { path: task.check });
    return answer;
  });
}

function ended(
  child: ChildProcess,
  timeMaxMs: number | null,
): Promise<{ code: number | null; errors: string }> {
  return new Promise((resolve, reject) => {
    let errors = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    const timer = timeMaxMs === null ? null : setTimeout(() => child.kill("SIGKILL"), timeMaxMs);
    child.on("error", reject);
    child.on("close", (code) => {
      if (timer !== null) clearTimeout(timer);
      resolve({ code, errors });
    });
  });
}

function readTape(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    // Not written: the process was stopped from outside, which its exit code tells.
    return null;
  }
}

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "stillwater-exec-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
